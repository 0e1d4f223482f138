"""Somebody paused promtail: the bots log, Loki gets nothing, and no alert tells of it."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause its container."""
    desk.world.engine.pause(desk.container("promtail"))


FAULT = Fault(
    name="log-shipper-paused",
    story="Somebody paused promtail: the bots log, Loki gets nothing, and no alert tells of it.",
    truth=Truth("paused_container", also=frozenset({"log_shipper_down"})),
    strike=strike,
    bots=(),
)
