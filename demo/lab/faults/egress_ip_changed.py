"""The host's address changed; the keys allow only the old one."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse everything that is signed, from every bot."""
    desk.refuse(SIGNED, 400, "40018", "Invalid IP", bots=None)


FAULT = Fault(
    name="egress-ip-changed",
    story="The host's address changed; the keys allow only the old one.",
    truth=Truth("credentials_refused", also=frozenset({"egress_blocked"}), tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
