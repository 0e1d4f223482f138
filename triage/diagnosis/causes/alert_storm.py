"""So much fires at once that one common cause is likelier than many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.symptoms import FAMILIES, STRANGE
from triage.model import IncidentShape
from triage.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({*FAMILIES.values(), STRANGE})
_MANY_KINDS, _FLOOD = 6, 40


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at how much fires at once; what it has in common is not claimed, a person must find it."""
    case = Case(facts, "alert_storm", facts.bots, facts.containers)
    firing = {
        name: who
        for name, who in facts.data("scope").get("alerts", {}).items()
        if name != facts.desk.watchdog.alertname
    }
    total = sum(max(1, len(who)) for who in firing.values())
    mine = [each for each in facts.episodes if each.firing]
    if facts.shape is IncidentShape.STORM:
        case.sees("strong", f"{counted(len(mine), 'alert')} in one storm", "alerts")
    if len(firing) >= _MANY_KINDS:
        case.sees("clear", f"{counted(total, 'alert')} of {counted(len(firing), 'kind')} fire", "scope")
        if len(facts.data("scope").get("others_unwell", ())) > 1:
            case.sees(
                "some", f"{len(facts.data('scope')['others_unwell'])} further bots are not well", "others"
            )
    if total >= _FLOOD:
        case.sees("strong", "more than one cause of one bot could make", "scope")
    case.needs("scope")
    yield from case.concludes(
        "Many alerts at once: one common cause (network, host, exchange, Redis) is likelier than many.",
        "Look for what they share before working through them one by one.",
        settle="which bots are still well, and what do the others share?",
        by_hand="look at network, host, exchange and Redis, in this order",
    )
