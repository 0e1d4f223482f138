"""An operator paused the bot to look at its book, and went to lunch."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Publish the intent."""
    desk.intent("soft_pause", "ops-console", reason="looking at the book", requested_by="dana")


FAULT = Fault(
    name="paused-by-a-person",
    story="An operator paused the bot to look at its book, and went to lunch.",
    truth=Truth("operator_pause"),
    strike=strike,
)
