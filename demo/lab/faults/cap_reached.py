"""What the bot would hold if all its orders filled is above its cap."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let that guard hold."""
    desk.hold("projected_total_quote_above_cap")


FAULT = Fault(
    name="cap-reached",
    story="What the bot would hold if all its orders filled is above its cap.",
    truth=Truth("inventory_band"),
    strike=strike,
)
