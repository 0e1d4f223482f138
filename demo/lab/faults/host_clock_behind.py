"""Time synchronisation on the host died weeks ago; today the drift is too large for the exchange."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the time stamps of all signed requests."""
    desk.refuse(SIGNED, 400, "40008", "Request timestamp expired", bots=None)


FAULT = Fault(
    name="host-clock-behind",
    story="Time synchronisation on the host died weeks ago; today the drift is too large for the exchange.",
    truth=Truth("clock_skew", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
