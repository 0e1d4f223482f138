"""The market is too volatile for the bot's guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason, or the regime of a paused bot; a bot in hard stop speaks against it."""
    for bot, case in guarded(facts, "high_vol", "high_vol"):
        state = facts.now_of(bot)
        if (
            "high_vol" in str(state.get("regime"))
            and state.get("state") == "soft_pause"
            and not state.get("reasons")
        ):
            case.sees("clear", f"{bot}: regime {state['regime']}", "bot_state")
        if state.get("state") == "hard_stop":
            case.doubts("contradiction", "this guard pauses and never stops a bot", "bot_state")
        yield from case.concludes(
            "The market is too volatile for {who}: trading waits.",
            "It resumes by itself when the market calms; nothing to do.",
            by_hand="nothing: it resumes by itself when the market calms",
        )
