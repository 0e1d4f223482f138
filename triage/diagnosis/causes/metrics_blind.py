"""What we see is not what is: the watchers themselves fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.diagnosis.weighing import Weighing, propose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.diagnosis.facts import Facts
    from triage.model import Cause


_STALE_SECONDS = 120.0


def rule(facts: Facts) -> Iterable[Cause]:
    """Prometheus or the exporter down: states on show mean nothing."""
    weighing = Weighing(facts)
    watch = facts.data("watchers")
    if watch.get("prometheus") == "down":
        weighing.add(0.85, "Prometheus does not answer", "watchers")
    if watch.get("target_up") is False:
        weighing.add(0.8, "the target bot-metrics is down", "watchers")
    if (watch.get("target_age_seconds") or 0) > _STALE_SECONDS:
        weighing.add(0.5, "bot-metrics was not scraped lately", "watchers")
    if watch.get("rules_bad"):
        weighing.add(0.3, f"rules in error: {', '.join(watch['rules_bad'][:3])}", "watchers")
    if facts.alerts("PrometheusTargetDown"):
        weighing.add(0.5, "PrometheusTargetDown fires")
    if facts.alerts("Watchdog", facts.desk.watchdog.alertname):
        weighing.add(0.4, "the watchdog alert stays away")
    exporter = ("bot-metrics-exporter",) if watch.get("target_up") is False else ()
    weighing.needs("watchers")
    yield from weighing.cause(
        "metrics_blind",
        "Monitoring is blind: the bots' true state is not known.",
        "Bring the exporter or Prometheus back first, and look at the bots directly until then.",
        propose("restart", exporter, "the exporter does not answer its scrapes"),
    )
