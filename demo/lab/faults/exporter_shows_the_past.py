"""The exporter lost its mount: it shows what it read last, of bots that go on."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it read nothing new."""
    desk.world.exporter_reads = False


FAULT = Fault(
    name="exporter-shows-the-past",
    story="The exporter lost its mount: it shows what it read last, of bots that go on.",
    truth=Truth(
        "stale_exporter",
        also=frozenset({"metrics_blind"}),
        right=("restart bot-metrics-exporter", "recreate bot-metrics-exporter"),
    ),
    strike=strike,
    bots=(),
)
