"""The alert is stale or false: what it states does not hold, and nothing else is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.diagnosis.symptoms import holds
from triage.drill_alert import ALERTNAME as DRILL
from triage.wording import clock_time, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset[str]()


def rule(facts: Facts) -> Iterable[Candidate]:
    """Fresh evidence contradicts every alert of the incident; without an alert, a desk on which nothing shows."""
    told = [each for each in facts.episodes if each.firing or each.is_event]
    case = Case(facts, "nothing_is_wrong")
    if told and all(each.name == DRILL for each in told):
        case.sees("proof", "it states nothing of the desk", "alerts")
        yield from case.concludes(
            "A drill fired this alert: nothing is wrong.", "Nothing to do.", by_hand="nothing"
        )
        return
    if told:
        judged = [holds(facts, each) for each in told]
        if any(judgement is not False for judgement in judged):
            return
        for each in told[:3]:
            case.sees("proof", f"what {each.name} states does not hold for {each.subject} now", "alerts")
    elif facts.asked_by_hand and facts.answered("bot_state") and not facts.troubles():
        case.sees(
            "proof",
            f"{counted(len(facts.findings), 'check')} found nothing that stands still, fails or is stopped",
            "checks",
        )
    case.needs("bot_state", "container", "error_logs", "watchers")
    case.direct = case.direct and case.missing == 0
    names = ", ".join(dict.fromkeys(each.name for each in told))
    degraded = facts.degraded_since
    others = (
        f"Beside degraded mode (on since {clock_time(degraded)}) nothing"
        if degraded is not None
        else "Nothing"
    )
    yield from case.concludes(
        f"{others} is wrong now: what {names} states does not hold."
        if told
        else "Nothing is wrong on what was looked at.",
        "Nothing to do. If the alert stays, its rule or its data are stale." if told else "Nothing to do.",
        settle="does the alert end within ten minutes?" if told else "",
        by_hand="nothing; if the alert stays, its rule or its data are stale" if told else "nothing",
    )
