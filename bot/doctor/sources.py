"""The sources of evidence, each asked what triage will ask it: being reachable is not being let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.doctor.report import DependencyReport
from triage.desk import Desk
from triage.ports.checklists import Dashboards
from triage.ports.sources import Sources
from triage.queries import logql

Question = Callable[[], Awaitable[DependencyReport]]
LOG_SECONDS = 3600.0
"""How far back a bot must have logged something."""


def source_questions(desk: Desk, sources: Sources, dashboards: Dashboards) -> list[tuple[str, Question]]:
    """Return one question a source, by its name. They raise SourceError."""
    return [
        ("prometheus", lambda: _prometheus(desk, sources)),
        ("loki", lambda: _loki(desk, sources)),
        ("alertmanager", lambda: _alertmanager(sources)),
        ("redis", lambda: _redis(desk, sources)),
        ("docker", lambda: _docker(desk, sources)),
        ("grafana", lambda: _grafana(dashboards)),
    ]


async def _prometheus(desk: Desk, sources: Sources) -> DependencyReport:
    rules = await sources.metrics.rules()
    bad = [rule.name for rule in rules if rule.health not in ("ok", "unknown")]
    if bad:
        return DependencyReport(
            "prometheus", "warning", f"rules with errors: {', '.join(bad)}", "see its /rules page"
        )
    if not rules:
        mend = "load deploy/prometheus/desk-rules.yml"
        return DependencyReport("prometheus", "warning", "no alert rules are loaded", mend)
    watchdog = desk.watchdog
    if watchdog.enabled and watchdog.alertname not in {rule.name for rule in rules}:
        return DependencyReport(
            "prometheus",
            "warning",
            f"{len(rules)} alert rules, none of them {watchdog.alertname}: nobody would notice blind alerting",
            "load the rule from deploy/prometheus/desk-rules.yml, or set watchdog.enabled: false",
        )
    young = sum(rule.health == "unknown" for rule in rules)  # it has just started
    health = f"{young} not evaluated yet" if young else "all healthy"
    return DependencyReport("prometheus", "ok", f"{len(rules)} alert rules, {health}")


async def _loki(desk: Desk, sources: Sources) -> DependencyReport:
    await sources.logs.ready()
    now = datetime.now(UTC)  # the doctor looks at a world with a clock of its own
    silent = []
    for bot in desk.bots:
        streams = logql.from_template(desk.triage.bot_log_selector, bot=bot.name)
        if await sources.logs.count(streams, end=now, window_seconds=LOG_SECONDS) is None:
            silent.append(bot.name)
    if silent:
        mend = (
            "check triage.bot_log_selector of desk.yaml against the labels in Loki, LOKI_TENANT and promtail"
        )
        return DependencyReport(
            "loki", "warning", f"ready, no line in the last hour of {', '.join(silent)}", mend
        )
    return DependencyReport("loki", "ok", f"ready, holds the logs of {len(desk.bots)} bots")


async def _alertmanager(sources: Sources) -> DependencyReport:
    await sources.alerts.ready()
    alerts = await sources.alerts.alerts()
    return DependencyReport("alertmanager", "ok", f"ready, holds {len(alerts)} alerts")


async def _redis(desk: Desk, sources: Sources) -> DependencyReport:
    health = await sources.streams.health()
    audit = await sources.streams.info(desk.streams.audit)
    seen = (
        f"{health.role}, ping {health.ping_seconds * 1000:.0f} ms, {audit.name} holds {audit.length} entries"
    )
    if health.role != "master":
        mend = "set REDIS_URL to the master: a group's reader has to write that it read"
        return DependencyReport("redis", "warning", seen, mend)
    return DependencyReport("redis", "ok", seen)


async def _docker(desk: Desk, sources: Sources) -> DependencyReport:
    await sources.containers.ready()
    names = {container.name for container in await sources.containers.list()}
    missing = [bot.name for bot in desk.bots if desk.container_of(bot.name) not in names]
    seen = f"{len(names)} containers"
    if missing:
        mend = "check compose.container_template and bots in desk.yaml"
        return DependencyReport("docker", "warning", f"{seen}, none for {', '.join(missing)}", mend)
    return DependencyReport("docker", "ok", seen)


async def _grafana(dashboards: Dashboards) -> DependencyReport:
    found = await dashboards.datasources()
    ill = [source.name for source in found if source.healthy is False]
    if ill:
        return DependencyReport(
            "grafana", "warning", f"unhealthy: {', '.join(ill)}", "look at them in Grafana"
        )
    return DependencyReport("grafana", "ok", f"{len(found)} datasources")
