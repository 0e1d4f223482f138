"""Somebody removed the bot's container."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Remove the container."""
    desk.world.engine.remove(desk.container(), force=True)


FAULT = Fault(
    name="container-removed",
    story="Somebody removed the bot's container.",
    truth=Truth(
        "container_stopped",
        also=frozenset({"container_down"}),
        tolerated=("restart {bot}", "recreate {bot}", "start_desk desk"),
    ),
    strike=strike,
)
