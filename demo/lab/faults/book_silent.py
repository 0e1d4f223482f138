"""The bot's order book stream stays open and brings nothing."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the stream fall silent."""
    desk.world.exchange.silent.add(desk.bot)


FAULT = Fault(
    name="book-silent",
    story="The bot's order book stream stays open and brings nothing.",
    truth=Truth("market_data_stale", tolerated=("soft_pause", "restart {bot}")),
    strike=strike,
)
