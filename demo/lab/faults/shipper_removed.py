"""Somebody removed promtail: the bots log, and Loki gets nothing."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Remove its container."""
    desk.world.engine.remove(desk.container("promtail"), force=True)


FAULT = Fault(
    name="shipper-removed",
    story="Somebody removed promtail: the bots log, and Loki gets nothing.",
    truth=Truth(
        "log_shipper_down",
        also=frozenset({"container_down", "container_stopped"}),
        tolerated=("restart promtail", "recreate promtail", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
