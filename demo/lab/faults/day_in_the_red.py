"""The bot has lost more today than it may."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let the day have begun higher."""
    account = desk.struck.account
    account.day_open = desk.struck.equity * 1.034
    account.peak = desk.struck.equity


FAULT = Fault(
    name="day-in-the-red",
    story="The bot has lost more today than it may.",
    truth=Truth("daily_loss_limit"),
    strike=strike,
)
