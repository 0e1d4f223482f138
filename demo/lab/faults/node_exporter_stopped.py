"""Somebody stopped the node exporter."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("node-exporter"))


FAULT = Fault(
    name="node-exporter-stopped",
    story="Somebody stopped the node exporter.",
    truth=Truth(
        "metrics_blind",
        also=frozenset({"container_down", "container_stopped"}),
        tolerated=("restart node-exporter", "recreate node-exporter", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
