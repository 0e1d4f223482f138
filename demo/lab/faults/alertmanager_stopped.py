"""Somebody stopped Alertmanager: no alert comes any more."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop its container."""
    desk.world.engine.stop(desk.container("alertmanager"))


FAULT = Fault(
    name="alertmanager-stopped",
    story="Somebody stopped Alertmanager: no alert comes any more.",
    truth=Truth(
        "alerting_blind",
        also=frozenset({"container_stopped"}),
        tolerated=("restart alertmanager", "recreate alertmanager", "start_desk desk"),
    ),
    strike=strike,
    bots=(),
)
