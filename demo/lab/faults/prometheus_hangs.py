"""Prometheus hangs."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang."""
    desk.container("prometheus").hung = True


FAULT = Fault(
    name="prometheus-hangs",
    story="Prometheus hangs.",
    truth=Truth(
        "alerting_blind",
        also=frozenset({"metrics_blind"}),
        tolerated=("restart prometheus", "recreate prometheus"),
    ),
    strike=strike,
    bots=(),
)
