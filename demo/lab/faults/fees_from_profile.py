"""The fee query failed for four minutes, just as the bot was restarted."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Refuse the query, and restart into it."""
    desk.world.exchange.fees_refused_until = desk.now + 240
    desk.restart()


FAULT = Fault(
    name="fees-from-profile",
    story="The fee query failed for four minutes, just as the bot was restarted.",
    truth=Truth("fee_fallback", right=("restart {bot}",), tolerated=("recreate {bot}",)),
    strike=strike,
)
