"""An alert of a negative edge is left, and the edge is positive."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it fire."""
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(900, lambda: desk.alert("BotNegativeEdgePersistent", labels, "edge below zero"))


FAULT = Fault(
    name="stale-edge-alert",
    story="An alert of a negative edge is left, and the edge is positive.",
    truth=Truth("nothing_is_wrong", also=frozenset({"no_cause_found"})),
    strike=strike,
)
