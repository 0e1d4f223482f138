"""A producer writes what its consumers refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"dead_letters", "behind"})
_SOME, _MANY = 3, 20


def rule(facts: Facts) -> Iterable[Candidate]:
    """The reason that the dead letters give."""
    reasons = facts.data("streams").get("dead_letter_reasons", {})
    count = sum(n for reason, n in reasons.items() if "schema_validation" in reason)
    if count < _SOME:
        return
    case = Case(
        facts,
        "schema_mismatch",
        facts.bots,
        tuple(map(facts.desk.container_of, facts.desk.compose.external_services)),
    )
    most = count >= sum(reasons.values()) / 2
    case.sees(
        "proof" if count >= _MANY and most else "strong" if most else "clear",
        f"{count} dead letters for schema_validation in an hour",
        "streams",
    )
    yield from case.concludes(
        f"A producer writes what its consumers refuse: {count} dead letters for schema_validation in an hour.",
        "Find the producer whose schema changed; what it wrote is not applied.",
        settle=f"redis-cli XREVRANGE {facts.desk.streams.dead_letter} + - COUNT 3",
        by_hand=f"redis-cli XREVRANGE {facts.desk.streams.dead_letter} + - COUNT 3",
    )
