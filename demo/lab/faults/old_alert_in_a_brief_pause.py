"""The edge gate holds the bot for some minutes, as every day, and an old alert of a long pause fires."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Hold it for four minutes, and let the alert fire meanwhile."""
    ends = desk.now + 240

    def thin() -> None:
        if desk.now < ends:
            desk.struck.gross_edge = 0.00085

    desk.every(5, thin)
    labels = {"bot": desk.bot, "severity": "warning"}
    desk.after(100, lambda: desk.alert("BotSoftPauseTooLong", labels, "paused for 20 minutes"))


FAULT = Fault(
    name="old-alert-in-a-brief-pause",
    story="The edge gate holds the bot for some minutes, as every day, and an old alert of a long pause fires.",
    truth=Truth("nothing_is_wrong"),
    strike=strike,
    settles=60.0,
)
