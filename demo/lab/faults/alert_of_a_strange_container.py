"""An alert is left of a container that the desk does not have."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it fire."""
    desk.alert("ContainerDown", {"name": "hbot-bot6", "severity": "critical"}, "not seen for a minute")


FAULT = Fault(
    name="alert-of-a-strange-container",
    story="An alert is left of a container that the desk does not have.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
    bots=(),
)
