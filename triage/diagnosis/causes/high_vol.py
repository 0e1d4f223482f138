"""The market moves too much for the bot's guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_REASONS = ("high_vol", "market_spread_too_small")


def rule(facts: Facts) -> Iterable[Cause]:
    """The guard's reason, or a regime that says so while the bot pauses."""
    weighing = Weighing(facts)
    for bot, reason in facts.reasons(*_REASONS):
        weighing.add(0.7, f"{bot} gives the reason {reason}", "bot_state")
    for bot, state in facts.of_bots("bot_state"):
        if "high_vol" in str(state.get("regime")) and state.get("state") == "soft_pause":
            weighing.add(0.3, f"{bot}: regime {state['regime']}", "bot_state")
    if len({bot for bot, _ in facts.reasons("high_vol")}) > 1:
        weighing.add(0.2, "several bots at once")
    weighing.needs("bot_state")
    yield from weighing.cause(
        "high_vol",
        "The market is too volatile (or its spread too small) for the bot's guard.",
        "It resumes by itself when the market calms; nothing to do.",
    )
