"""Another exchange refuses our timestamps, with the status that others use for a bad key."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the time in another exchange's words."""
    desk.refuse(SIGNED, 401, "50102", "Timestamp request expired", bots=None)


FAULT = Fault(
    name="clock-off-elsewhere",
    story="Another exchange refuses our timestamps, with the status that others use for a bad key.",
    truth=Truth("clock_skew", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
