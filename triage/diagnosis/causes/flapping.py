"""The bot goes back and forth between running and pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"flaps", "pause", "no_fills", "stop"})
_OFTEN = 6


def rule(facts: Facts) -> Iterable[Candidate]:
    """Many turns in the last hour; the guard's reason of the moment is but one of them."""
    for bot in facts.bots:
        turns = facts.state(bot).get("turns_hour") or 0
        if turns < _OFTEN:
            continue
        case = bot_case(facts, "flapping", bot)
        case.sees("strong", f"{bot} changed its state {turns} times within an hour", "bot_state")
        yield from case.concludes(
            f"{{who}} goes back and forth: {turns} changes of state within an hour.",
            "Look at what its pauses have in common: thresholds too close to the market make it flap.",
            by_hand="compare the pause threshold with the edge's usual range",
        )
