"""The exchange's edge answers with an error page."""

from demo.desk.replies import EVERYTHING
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer every request with 502."""
    desk.refuse(EVERYTHING, 502, bots=None)


FAULT = Fault(
    name="exchange-502",
    story="The exchange's edge answers with an error page.",
    truth=Truth("exchange_down", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
