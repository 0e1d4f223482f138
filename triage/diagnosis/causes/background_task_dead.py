"""A background task died: the bot looks alive and does not do all of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import remedy
from triage.diagnosis.causes._evidence import bot_case, look_in_log, reads_log
from triage.diagnosis.causes._families import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = TRADING | {"frozen"}


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look in each bot's log for a task that ended unhandled; one fresh line is strong evidence."""
    for bot in facts.bots:
        case = bot_case(facts, "background_task_dead", bot)
        found = reads_log(case, bot, "background_task_dead")
        running = (bot,) if facts.container_of_bot(bot).get("running") else ()
        if found.fresh:
            case.sees("strong", "", "error_logs")
        yield from case.concludes(
            "A background task of {who} died{since}: it looks alive.",
            "Check the open orders at the exchange, then restart it.",
            settle=look_in_log(facts, bot, "Unhandled error\\|never retrieved"),
            by_hand="look at the open orders at the exchange first",
            remedies=remedy("restart", running, "a dead task does not come back by itself"),
        )
