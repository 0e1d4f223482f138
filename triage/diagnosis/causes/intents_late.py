"""Intents expire before they are applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.causes._dead_letters import EXPLAINED, by_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = EXPLAINED


def rule(facts: Facts) -> Iterable[Candidate]:
    """The reason that the dead letters give."""
    return by_reason(
        facts,
        "intents_late",
        "expired_intent",
        "Intents come too late to be applied: {count} expired in an hour.",
        "Look at what delays them: the services, the bus, or a clock that is wrong.",
    )
