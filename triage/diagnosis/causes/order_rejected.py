"""The bot's orders are outside the exchange's rules for size, price or value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, coded, look_in_log, reads_log, since
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED


def rule(facts: Facts) -> Iterable[Candidate]:
    """The bot's orders are outside the exchange's rules for size, price or value."""
    for bot in facts.bots:
        case = bot_case(facts, "order_rejected", bot)
        found = reads_log(case, bot, "order_rejected")
        yield from case.concludes(
            f"The exchange rejects {{who}}'s orders: size, step or value is outside its rules{coded(found)}{since(case)}.",
            "Compare order size and rounding in the configuration with the exchange's rules.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "minimum"),
            by_hand="put the order size right in the bot's configuration",
        )
