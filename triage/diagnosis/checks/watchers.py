"""Can what watches the desk be believed: bot-metrics target, alert rules, Prometheus, Loki, Alertmanager.

Here a source that does not answer is the finding, not an unknown: whether it answers is the question.

``data``: ``{"prometheus", "loki", "alertmanager": "ok"|"down"|"not configured", "target_up": bool|None,
"target_age_seconds", "rules": int,
"rules_known": bool, "rules_bad": [name], "rules_missing": [name], "reload_ok": bool|None,
"evaluation_failures": float}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

from triage.concurrency import together
from triage.diagnosis.checks.base import CheckContext, in_time, worst_status
from triage.errors import SourceError, SourceNotConfigured
from triage.model import Finding, FindingStatus
from triage.ports.sources import QueryResult, RuleState, Target, unread_rules, unread_targets
from triage.wording import counted, duration, listed

NAME = "watchers"
TITLE = "Watchers"
SOURCE = "Prometheus, Loki, Alertmanager"

JOB = "bot-metrics"
_STALE_SECONDS = 60.0
_RELOADED = "min(prometheus_config_last_reload_successful)"
_FAILED = "sum(increase(prometheus_rule_evaluation_failures_total[15m]))"


@dataclass(slots=True)
class WatcherState:
    """What the watchers say of themselves; see the module."""

    prometheus: str = "ok"
    loki: str = "ok"
    alertmanager: str = "ok"
    target_up: bool | None = None
    target_age_seconds: float | None = None
    rules: int = 0
    rules_known: bool = False
    rules_bad: list[str] = field(default_factory=list)
    rules_missing: list[str] = field(default_factory=list)
    reload_ok: bool | None = None
    evaluation_failures: float = 0.0


_Part = tuple[FindingStatus, str]
"""What one part of the finding says: how bad, and its words."""


async def run(ctx: CheckContext) -> Finding:
    """Ask each watcher about itself, all at once."""
    sources = ctx.sources
    (targets, rules, reload, failures), (loki, alertmanager) = await together(
        together(
            in_time(ctx, "Prometheus", sources.metrics.targets()),
            in_time(ctx, "Prometheus", sources.metrics.rules()),
            in_time(ctx, "Prometheus", sources.metrics.query(_RELOADED)),
            in_time(ctx, "Prometheus", sources.metrics.query(_FAILED)),
        ),
        together(
            in_time(ctx, "Loki", sources.logs.ready()), in_time(ctx, "Alertmanager", sources.alerts.ready())
        ),
    )
    watch = WatcherState()
    watch.loki, loki_part = _service("Loki", loki)
    watch.alertmanager, alertmanager_part = _service("Alertmanager", alertmanager)
    parts: list[_Part] = []
    if isinstance(targets, SourceError) and isinstance(rules, SourceError):
        watch.prometheus, part = _service("Prometheus", targets)
        parts.append(part)
    else:  # who answers one question is there, whatever it thinks of the others
        parts += [_target(ctx, targets, watch), *_rules(ctx, rules, watch), *_self(reload, failures, watch)]
    return _finding([*parts, loki_part, alertmanager_part], watch)


def _service(name: str, answer: object) -> tuple[str, _Part]:
    if isinstance(answer, SourceNotConfigured):
        return "not configured", (FindingStatus.UNKNOWN, f"{name} not configured")
    if isinstance(answer, SourceError):
        bad = FindingStatus.CRITICAL if name != "Loki" else FindingStatus.WARNING
        return "down", (bad, f"{name} does not answer: {answer.why}")
    return "ok", (FindingStatus.OK, f"{name} ready")


def _target(ctx: CheckContext, targets: Sequence[Target] | SourceError, watch: WatcherState) -> _Part:
    if isinstance(targets, SourceError):
        return FindingStatus.UNKNOWN, f"targets not known: {targets.why}"
    mine = [target for target in targets if target.job == JOB and not target.unread]
    unread = unread_targets([target for target in targets if target.job in {JOB, ""}])
    if not mine and not unread:
        return FindingStatus.CRITICAL, f"Prometheus has no target {JOB}"
    down = [target for target in mine if target.health != "up"]
    if down:
        watch.target_up = False
        error = f": {down[0].last_error}" if down[0].last_error else ""
        return FindingStatus.CRITICAL, f"{JOB} {down[0].health}{error}"
    if unread:
        return FindingStatus.UNKNOWN, f"{JOB} not known: {unread_targets(targets)}"
    watch.target_up = True
    ages = [(ctx.now - each.last_scrape).total_seconds() for each in mine if each.last_scrape is not None]
    if not ages:
        return FindingStatus.WARNING, f"{JOB} up, never scraped"
    watch.target_age_seconds = max(0.0, *ages)
    stale = watch.target_age_seconds > _STALE_SECONDS
    text = f"{JOB} up, {duration(watch.target_age_seconds)} old"
    return (FindingStatus.WARNING if stale else FindingStatus.OK), text


def _rules(
    ctx: CheckContext, rules: tuple[RuleState, ...] | SourceError, watch: WatcherState
) -> Iterable[_Part]:
    if isinstance(rules, SourceError):
        yield FindingStatus.UNKNOWN, f"rules not known: {rules.why}"
        return
    if unread := unread_rules(rules):
        yield FindingStatus.UNKNOWN, unread
    names = {rule.name for rule in rules}
    watch.rules, watch.rules_known = len(rules), True
    watch.rules_bad = sorted({rule.name for rule in rules if rule.health == "err"})
    watch.rules_missing = [
        name for name in ctx.desk.triage.expected_rules if name not in names and not unread
    ]
    if not rules:
        yield FindingStatus.CRITICAL, "no alert rules loaded"
    elif watch.rules_bad:
        error = next(rule.last_error for rule in rules if rule.name == watch.rules_bad[0])
        yield FindingStatus.CRITICAL, f"rules in error: {listed(watch.rules_bad)} ({error})"
    elif not watch.rules_missing and not unread:
        yield FindingStatus.OK, f"{counted(len(rules), 'rule')} ok"
    if rules and watch.rules_missing:
        yield (
            FindingStatus.WARNING,
            f"{counted(len(rules), 'rule')}, missing {listed(watch.rules_missing, 3)}",
        )


def _self(
    reload: QueryResult | SourceError, failures: QueryResult | SourceError, watch: WatcherState
) -> Iterable[_Part]:
    """Prometheus may not scrape itself: then these two say nothing."""
    for what, answer in (("its last reload", reload), ("rule evaluations", failures)):
        if isinstance(answer, SourceError):
            yield FindingStatus.UNKNOWN, f"{what} not known: {answer.why}"
    if not isinstance(reload, SourceError) and reload.samples:
        watch.reload_ok = reload.samples[0].value == 1
        if not watch.reload_ok:
            yield FindingStatus.CRITICAL, "Prometheus' last reload of its rules and settings failed"
    if not isinstance(failures, SourceError) and failures.samples and failures.samples[0].value > 0:
        watch.evaluation_failures = failures.samples[0].value
        yield FindingStatus.WARNING, f"{round(watch.evaluation_failures)} rule evaluations failed in 15 min"


def _finding(parts: list[_Part], watch: WatcherState) -> Finding:
    unknown = [text for status, text in parts if status is FindingStatus.UNKNOWN]
    ranked = sorted(parts, key=lambda part: part[0] in {FindingStatus.OK, FindingStatus.UNKNOWN})
    return Finding(
        name=NAME,
        status=worst_status(status for status, _ in parts),
        headline=" · ".join(text for _, text in ranked),
        source=SOURCE,
        why="; ".join(unknown),
        data=asdict(watch),
    )
