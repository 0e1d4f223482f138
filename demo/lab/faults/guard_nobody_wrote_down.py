"""A guard that nobody wrote down stops the bot."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Let it hold the bot."""
    desk.hold("counterparty_limit", hard=True)


FAULT = Fault(
    name="guard-nobody-wrote-down",
    story="A guard that nobody wrote down stops the bot.",
    truth=Truth("no_cause_found", tolerated=("soft_pause",)),
    strike=strike,
)
