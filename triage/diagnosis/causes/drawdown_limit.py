"""The guard stopped the bot because its drawdown passed the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """Believe the guard's own reason; without it, the figures."""
    limit = facts.desk.kpis.drawdown_pct_max / 100
    weighing = Weighing(facts)
    drawdowns: list[float] = []
    for bot, state in facts.of_bots("bot_state"):
        drawdown = state.get("drawdown")
        if "drawdown_hard_limit" in state.get("reasons", ()):
            weighing.add(0.85, f"{bot} gives the reason drawdown_hard_limit", "bot_state")
        if drawdown is not None and drawdown >= limit:
            drawdowns.append(drawdown)
            stopped = state.get("state") == "hard_stop"
            weighing.add(
                0.6 if stopped else 0.4,
                f"{bot}: drawdown {percent(drawdown)}, limit {percent(limit)}",
                "bot_state",
            )
    for event in facts.events("drawdown_hard_limit"):
        weighing.add(0.5, f"event {event.name}: drawdown_hard_limit")
    if facts.alerts("BotDailyPnlDrawdown"):
        weighing.add(0.25, "BotDailyPnlDrawdown fires too")
    weighing.needs("bot_state")
    passed = (
        f"Drawdown {percent(max(drawdowns))} passed the hard limit {percent(limit)}"
        if drawdowns
        else "Drawdown limit"
    )
    yield from weighing.cause(
        "drawdown_limit",
        f"{passed}; the guard stopped the bot.",
        "Leave it stopped and review the fills; nothing to restart. Rollback only if a recent deploy is the reason.",
    )
