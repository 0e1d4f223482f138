"""The market's spread is narrower than the bot's floor."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let that guard hold."""
    desk.hold("market_spread_too_small")


FAULT = Fault(
    name="spread-too-small",
    story="The market's spread is narrower than the bot's floor.",
    truth=Truth("market_spread_too_small"),
    strike=strike,
)
