"""Somebody paused the bot's container for nine minutes and let it go on; triage comes later."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Pause it for a while."""
    desk.world.engine.pause(desk.container())
    desk.after(540, lambda: desk.world.engine.unpause(desk.container()))


FAULT = Fault(
    name="long-pause-ends",
    story="Somebody paused the bot's container for nine minutes and let it go on; triage comes later.",
    truth=Truth("paused_container", also=frozenset({"blip", "frozen_bot", "nothing_is_wrong"})),
    strike=strike,
)
