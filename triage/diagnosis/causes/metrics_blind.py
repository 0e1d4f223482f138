"""The exporter or Prometheus fails: what is shown is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.case import Case, remedy
from triage.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.case import Candidate
    from triage.diagnosis.facts import Facts

EXPLAINS = frozenset({"scrape", "blind", "frozen", "no_fills"})
_EXPORTER = "bot-metrics-exporter"
_STALE_SECONDS = 120.0


def rule(facts: Facts) -> Iterable[Candidate]:
    """What the watchers say of themselves."""
    watch, exporter = facts.data("watchers"), facts.desk.container_of(_EXPORTER)
    case = Case(facts, "metrics_blind", facts.bots, (exporter, facts.desk.container_of("prometheus")))
    down = watch.get("target_up") is False
    if watch.get("prometheus") == "down":
        case.sees("strong", "Prometheus does not answer", "watchers")
        if any(each.source is Source.ALERTMANAGER and each.firing for each in facts.episodes):
            case.doubts(
                "contradiction", "its alerts arrive: it may be only the way from here to it", "alerts"
            )
    if down:
        case.sees("proof", "the target bot-metrics is down", "watchers")
    if (watch.get("target_age_seconds") or 0) > _STALE_SECONDS:
        case.sees("clear", "bot-metrics was not scraped lately", "watchers")
    for alert in facts.alerts("PrometheusTargetDown"):
        job = alert.labels.get("job", "")
        case.sees("some", f"PrometheusTargetDown fires{f' for {job}' if job else ''}", "alert")
        if job and job != "bot-metrics":
            case.sees("strong", f"the target {job} is not scraped", "alert")
    case.needs("watchers")
    what = (
        "Prometheus does not answer"
        if watch.get("prometheus") == "down"
        else "the exporter of the bots' metrics is not scraped"
        if down
        else "a target is not scraped"
    )
    yield from case.concludes(
        f"Monitoring is blind: {what}.",
        "Bring it back first; until then look at the bots directly, and act on nothing that is shown.",
        remedies=remedy(
            "restart",
            (_EXPORTER,) if down and watch.get("prometheus") == "ok" else (),
            "the exporter does not answer its scrapes",
        ),
        settle=f"curl -s localhost:9400/metrics | head -3; docker logs --tail 20 {exporter}",
        by_hand=f"docker logs --tail 20 {exporter}; docker ps --filter name={facts.desk.container_of('prometheus')}",
    )
