"""Somebody paused the bot's container to copy its files, and forgot it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause the container."""
    desk.world.engine.pause(desk.container())


FAULT = Fault(
    name="paused-by-docker",
    story="Somebody paused the bot's container to copy its files, and forgot it.",
    truth=Truth("paused_container"),
    strike=strike,
)
