"""Somebody edited the bot's settings and did not recreate it; what it does is not what they say."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Edit the file; a rule of the desk's own compares."""
    desk.set_setting("min_net_edge_bps", "1")
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(
        600,
        lambda: desk.alert("SpreadNotAsConfigured", labels, "spread differs from the one that is configured"),
    )


FAULT = Fault(
    name="wrong-file-in-use",
    story="Somebody edited the bot's settings and did not recreate it; what it does is not what they say.",
    truth=Truth("config_not_applied", also=frozenset({"edge_gate"})),
    strike=strike,
)
