"""A deadlock stops the bot's event loop; its process lives."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the process hang."""
    desk.container().hung = True


FAULT = Fault(
    name="event-loop-deadlock",
    story="A deadlock stops the bot's event loop; its process lives.",
    truth=Truth("frozen_bot", right=("restart {bot}", "recreate {bot}")),
    strike=strike,
)
