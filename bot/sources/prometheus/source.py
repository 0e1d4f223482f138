"""Prometheus as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from bot.sources.prometheus.client import NAME, Prometheus
from bot.sources.prometheus.labels import leading_nowhere
from bot.sources.prometheus.settings import PrometheusSettings
from triage.desk import Desk
from triage.errors import SourceError
from triage.playbooks.lookup import playbook_for
from triage.playbooks.table import DEFAULT
from triage.ports.sources import Metrics, RuleState, unread_rules
from triage.wording import counted, duration, listed

DAY_SECONDS = 86_400.0
"""As far back as triage looks: fees of yesterday, a postmortem's charts."""
_NAMES = (
    "name bots as the label bot of hbot_bot_state does and containers as cAdvisor's label name does, in desk.yaml "
    "and in the rules"
)


def _open(settings: PrometheusSettings, opening: Opening) -> Metrics:
    url = settings.prometheus_url
    return Prometheus(opening.http(NAME, "PROMETHEUS_URL", url)) if url else not_configured(NAME)


async def _look(desk: Desk, metrics: Prometheus) -> SourceHealth:
    rules = await metrics.rules()
    if unread := unread_rules(rules):
        return SourceHealth("warning", unread, "look at /api/v1/rules of PROMETHEUS_URL")
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
    notes = [*_without_playbook(desk, rules), *await _reach(metrics)]
    seen = "; ".join([f"{len(rules)} alert rules, {health}", *notes])
    short = await _retention(metrics)
    strange = await leading_nowhere(desk, metrics, rules)
    if short or strange:
        mends = [
            *(["raise --storage.tsdb.retention.time of Prometheus"] if short else []),
            *([_NAMES] if strange else []),
        ]
        return SourceHealth("warning", "; ".join([seen, *short, *strange]), "; ".join(mends))
    return SourceHealth("ok", seen)


def _without_playbook(desk: Desk, rules: Iterable[RuleState]) -> Iterator[str]:
    """Name the rules whose alerts get the default triage: no fault, and worth a row of their own."""
    names = dict.fromkeys(rule.name for rule in rules if rule.name != desk.watchdog.alertname)
    found = [name for name in names if playbook_for(desk, name).name == DEFAULT.name]
    if found:
        yield f"{counted(len(found), 'rule')} without a playbook of their own: {listed(found)}"


async def _retention(metrics: Prometheus) -> list[str]:
    """Say where it is set to keep less than triage looks back; one that does not tell is not doubted."""
    try:
        kept = await metrics.retention_seconds()
    except SourceError:
        return []
    return (
        [f"keeps {duration(kept)}: triage looks back {duration(DAY_SECONDS)}"]
        if kept and kept < DAY_SECONDS
        else []
    )


async def _reach(metrics: Metrics) -> list[str]:
    """Say how far back it remembers, where that is less than the digest asks for; it tells where it scrapes itself."""
    answer = await metrics.query("time() - min(prometheus_tsdb_lowest_timestamp_seconds > 0)")
    held = max((sample.value for sample in answer.samples), default=DAY_SECONDS)
    return (
        [f"remembers {duration(held)}: yesterday's figures are not known yet"] if held < DAY_SECONDS else []
    )


SOURCE = EvidenceSource(
    name="prometheus",
    fills="metrics",
    written="PROMETHEUS_URL",
    settings=PrometheusSettings,
    open=_open,
    look=_look,
)
