"""A rule that nobody wrote a playbook for fires about a healthy host."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the alert fire."""
    desk.alert(
        "SmartAttributeDrift",
        {"instance": "node-exporter:9100", "severity": "warning"},
        "SMART attribute 197 changed",
    )


FAULT = Fault(
    name="unknown-rule",
    story="A rule that nobody wrote a playbook for fires about a healthy host.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
    bots=(),
)
