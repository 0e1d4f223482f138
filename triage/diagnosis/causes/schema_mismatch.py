"""A producer writes what its consumers refuse."""

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
        "schema_mismatch",
        "schema_validation",
        "A producer writes what its consumers refuse: {count} dead letters for schema_validation in an hour.",
        "Find the producer whose schema changed; what it wrote is not applied.",
    )
