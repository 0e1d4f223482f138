"""What Prometheus is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from triage.ports.sources.containers import UNREADABLE


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one time. ``value`` may be NaN or infinite: Prometheus has them."""

    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class QueryResult:
    """An instant query's answer; ``warnings`` make it partial."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One series over a range: points of (time, value), oldest first."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class RangeResult:
    """A range query's answer; ``warnings`` make it partial."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleState:
    """An alerting rule as Prometheus holds it: ``state`` inactive | pending | firing, ``health`` ok | err | unknown.

    ``labels``: those that it gives its alerts; ``query``: its expression.
    """

    name: str
    state: str
    health: str
    last_error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    query: str = ""


UNREADABLE_RULE = RuleState(name="", state=UNREADABLE, health=UNREADABLE)


def unread_rules(rules: Sequence[RuleState]) -> str:
    """Return what to say of the rules that cannot be read; empty where all can."""
    unread = rules.count(UNREADABLE_RULE)
    return f"{unread} of the {len(rules)} rules or groups of Prometheus cannot be read" if unread else ""


@dataclass(frozen=True, slots=True)
class Target:
    """A scrape target: ``health`` up | down | unknown, ``last_scrape`` None before the first."""

    job: str
    instance: str
    health: str
    last_scrape: datetime | None
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that Prometheus' rules hold as pending or firing now."""

    labels: Mapping[str, str]
    state: str
    active_at: datetime
    value: str = ""


class Metrics(Protocol):
    """Asks Prometheus. Times are aware; every method raises SourceError where there is no answer."""

    async def query(self, promql: str, *, at: datetime | None = None) -> QueryResult:
        """Evaluate an instant query (a scalar answer has no labels)."""
        ...

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> RangeResult:
        """Evaluate a query over a range."""
        ...

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules. A rule or group that cannot be read is ``UNREADABLE_RULE``."""
        ...

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing."""
        ...

    async def targets(self) -> tuple[Target, ...]:
        """Return the active scrape targets."""
        ...
