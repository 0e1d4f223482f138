"""The market's spread is too small to earn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "no_fills", "edge"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at the guard's reason; a bot in hard stop speaks against it."""
    for bot, case in guarded(facts, "market_spread_too_small", "market_spread_too_small"):
        if facts.now_of(bot).get("state") == "hard_stop":
            case.doubts("contradiction", "this guard pauses and never stops a bot", "bot_state")
        yield from case.concludes(
            "The market's spread is too small for {who}: trading waits.",
            "It resumes by itself when the spread widens; nothing to do.",
            by_hand="nothing: it resumes by itself when the spread widens",
        )
