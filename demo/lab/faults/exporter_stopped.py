"""Somebody stopped the metrics exporter."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("bot-metrics-exporter"))


FAULT = Fault(
    name="exporter-stopped",
    story="Somebody stopped the metrics exporter.",
    truth=Truth(
        "metrics_blind",
        also=frozenset({"container_down", "container_stopped"}),
        tolerated=("restart bot-metrics-exporter", "recreate bot-metrics-exporter", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
