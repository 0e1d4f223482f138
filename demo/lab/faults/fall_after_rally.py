"""The price runs up and falls; the bot holds half of its worth in base."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Move the price."""
    desk.struck.market.move([(480.0, 0.024), (300.0, -0.058)])


FAULT = Fault(
    name="fall-after-rally",
    story="The price runs up and falls; the bot holds half of its worth in base.",
    truth=Truth("drawdown_limit"),
    strike=strike,
    settles=900,
)
