"""The exchange's edge refuses this address altogether."""

from demo.desk.replies import EVERYTHING
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Answer every request with 403."""
    desk.refuse(EVERYTHING, 403, bots=None)


FAULT = Fault(
    name="address-blocked",
    story="The exchange's edge refuses this address altogether.",
    truth=Truth("egress_blocked", tolerated=("soft_pause",)),
    strike=strike,
    bots=(),
)
