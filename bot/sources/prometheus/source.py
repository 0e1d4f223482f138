"""Prometheus as a source of evidence: opened, and asked by the doctor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.sources.declaration import EvidenceSource, Opening, SourceHealth
from bot.sources.not_configured import not_configured
from bot.sources.prometheus.client import NAME, Prometheus
from bot.sources.prometheus.settings import PrometheusSettings
from triage.desk import Desk
from triage.playbooks.lookup import playbook_for
from triage.playbooks.table import DEFAULT
from triage.ports.sources import Metrics, RuleState
from triage.wording import counted, duration, listed

DAY_SECONDS = 86_400.0


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
    notes = [*_without_playbook(desk, rules), *await _reach(metrics)]
    seen = "; ".join([f"{len(rules)} alert rules, {health}", *notes])
    strange = await _labels(desk, metrics)
    if strange:
        mend = "bots of desk.yaml are named as the label bot of hbot_bot_state names them"
        return SourceHealth("warning", "; ".join([seen, *strange]), mend)
    return SourceHealth("ok", seen)


def _without_playbook(desk: Desk, rules: Iterable[RuleState]) -> Iterator[str]:
    """Name the rules whose alerts get the default triage: no fault, and worth a row of their own."""
    names = dict.fromkeys(rule.name for rule in rules if rule.name != desk.watchdog.alertname)
    found = [name for name in names if playbook_for(desk, name).name == DEFAULT.name]
    if found:
        yield f"{counted(len(found), 'rule')} without a playbook of their own: {listed(found)}"


async def _labels(desk: Desk, metrics: Metrics) -> list[str]:
    """Compare the bots that the series name with those of desk.yaml; without any series there is nothing to compare."""
    answer = await metrics.query("group by (bot) (last_over_time(hbot_bot_state[1h]))")
    seen = {sample.labels.get("bot", "") for sample in answer.samples} - {""}
    known = {bot.name for bot in desk.bots}
    if not seen:
        return []
    strange, silent = sorted(seen - known), sorted(known - seen)
    return [
        *([f"series of {listed(strange)}, which desk.yaml does not know"] if strange else []),
        *([f"no series in an hour of {listed(silent)}"] if silent else []),
    ]


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
