"""Somebody paused the bot on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._evidence import bot_case
from triage.signals.guard_reasons import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"pause", "no_fills"})


def rule(facts: Facts) -> Iterable[Candidate]:
    """The last intent that the bot applied was a pause, and it is paused."""
    for bot in facts.bots:
        case = bot_case(facts, "operator_pause", bot)
        state = facts.now_of(bot)
        if state.get("state") != "soft_pause":
            continue
        intents = [each for each in facts.said(bot, "intent_applied") if _word(each["text"])]
        if intents and _word(intents[-1]["text"]) == "soft_pause":
            case.sees(
                "proof", f"a pause was asked for and applied at {intents[-1]['at'][11:16]}", "audit_trail"
            )
        for reason in state.get("reasons", ()):
            if "intent" in reason or reason.startswith(("external_soft", "operator")):
                case.sees("proof", f"{bot} gives the reason {in_words([reason])}", "bot_state")
        yield from case.concludes(
            "Somebody paused {who} on purpose.",
            "Ask who paused it and why; only a person resumes it.",
            by_hand=f"/triage do resume {bot}, once whoever paused it agrees",
        )


def _word(text: str) -> str:
    return next((word for word in ("soft_pause", "resume", "kill_switch") if word in text), "")
