"""What Prometheus is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from triage.ports.sources.unread import UNREADABLE, unread_words


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one time. ``value`` may be NaN or infinite: Prometheus has them."""

    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class QueryResult:
    """An instant query's answer; ``warnings`` make it partial. ``unread``: how many of its series cannot be read."""

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One series over a range: points of (time, value), oldest first."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class RangeResult:
    """A range query's answer; ``warnings`` make it partial. ``unread``: how many of its series cannot be read."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    unread: int = 0


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
    return unread_words(rules.count(UNREADABLE_RULE), len(rules), "rules or groups of Prometheus")


@dataclass(frozen=True, slots=True)
class Target:
    """A scrape target: ``health`` up | down | unknown, ``last_scrape`` None before the first.

    Of one that cannot be read the health is ``UNREADABLE``, and its job is empty where that cannot be read either.
    """

    job: str
    instance: str
    health: str
    last_scrape: datetime | None
    last_error: str = ""

    @property
    def unread(self) -> bool:
        """It cannot be read."""
        return self.health == UNREADABLE


def unread_target(job: str = "", instance: str = "") -> Target:
    """Return what stands for a target that cannot be read, with what is known of it."""
    return Target(job, instance, UNREADABLE, None)


def unread_targets(targets: Sequence[Target]) -> str:
    """Return what to say of the targets that cannot be read; empty where all can."""
    return unread_words(sum(one.unread for one in targets), len(targets), "targets of Prometheus")


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that Prometheus' rules hold as pending or firing now.

    Of one that cannot be read the state is ``UNREADABLE``; its labels are those that can be: it may be any that has them.
    """

    labels: Mapping[str, str]
    state: str
    active_at: datetime
    value: str = ""

    @property
    def unread(self) -> bool:
        """It cannot be read."""
        return self.state == UNREADABLE


def unread_firing(labels: Mapping[str, str] | None = None) -> FiringAlert:
    """Return what stands for an alert that cannot be read: it may have begun at any time."""
    return FiringAlert(labels or {}, UNREADABLE, datetime.min.replace(tzinfo=UTC))


def unread_of_rules(alerts: Sequence[FiringAlert]) -> str:
    """Return what to say of the alerts that cannot be read; empty where all can."""
    return unread_words(sum(one.unread for one in alerts), len(alerts), "alerts that Prometheus' rules hold")


class Metrics(Protocol):
    """Asks Prometheus. Times are aware; every method raises SourceError where there is no answer.

    A query of whose answer one series cannot be read has no answer. Who takes nothing for absent that may be that series
    says ``partly``: then the others are the answer, ``unread`` counts it and the warnings say it.
    """

    async def query(self, promql: str, *, at: datetime | None = None, partly: bool = False) -> QueryResult:
        """Evaluate an instant query (a scalar answer has no labels)."""
        ...

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float, partly: bool = False
    ) -> RangeResult:
        """Evaluate a query over a range."""
        ...

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules. A rule or group that cannot be read is ``UNREADABLE_RULE``."""
        ...

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing; one that cannot be read is as ``unread_firing``."""
        ...

    async def targets(self) -> tuple[Target, ...]:
        """Return the active scrape targets; one that cannot be read is as ``unread_target``."""
        ...
