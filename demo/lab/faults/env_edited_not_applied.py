"""Somebody changed a switch in .env and recreated nothing; the desk's own check finds the difference."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Edit the file; a rule of the desk's own compares."""
    desk.set_env("BUS_SOFT_PAUSE_ON_OUTAGE", "false")
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(
        600, lambda: desk.alert("BotSettingsDiffer", labels, "settings differ from those of the repository")
    )


FAULT = Fault(
    name="env-edited-not-applied",
    story="Somebody changed a switch in .env and recreated nothing; the desk's own check finds the difference.",
    truth=Truth("config_not_applied"),
    strike=strike,
)
