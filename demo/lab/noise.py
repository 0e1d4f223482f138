"""Harmless log lines, as a busy desk has them: fewer than its alert counts, and of no single class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from demo.desk.connector import BITGET, STREAM, TRACKER, order_id, trace

if TYPE_CHECKING:
    from demo.lab.breaker import Breaker

EVERY = 150.0
"""Seconds between two lines of a bot: about four errors in ten minutes, where twenty make an alert."""


def make_noise(breaker: Breaker) -> None:
    """Let every bot write such lines from now on."""
    for bot in breaker.world.bots:
        breaker.every(EVERY, partial(_line, breaker, bot))


def _line(breaker: Breaker, bot: str) -> None:
    order = order_id(breaker.world.bots[bot])
    match breaker.dice.randrange(6):
        case 0:
            breaker.says("ERROR", "asyncio", "Unclosed client session", bot=bot)
        case 1:
            text = "Unexpected error while listening to user stream. Retrying after 5 seconds..."
            breaker.says(
                "ERROR",
                STREAM,
                text,
                trace("_iter_message", "TimeoutError: Message receive timed out."),
                bot=bot,
            )
        case 2:
            breaker.says("WARNING", BITGET, f"Failed to cancel order {order} (order not found)", bot=bot)
        case 3:
            breaker.says(
                "WARNING",
                BITGET,
                "Failed to update balances. Error: ",
                trace("_update_balances", "TimeoutError"),
                bot=bot,
            )
        case 4:
            text = "The order fill updates did not arrive on time for "
            breaker.says(
                "WARNING",
                TRACKER,
                f"{text}{order}. The cancel update will be processed with incomplete information.",
                bot=bot,
            )
        case _:
            text = "Error calculating fee in quote: no exchange rate for BGB-USDT. Fee will be stored in the DB as 0."
            breaker.says("ERROR", "hummingbot.connector.markets_recorder", text, bot=bot)
