"""Cancels fail: orders may stay in the book against the bot's will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded, reads_log
from triage.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "errors", "orders", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, refused cancels in the log, and cancels a minute against the bot's budget."""
    for bot, case in guarded(facts, "cancel_failures", "cancel_fail_hard_limit"):
        found = reads_log(case, bot, "cancel_failed")
        rate, budget = (
            facts.now_of(bot).get("cancel_per_min"),
            facts.desk.limits_of(bot).cancel_budget_per_min,
        )
        if rate is not None and rate > budget and found.count:
            case.sees(
                "some", f"{bot}: {number(rate)} cancels a minute, budget {number(budget)}", "cancel rate"
            )
        if not facts.answered("error_logs"):
            case.doubts("contradiction", "its log is not known: it would say why", "error_logs")
        yield from case.concludes(
            "{who}'s cancels fail: orders may stay in the book.",
            "Look at the open orders at the exchange and cancel them by hand before it trades on.",
            by_hand="look for orders left open at the exchange, and cancel them there",
        )
