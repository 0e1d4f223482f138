"""Somebody raised the bots' memory limit in the Compose file and recreated nothing."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Edit the file; a rule of the desk's own compares."""
    desk.edit_compose("mem_limit: 1g", "mem_limit: 2g")
    labels = {"name": f"hbot-{desk.bot}", "severity": "warning"}
    desk.after(900, lambda: desk.alert("ComposeDrift", labels, "the container differs from the Compose file"))


FAULT = Fault(
    name="compose-edited-not-applied",
    story="Somebody raised the bots' memory limit in the Compose file and recreated nothing.",
    truth=Truth("config_not_applied"),
    strike=strike,
)
