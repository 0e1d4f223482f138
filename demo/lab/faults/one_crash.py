"""The bot died once of an exception and was restarted by Docker."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """End it once."""
    desk.crash(desk.bot, 1)


FAULT = Fault(
    name="one-crash",
    story="The bot died once of an exception and was restarted by Docker.",
    truth=Truth("blip", also=frozenset({"nothing_is_wrong"})),
    strike=strike,
)
