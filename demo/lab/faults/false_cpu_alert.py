"""A spike of one scrape is over before anybody looks."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy host's alert fire."""
    desk.alert(
        "HighCpuUsage",
        {"instance": "node-exporter:9100", "severity": "warning"},
        "Host node-exporter:9100 is busy",
    )


FAULT = Fault(
    name="false-cpu-alert",
    story="A spike of one scrape is over before anybody looks.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
    bots=(),
)
