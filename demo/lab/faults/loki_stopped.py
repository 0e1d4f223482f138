"""Somebody stopped Loki."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("loki"))


FAULT = Fault(
    name="loki-stopped",
    story="Somebody stopped Loki.",
    truth=Truth(
        "service_down",
        also=frozenset({"container_down", "container_stopped", "log_shipper_down"}),
        tolerated=("restart loki", "recreate loki", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
