"""The net edge is below what pays: the gate holds the bot back, as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded
from triage.signals.guard_reasons import in_words
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "edge", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, the state of the gate, and the net edge (a fraction) over 15 minutes."""
    for bot, case in guarded(facts, "edge_gate", "edge_gate_blocked"):
        state = facts.now_of(bot)
        edge = state.get("net_edge_15m")
        figure = f" ({percent(edge, signed=True)} over 15 min)" if edge is not None else ""
        if state.get("edge_gate") and not state.get("reasons"):
            case.sees("strong", f"{bot}: its edge gate is closed", "bot_state")
        if edge is not None and edge < 0:
            paused = state.get("state") == "soft_pause" and not state.get("reasons")
            case.sees(
                "strong" if paused or facts.alerts("BotNegativeEdgePersistent") else "some",
                f"{bot}: net edge {percent(edge, signed=True)} over 15 min",
                "bot_state",
            )
        if state.get("state") == "hard_stop":
            case.doubts("contradiction", "an edge gate pauses and never stops a bot", "bot_state")
        others = set(state.get("reasons", ())) - {"edge_gate_blocked", "market_spread_too_small", "high_vol"}
        if others:
            case.doubts("doubt", f"{bot} gives other reasons too: {in_words(sorted(others))}", "bot_state")
        yield from case.concludes(
            "{who}'s net edge is below what pays{figure}: the edge gate is closed.",
            "It ends by itself with the market; check the fee source before touching thresholds.",
            by_hand="nothing: it ends by itself with the market",
            figure=figure,
        )
