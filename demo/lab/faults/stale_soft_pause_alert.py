"""An alert of a pause that is over."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let a healthy bot's alert fire."""
    desk.alert(
        "BotSoftPauseTooLong",
        {"bot": desk.bot, "severity": "warning"},
        f"{desk.bot} has been in soft_pause for 20 minutes",
    )


FAULT = Fault(
    name="stale-soft-pause-alert",
    story="An alert of a pause that is over.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
    bots=("bot1", "bot3"),
)
