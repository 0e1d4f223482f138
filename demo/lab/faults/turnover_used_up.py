"""The bot has traded three times its worth today."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it have traded that much."""
    desk.struck.account.traded_today = 3.05 * desk.struck.equity


FAULT = Fault(
    name="turnover-used-up",
    story="The bot has traded three times its worth today.",
    truth=Truth("turnover_limit"),
    strike=strike,
)
