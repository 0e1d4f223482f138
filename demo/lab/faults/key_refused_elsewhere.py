"""The desk trades on another exchange, whose codes nobody wrote down: it refuses the key."""

from demo.desk.replies import SIGNED
from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the key in another exchange's words."""
    desk.refuse(SIGNED, 401, "50111", "Invalid OK-ACCESS-KEY")


FAULT = Fault(
    name="key-refused-elsewhere",
    story="The desk trades on another exchange, whose codes nobody wrote down: it refuses the key.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
