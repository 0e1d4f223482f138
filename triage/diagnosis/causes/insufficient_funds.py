"""The balance is short, or locked in other orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = REFUSED


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for orders that were refused for want of balance."""
    for bot in facts.bots:
        case = bot_case(facts, "insufficient_funds", bot)
        found = reads_log(case, bot, "insufficient_funds")
        yield from case.concludes(
            "{who}'s balance is short or locked{codes}{since}.",
            "Compare free and frozen balances at the exchange, and what other bots hold.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "budget"),
            by_hand="free or add funds at the exchange",
        )
