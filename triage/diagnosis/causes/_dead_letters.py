"""What the reasons of the dead letters say: one case for each reason that has a cause of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINED = frozenset({"dead_letters", "behind"})
_SOME, _MANY = 3, 20


def by_reason(facts: Facts, cause: str, reason: str, text: str, advice: str) -> Iterable[Candidate]:
    """Make the case of a cause whose dead letters have a reason; ``{count}`` in the text is how many in an hour."""
    reasons = facts.data("streams").get("dead_letter_reasons", {})
    count = sum(n for given, n in reasons.items() if reason in given)
    if count < _SOME:
        return
    services = tuple(map(facts.desk.container_of, facts.desk.compose.external_services))
    case = Case(facts, cause, facts.bots, services)
    most = count >= sum(reasons.values()) / 2
    seen = f"{count} dead letters for {reason} in an hour"
    case.sees("proof" if count >= _MANY and most else "strong" if most else "clear", seen, "streams")
    look = f"redis-cli XREVRANGE {facts.desk.streams.dead_letter} + - COUNT 3"
    yield from case.concludes(text.format(count=count), advice, settle=look, by_hand=look)
