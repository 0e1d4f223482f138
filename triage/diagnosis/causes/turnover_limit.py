"""The day's turnover limit stopped the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's own reason, or the figure."""
    weighing = Weighing(facts)
    limit = facts.desk.kpis.turnover_x_max
    for bot, _ in facts.reasons("daily_turnover_hard_limit"):
        weighing.add(0.85, f"{bot} gives the reason daily_turnover_hard_limit", "bot_state")
    for bot, state in facts.of_bots("bot_state"):
        turnover = state.get("turnover")
        if turnover is not None and turnover > limit:
            weighing.add(0.4, f"{bot}: turnover {number(turnover)}x, limit {number(limit)}x", "bot_state")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "turnover_limit",
        "The day's turnover limit stopped the bot.",
        "It may trade again tomorrow; find out why it turned over so much.",
    )
