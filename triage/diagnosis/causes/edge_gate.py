"""The edge gate holds the bot back: quoting would lose money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing
from triage.wording import percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


def rule(facts: Facts) -> Iterable[Cause]:
    """A pause for a negative edge is the guard doing its work."""
    weighing = Weighing(facts)
    bots: list[str] = []
    for bot, state in facts.of_bots("bot_state"):
        if state.get("frozen"):
            continue
        edge = state.get("net_edge_15m")
        if "edge_gate_blocked" in state.get("reasons", ()):
            bots.append(bot)
            weighing.add(0.75, f"{bot} gives the reason edge_gate_blocked", "bot_state")
        elif state.get("edge_gate"):
            bots.append(bot)
            weighing.add(0.5, f"{bot}: its edge gate is closed", "bot_state")
        if edge is not None and edge < 0:
            paused = state.get("state") == "soft_pause"
            weighing.add(
                0.5 if paused else 0.35, f"{bot}: 15 min net edge {percent(edge, signed=True)}", "bot_state"
            )
    if facts.alerts("BotNegativeEdgePersistent"):
        weighing.add(0.35, "BotNegativeEdgePersistent fires")
    if any(state.get("state") == "hard_stop" for _, state in facts.of_bots("bot_state")):
        weighing.against(0.4)
    stale = [bot for bot, _ in facts.reasons("order_book_stale")]
    if len(stale) > 1:
        weighing.against(0.6, "several bots work on old prices: their edge means nothing", "bot_state")
    weighing.needs("bot_state")
    who = ", ".join(dict.fromkeys(bots)) or "The bot"
    yield from weighing.cause(
        "edge_gate",
        f"{who}: net edge is below what pays; the edge gate holds it back.",
        "Usually ends by itself with the market; check the fee source before touching thresholds.",
    )
