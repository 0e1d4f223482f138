"""Prometheus' alerting rules: from a rules file through pending, firing and resolved.

The life of an alert follows Prometheus 2.42: pending while younger than `for`, kept firing for `keep_firing_for`,
remembered for 15 minutes after it resolved, sent again every minute with an end four intervals ahead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml.error import YAMLError

from demo.servers.go_text import parse_duration, rfc3339
from demo.servers.promql import Evaluator
from demo.servers.promql_compile import parse
from demo.servers.promql_values import PromqlError, PromqlSyntaxError, Sample, Vector
from demo.servers.rule_template import expand
from demo.servers.tsdb import Labels, Tsdb, labels_of
from demo.yaml_text import read_yaml

RESEND_DELAY = 60.0
RESOLVED_RETENTION = 15 * 60.0
State = Literal["inactive", "pending", "firing"]


class RuleSpec(BaseModel):
    """One rule of a rules file."""

    model_config = ConfigDict(extra="forbid")

    alert: str = ""
    record: str = ""
    expr: str
    hold: str = Field(default="0s", alias="for")
    keep_firing_for: str = "0s"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class GroupSpec(BaseModel):
    """One group of a rules file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    interval: str = ""
    rules: list[RuleSpec]


class RulesFile(BaseModel):
    """A rules file."""

    groups: list[GroupSpec]


@dataclass(slots=True)
class Alert:
    """One active (or lately resolved) alert; times are Unix seconds."""

    labels: dict[str, str]
    annotations: dict[str, str]
    value: float
    active_at: float
    expr: str
    state: State = "pending"
    fired_at: float = 0.0
    resolved_at: float = 0.0
    last_sent_at: float = 0.0
    valid_until: float = 0.0
    keep_firing_since: float = 0.0

    def needs_sending(self, now: float) -> bool:
        """Whether Alertmanager is told again."""
        if self.state == "pending":
            return False
        return self.resolved_at > self.last_sent_at or self.last_sent_at + RESEND_DELAY < now


@dataclass(slots=True)
class Rule:
    """An alerting or recording rule and what came of its last evaluation."""

    spec: RuleSpec
    hold: float
    keep_firing: float
    alerts: dict[Labels, Alert] = field(default_factory=dict)
    written: set[Labels] = field(default_factory=set)
    health: str = "unknown"
    last_error: str = ""
    last_evaluation: float = 0.0

    @property
    def state(self) -> State:
        """The most advanced state of its alerts."""
        states = {alert.state for alert in self.alerts.values()}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"


@dataclass(slots=True)
class Group:
    """Rules that are evaluated together."""

    name: str
    file: str
    interval: float
    rules: list[Rule]
    failures: int = 0
    evaluations: int = 0
    next_at: float = 0.0
    last_evaluation: float = 0.0


def load(path: Path, default_interval: float) -> list[Group]:
    """Read a rules file. Raises ValueError that names the file and what is wrong in it."""
    try:
        spec = _read(path.read_text(encoding="utf-8"))
        return [_group(group, str(path), default_interval) for group in spec.groups]
    except (ValueError, YAMLError, PromqlSyntaxError, OSError) as error:
        raise ValueError(f"{path}: {error}") from error


@lru_cache(maxsize=16)
def _read(text: str) -> RulesFile:
    """Read a rules file's text once: the same rules are loaded by each desk that is simulated."""
    spec = RulesFile.model_validate(read_yaml(text))
    for rule in (rule for group in spec.groups for rule in group.rules):
        parse(rule.expr)
    return spec


def _group(spec: GroupSpec, file: str, default_interval: float) -> Group:
    interval = parse_duration(spec.interval) if spec.interval else default_interval
    rules = [Rule(r, parse_duration(r.hold), parse_duration(r.keep_firing_for)) for r in spec.rules]
    return Group(spec.name, file, interval, rules)


class RuleEngine:
    """Evaluates groups when they are due and says which alerts to send."""

    def __init__(self, tsdb: Tsdb, evaluator: Evaluator, groups: list[Group]) -> None:
        self.groups = groups
        self._tsdb = tsdb
        self._evaluator = evaluator

    def run_due(self, now: float) -> list[Alert]:
        """Evaluate the groups whose time has come; returns the alerts Alertmanager should get."""
        to_send: list[Alert] = []
        for group in self.groups:
            if now < group.next_at:
                continue
            group.next_at = now + group.interval
            group.last_evaluation = now
            for rule in group.rules:
                group.evaluations += 1
                group.failures += not self._run(rule, now)
                to_send += _due(rule, now, group.interval)
        return to_send

    def active(self) -> Iterator[tuple[Rule, Alert]]:
        """Yield each pending or firing alert with its rule."""
        for group in self.groups:
            for rule in group.rules:
                for alert in rule.alerts.values():
                    if alert.state != "inactive":
                        yield rule, alert

    def _run(self, rule: Rule, now: float) -> bool:
        """Evaluate one rule; returns whether it worked."""
        rule.last_evaluation = now
        at_ms = round(now * 1000)
        try:
            value = self._evaluator.instant(rule.spec.expr, at_ms)
            vector = [Sample((), value)] if isinstance(value, float) else value
            samples = [s for s in vector if isinstance(s, Sample)]
            if rule.spec.record:
                self._write(rule, {_recorded(rule.spec, s): s.value for s in samples}, at_ms)
            else:
                self._alert(rule, samples, now)
        except (PromqlError, PromqlSyntaxError) as error:
            rule.health, rule.last_error = "err", str(error)
            return False
        rule.health, rule.last_error = "ok", ""
        return True

    def _alert(self, rule: Rule, samples: Vector, now: float) -> None:
        seen: set[Labels] = set()
        for sample in samples:
            fresh = _alert_of(rule.spec, sample, now)
            key = labels_of(fresh.labels)
            if key in seen:
                raise PromqlError(
                    "vector contains metrics with the same labelset after applying alert labels"
                )
            seen.add(key)
            known = rule.alerts.get(key)
            if known is None or known.state == "inactive":
                rule.alerts[key] = fresh
            else:
                known.value, known.annotations, known.keep_firing_since = sample.value, fresh.annotations, 0.0
        for key, alert in list(rule.alerts.items()):
            _advance(rule, key, alert, now, present=key in seen)
        self._write(rule, dict(_alert_series(rule)), round(now * 1000))

    def _write(self, rule: Rule, series: Mapping[Labels, float], at_ms: int) -> None:
        """Write a rule's series, and the end of those it no longer has."""
        for labels, value in series.items():
            self._tsdb.append(labels, at_ms, value)
        for labels in rule.written - series.keys():
            self._tsdb.append(labels, at_ms, None)
        rule.written = set(series)


def _advance(rule: Rule, key: Labels, alert: Alert, now: float, *, present: bool) -> None:
    """Move one alert along its life."""
    if not present:
        if alert.state == "firing" and rule.keep_firing > 0:
            alert.keep_firing_since = alert.keep_firing_since or now
            if now - alert.keep_firing_since < rule.keep_firing:
                return
        forgotten = alert.resolved_at and now - alert.resolved_at > RESOLVED_RETENTION
        if alert.state == "pending" or forgotten:
            del rule.alerts[key]
        if alert.state != "inactive":
            alert.state, alert.resolved_at = "inactive", now
    elif alert.state == "pending" and now - alert.active_at >= rule.hold:
        alert.state, alert.fired_at = "firing", now


def _due(rule: Rule, now: float, interval: float) -> list[Alert]:
    due = [alert for alert in rule.alerts.values() if alert.needs_sending(now)]
    for alert in due:
        alert.last_sent_at = now
        alert.valid_until = now + 4 * max(RESEND_DELAY, interval)
    return due


def _alert_of(spec: RuleSpec, sample: Sample, now: float) -> Alert:
    own = {n: v for n, v in sample.labels if n != "__name__"}
    added = {name: expand(text, own, sample.value) for name, text in spec.labels.items()}
    labels = dict(labels_of({**own, **added, "alertname": spec.alert}))
    annotations = {name: expand(text, own, sample.value) for name, text in spec.annotations.items()}
    return Alert(labels=labels, annotations=annotations, value=sample.value, active_at=now, expr=spec.expr)


def _alert_series(rule: Rule) -> Iterator[tuple[Labels, float]]:
    for alert in rule.alerts.values():
        if alert.state == "inactive":
            continue
        state = {**alert.labels, "__name__": "ALERTS", "alertstate": alert.state}
        yield labels_of(state), 1.0
        yield labels_of({**alert.labels, "__name__": "ALERTS_FOR_STATE"}), float(int(alert.active_at))


def _recorded(spec: RuleSpec, sample: Sample) -> Labels:
    return labels_of({**dict(sample.labels), **spec.labels, "__name__": spec.record})


def to_alertmanager(alert: Alert, graph_url: str, external: Mapping[str, str]) -> dict[str, Any]:
    """Write an alert as `POST /api/v2/alerts` takes it; external labels give way to the alert's own."""
    ends = alert.resolved_at if alert.state == "inactive" else alert.valid_until
    return {
        "labels": {**external, **alert.labels},
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.fired_at),
        "endsAt": rfc3339(ends),
        "generatorURL": graph_url,
    }
