"""The exchange releases a version: for an hour some requests fail and sockets drop."""

from demo.desk.replies import SOCKETS
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let half of the orders fail and sockets drop."""
    desk.refuse(("place", "cancel"), 400, "45001", "Unknown error", bots=None, share=0.5, lasts=3_600)
    desk.cut_off("reset", SOCKETS, bots=None, share=0.2, lasts=3_600)


FAULT = Fault(
    name="release-window",
    story="The exchange releases a version: for an hour some requests fail and sockets drop.",
    truth=Truth("exchange_down", also=frozenset({"exchange_errors"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
