"""Hummingbot's own kill switch stopped the strategy at its P&L threshold."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth


def strike(desk: Breaker) -> None:
    """Stop the strategy from within."""
    desk.says(
        "INFO", "hummingbot.core.utils.kill_switch", "Kill switch threshold reached. Stopping the bot..."
    )
    if desk.struck.process is not None:
        desk.struck.process.stopped = True


FAULT = Fault(
    name="profit-kill-switch",
    story="Hummingbot's own kill switch stopped the strategy at its P&L threshold.",
    truth=Truth("pnl_kill_switch"),
    strike=strike,
)
