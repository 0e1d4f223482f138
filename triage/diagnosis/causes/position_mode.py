"""The position mode of the account is not the one that the bot uses."""

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
    """Look in each bot's log for orders that were refused for the position mode."""
    for bot in facts.bots:
        case = bot_case(facts, "position_mode", bot)
        found = reads_log(case, bot, "position_mode")
        yield from case.concludes(
            "{who} and its account differ in position mode{codes}{since}.",
            "Set one-way or hedge mode at the exchange once the position is flat.",
            settle=look_in_log(facts, bot, found.codes[0] if found.codes else "position mode"),
            by_hand="set the position mode at the exchange while flat",
        )
