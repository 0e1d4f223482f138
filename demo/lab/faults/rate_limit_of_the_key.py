"""The bot asks too often; the exchange bans its key, and each further order renews the ban."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Ban the key."""
    desk.world.exchange.ban(desk.bot, desk.now)


FAULT = Fault(
    name="rate-limit-of-the-key",
    story="The bot asks too often; the exchange bans its key, and each further order renews the ban.",
    truth=Truth("exchange_rate_limit", right=("soft_pause {bot}",), tolerated=("kill_switch {bot}",)),
    strike=strike,
)
