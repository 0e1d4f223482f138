"""The bot holds too much or too little of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "stop", "no_fills", "position"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reasons, and the share of the base (a fraction) against the bot's band."""
    for bot, case in guarded(
        facts, "inventory_band", "base_pct_below_min", "base_pct_above_max", "projected_total_quote_above_cap"
    ):
        state = facts.now_of(bot)
        base = state.get("base_pct")
        low, high = facts.desk.limits_of(bot).base_pct
        outside = base is not None and not low <= base <= high
        figure = (
            f" (base {percent(base, 1)}, band {percent(low, 0)} to {percent(high, 0)})" if outside else ""
        )
        if outside:
            waits = state.get("state") != "running" and not state.get("reasons")
            case.sees(
                "clear" if waits else "hint",
                f"{bot}: base {percent(base, 1)} outside {percent(low, 0)} to {percent(high, 0)}",
                "bot_state",
            )
        yield from case.concludes(
            "{who}'s inventory is outside its band{figure}.",
            "It does not end by itself: compare balances with the target, rebalance by hand or move the band.",
            by_hand="rebalance by hand at the exchange, or move the band in the configuration",
            figure=figure,
        )
