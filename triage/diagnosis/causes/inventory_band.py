"""The bot holds too much or too little of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's reason, or a base share outside the band."""
    weighing = Weighing(facts)
    for bot, reason in facts.reasons(
        "base_pct_below_min", "base_pct_above_max", "projected_total_quote_above_cap"
    ):
        weighing.add(0.75, f"{bot} gives the reason {reason}", "bot_state")
    for bot, state in facts.of_bots("bot_state"):
        base = state.get("base_pct")
        known = facts.desk.bot(bot)
        low, high = (known.base_pct if known is not None else None) or facts.desk.kpis.base_pct
        if base is not None and not low <= base <= high and not state.get("frozen"):
            band = f"{percent(low, 0)} to {percent(high, 0)}"
            weighing.add(0.5, f"{bot}: base {percent(base, 1)} outside {band}", "bot_state")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "inventory_band",
        "The bot's inventory is outside its band.",
        "It does not end by itself: compare balances with the target, rebalance by hand or move the band.",
    )
