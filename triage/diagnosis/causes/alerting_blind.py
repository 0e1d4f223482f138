"""No alert would come: rules are missing, a reload failed, or Alertmanager is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case
from triage.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"blind", "scrape"})
_MANY = 3


def rule(facts: Facts) -> Iterable[Candidate]:
    """Look at what the watchers say of themselves, and at the alert that must always come."""
    watch = facts.data("watchers")
    case = Case(
        facts,
        "alerting_blind",
        (),
        (facts.desk.container_of("alertmanager"), facts.desk.container_of("prometheus")),
    )
    what = []
    told = facts.alerts("Watchdog", "AlertingBlind", facts.desk.watchdog.alertname)
    arrive = not told and any(each.source is Source.ALERTMANAGER and each.firing for each in facts.episodes)
    if watch.get("alertmanager") == "down" and not arrive:
        what.append("Alertmanager does not answer")
    if watch.get("rules_known") and not watch.get("rules"):
        what.append("Prometheus has 0 alert rules")
    if watch.get("reload_ok") is False:
        what.append("Prometheus' last reload of its rules failed")
    if watch.get("rules_bad"):
        what.append(f"rules in error: {', '.join(watch['rules_bad'][:3])}")
    for text in what:
        case.sees("proof", text, "watchers")
    if len(watch.get("rules_missing", ())) >= _MANY and not what:
        case.sees("clear", f"rules missing: {', '.join(watch['rules_missing'][:3])}", "watchers")
    if told:
        case.sees("clear", "the alert that must always come stays away", "alert")
    case.needs("watchers")
    yield from case.concludes(
        f"Alerting is blind: {what[0] if what else 'alerts do not reach us'}.",
        "Mend it first: until then no alert tells of anything.",
        settle="curl -s localhost:9090/api/v1/rules | head -c 300; promtool check rules …",
        by_hand="check Prometheus' /rules and Alertmanager's /-/ready, then the route of the Watchdog",
    )
