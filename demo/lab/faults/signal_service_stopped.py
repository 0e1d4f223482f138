"""Somebody stopped the signal service."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("signal-service"))


FAULT = Fault(
    name="signal-service-stopped",
    story="Somebody stopped the signal service.",
    truth=Truth(
        "service_down",
        also=frozenset({"container_down", "container_stopped"}),
        tolerated=("restart signal-service", "recreate signal-service", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
