"""Somebody stopped the bot's container."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop the container."""
    desk.world.engine.stop(desk.container())


FAULT = Fault(
    name="stopped-by-docker",
    story="Somebody stopped the bot's container.",
    truth=Truth(
        "container_stopped",
        also=frozenset({"container_down"}),
        tolerated=("restart {bot}", "recreate {bot}", "start_desk desk"),
    ),
    strike=strike,
)
