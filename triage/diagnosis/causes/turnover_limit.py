"""The day's turnover limit stopped the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded
from triage.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "pause", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, and the day's turnover (times equity) against desk.yaml's limit."""
    for bot, case in guarded(facts, "turnover_limit", "daily_turnover_hard_limit"):
        limit = facts.desk.kpis.turnover_x_max
        state = facts.now_of(bot)
        turnover = state.get("turnover")
        figure = ""
        if turnover is not None and turnover > limit:
            figure = f" ({number(turnover)}x, limit {number(limit)}x)"
            stopped = state.get("state") == "hard_stop" and not state.get("reasons")
            case.sees(
                "clear" if stopped else "some",
                f"{bot}: turnover {number(turnover)}x, limit {number(limit)}x",
                "bot_state",
            )
        yield from case.concludes(
            "{who} reached its turnover limit of the day{figure}.",
            "It may trade again tomorrow; find out why it turned over so much.",
            by_hand="review the day's fills; it resumes with the new day or by a person",
            figure=figure,
        )
