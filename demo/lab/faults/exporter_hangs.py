"""The metrics exporter hangs."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hang."""
    desk.container("bot-metrics-exporter").hung = True


FAULT = Fault(
    name="exporter-hangs",
    story="The metrics exporter hangs.",
    truth=Truth("metrics_blind", right=("restart bot-metrics-exporter", "recreate bot-metrics-exporter")),
    strike=strike,
    bots=(),
)
