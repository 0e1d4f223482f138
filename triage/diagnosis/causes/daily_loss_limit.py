"""The day's loss is over its limit: the guard stopped the bot, as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded, other_reason
from triage.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"stop", "loss", "pause"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, the day's loss (a fraction) against desk.yaml's limit, and the alert on PnL."""
    for bot, case in guarded(facts, "daily_loss_limit", "daily_loss_hard_limit"):
        limit = facts.desk.kpis.daily_loss_pct_max / 100
        state = facts.now_of(bot)
        loss, pnl = state.get("daily_loss"), state.get("daily_pnl")
        figure = f" {percent(loss)} (limit {percent(limit)})" if loss is not None and loss >= limit else ""
        if figure:
            case.sees(
                "strong" if not state.get("reasons") else "some",
                f"{bot}: daily loss {percent(loss)}, limit {percent(limit)}",
                "bot_state",
            )
        if facts.alerts("BotDailyPnlDrawdown") and pnl is not None and pnl < 0:
            case.sees("clear", f"{bot}: daily PnL {number(pnl)}", "bot_state: PnL")
        other_reason(case, bot, "daily_loss_hard_limit", "doubt")
        yield from case.concludes(
            "{who}'s loss of the day{figure} is over its limit."
            if figure or "daily_loss_hard_limit" in facts.reasons(bot)
            else "{who} lost more today than the alert allows.",
            "Leave it stopped (or pause it) until the fills are reviewed; the limit ends with the day, not its reason.",
            by_hand="review the day's fills; pause the bot if it still trades",
            figure=figure,
        )
