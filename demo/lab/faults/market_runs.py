"""The price runs away for an hour; the bot waits for calm."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the price climb."""
    desk.struck.market.move([(3_600.0, 0.12)])


FAULT = Fault(
    name="market-runs",
    story="The price runs away for an hour; the bot waits for calm.",
    truth=Truth("high_vol", tolerated=("soft_pause",)),
    strike=strike,
)
