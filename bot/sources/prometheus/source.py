"""Prometheus as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from bot.sources.prometheus.client import NAME, Prometheus
from bot.sources.prometheus.settings import PrometheusSettings
from triage.desk import Desk
from triage.ports.sources import Metrics


def _open(settings: PrometheusSettings, opening: Opening) -> Metrics:
    url = settings.prometheus_url
    return Prometheus(opening.http(NAME, "PROMETHEUS_URL", url)) if url else not_configured(NAME)


async def _look(desk: Desk, metrics: Metrics) -> SourceHealth:
    rules = await metrics.rules()
    bad = [rule.name for rule in rules if rule.health not in ("ok", "unknown")]
    if bad:
        return SourceHealth("warning", f"rules with errors: {', '.join(bad)}", "see its /rules page")
    if not rules:
        return SourceHealth("warning", "no alert rules are loaded", "load deploy/prometheus/desk-rules.yml")
    watchdog = desk.watchdog
    if watchdog.enabled and watchdog.alertname not in {rule.name for rule in rules}:
        return SourceHealth(
            "warning",
            f"{len(rules)} alert rules, none of them {watchdog.alertname}: nobody would notice blind alerting",
            "load the rule from deploy/prometheus/desk-rules.yml, or set watchdog.enabled: false",
        )
    young = sum(rule.health == "unknown" for rule in rules)  # it has just started
    health = f"{young} not evaluated yet" if young else "all healthy"
    return SourceHealth("ok", f"{len(rules)} alert rules, {health}")


SOURCE = EvidenceSource("prometheus", "metrics", "PROMETHEUS_URL", PrometheusSettings, _open, _look)
