"""Two processes write one sqlite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"frozen"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for sqlite's error that the database is locked."""
    for bot in facts.bots:
        case = bot_case(facts, "database_locked", bot)
        reads_log(case, bot, "database_locked")
        yield from case.concludes(
            "{who}'s database is locked{since}: another process writes it.",
            "One bot per file: find the other writer, and never delete the file.",
            settle=look_in_log(facts, bot, "database is locked"),
            by_hand=f"fuser -v {facts.desk.paths.data}/{bot}/data/*.sqlite",
        )
