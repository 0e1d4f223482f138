"""The drawdown passed its hard limit: the guard stopped the bot, as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded
from triage.signals.guard_reasons import in_words
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "loss", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """The drawdown passed its hard limit: the guard stopped the bot, as it should."""
    for bot, case in guarded(facts, "drawdown_limit", "drawdown_hard_limit"):
        limit = facts.desk.kpis.drawdown_pct_max / 100
        state = facts.now_of(bot)
        drawdown = state.get("drawdown")
        over = drawdown is not None and drawdown >= limit
        figure = f" {percent(drawdown)}" if over else ""
        if over and state.get("state") == "hard_stop":
            case.sees(
                "some" if state.get("reasons") else "strong",
                f"{bot}: drawdown {percent(drawdown)}, limit {percent(limit)}",
                "bot_state",
            )
        elif over:
            case.sees("some", f"{bot}: drawdown {percent(drawdown)}, limit {percent(limit)}", "bot_state")
        if case.pieces and state.get("reasons") and "drawdown_hard_limit" not in state["reasons"]:
            case.doubts(
                "contradiction", f"the guard gives another reason: {in_words(state['reasons'])}", "bot_state"
            )
        yield from case.concludes(
            f"{{who}}'s drawdown{{figure}} passed the hard limit {percent(limit)}: the guard stopped trading.",
            "Leave it stopped and review the fills; nothing to restart.",
            by_hand="review the fills and the equity curve; resume only after a decision",
            figure=figure,
        )
