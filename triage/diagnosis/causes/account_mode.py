"""The account is in unified mode, which the connector does not speak."""

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
    """Look in each bot's log for the exchange's refusal of the account's mode."""
    for bot in facts.bots:
        case = bot_case(facts, "account_mode", bot)
        found = reads_log(case, bot, "account_mode")
        yield from case.concludes(
            "{who}'s account is in a mode that the connector does not speak{codes}{since}.",
            "Use a classic (sub-)account.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "Unified"),
            by_hand="move the bot to a classic sub-account",
        )
