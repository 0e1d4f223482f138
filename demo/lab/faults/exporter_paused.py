"""Somebody paused the metrics exporter's container."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause it."""
    desk.world.engine.pause(desk.container("bot-metrics-exporter"))


FAULT = Fault(
    name="exporter-paused",
    story="Somebody paused the metrics exporter's container.",
    truth=Truth("paused_container", also=frozenset({"metrics_blind", "stale_exporter"})),
    strike=strike,
    bots=(),
)
