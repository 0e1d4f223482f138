"""A large answer took the bot over its memory limit once; it is back."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Kill it once for want of memory."""
    desk.crash(desk.bot, 137, oom=True)


FAULT = Fault(
    name="one-oom-kill",
    story="A large answer took the bot over its memory limit once; it is back.",
    truth=Truth("oom_killed_once", also=frozenset({"blip"})),
    strike=strike,
)
