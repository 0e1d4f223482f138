"""A hard stop of this morning is long over; its alert was never taken back."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy bot's alert fire."""
    desk.alert("BotHardStopActive", {"bot": desk.bot, "severity": "critical"}, f"{desk.bot} is in hard_stop")


FAULT = Fault(
    name="stale-hard-stop-alert",
    story="A hard stop of this morning is long over; its alert was never taken back.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
)
