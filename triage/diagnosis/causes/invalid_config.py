"""The configuration does not fit the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import STANDING, TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | STANDING


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for a configuration that did not load."""
    for bot in facts.bots:
        case = bot_case(facts, "invalid_config", bot)
        reads_log(case, bot, "invalid_config")
        yield from case.concludes(
            "{who}'s configuration does not load{since}.",
            "Mend the yml file that the line names; a restart reads the same file.",
            settle=look_in_log(facts, bot, "validation error\\|Failed to load"),
            by_hand=f"read {facts.desk.paths.data}/{bot}/logs/errors.log and mend the field that it names",
        )
