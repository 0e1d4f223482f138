"""The drawdown passed its hard limit: the guard stopped the bot, as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded, other_reason
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "loss", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, and the drawdown (a fraction of equity) against desk.yaml's limit."""
    for bot, case in guarded(facts, "drawdown_limit", "drawdown_hard_limit"):
        limit = facts.desk.kpis.drawdown_pct_max / 100
        state = facts.now_of(bot)
        drawdown = state.get("drawdown")
        over = drawdown is not None and drawdown >= limit
        figure = f" {percent(drawdown)}" if over else ""
        if over:
            proven = state.get("state") == "hard_stop" and not state.get("reasons")
            said = f"{bot}: drawdown {percent(drawdown)}, limit {percent(limit)}"
            case.sees("strong" if proven else "some", said, "bot_state")
        other_reason(case, bot, "drawdown_hard_limit", "contradiction")
        yield from case.concludes(
            f"{{who}}'s drawdown{{figure}} passed the hard limit {percent(limit)}: the guard stopped trading.",
            "Leave it stopped and review the fills; nothing to restart.",
            by_hand="review the fills and the equity curve; resume only after a decision",
            figure=figure,
        )
