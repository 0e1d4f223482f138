"""Alertmanager kept an alert of a kill switch from last week; the bot trades."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Post it."""
    desk.alert("KillSwitchTriggered", {"bot": desk.bot, "severity": "critical"}, "kill switch")


FAULT = Fault(
    name="false-kill-switch",
    story="Alertmanager kept an alert of a kill switch from last week; the bot trades.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
