"""The guard stopped the bot because the day's loss passed the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing, propose
from triage.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """Believe the guard's own reason; without it, the day's loss."""
    limit = facts.desk.kpis.daily_loss_pct_max / 100
    weighing = Weighing(facts)
    trading: list[str] = []
    for bot, state in facts.of_bots("bot_state"):
        loss = state.get("daily_loss")
        if "daily_loss_hard_limit" in state.get("reasons", ()):
            weighing.add(0.85, f"{bot} gives the reason daily_loss_hard_limit", "bot_state")
        if loss is not None and loss >= limit:
            weighing.add(0.55, f"{bot}: daily loss {percent(loss)}, limit {percent(limit)}", "bot_state")
            trading += [bot] if state.get("state") == "running" else []
    for episode in facts.alerts("BotDailyPnlDrawdown"):
        pnl = facts.state(episode.subject.name).get("daily_pnl")
        figure = f": daily PnL {number(pnl)}" if pnl is not None else ""
        weighing.add(0.5, f"BotDailyPnlDrawdown fires for {episode.subject.name}{figure}")
    if facts.reasons("drawdown_hard_limit"):
        weighing.against(0.6, "the guard names the drawdown", "bot_state")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "daily_loss_limit",
        "The day's loss is over its limit.",
        "Leave it stopped (or pause it) until the fills are reviewed; the limit resets with the day, the reason does not.",
        propose("soft_pause", trading, "it still trades while over its daily loss limit"),
    )
