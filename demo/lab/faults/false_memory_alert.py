"""An alert of a container's memory that does not hold: somebody tried out a rule."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Post it."""
    labels = {"name": f"hbot-{desk.bot}", "severity": "warning"}
    desk.alert("ContainerHighMemory", labels, "near its memory limit")


FAULT = Fault(
    name="false-memory-alert",
    story="An alert of a container's memory that does not hold: somebody tried out a rule.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
