"""An alert says that a bot is frozen which writes its minutes."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy bot's alert fire."""
    desk.alert("BotFrozen", {"bot": desk.bot, "severity": "critical"}, f"{desk.bot} is frozen")


FAULT = Fault(
    name="stale-frozen-alert",
    story="An alert says that a bot is frozen which writes its minutes.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
