"""The sources of evidence. Every method raises ``triage.errors.SourceError`` and nothing else.

Each has a time limit of its own; a caller may cancel sooner. "No data" is an empty answer, never 0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


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
class RuleState:
    """An alerting rule as Prometheus holds it: ``state`` inactive | pending | firing, ``health`` ok | err | unknown."""

    name: str
    state: str
    health: str
    last_error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


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
    """Prometheus."""

    async def query(self, promql: str, *, at: datetime | None = None) -> QueryResult:
        """Evaluate an instant query (a scalar answer has no labels)."""
        ...

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """Evaluate a query over a range."""
        ...

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules."""
        ...

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing."""
        ...

    async def targets(self) -> tuple[Target, ...]:
        """Return the active scrape targets."""
        ...


@dataclass(frozen=True, slots=True)
class LogLine:
    """One log line with its stream's labels."""

    at: datetime
    text: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LogLines:
    """Lines, oldest first. ``truncated``: there were more than the limit, the newest were kept."""

    lines: tuple[LogLine, ...]
    truncated: bool = False
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was made of them, by name: an answer that is kept for many triages is read once."""


class Logs(Protocol):
    """Loki. ``selector`` is LogQL such as ``{job="bot_logs", bot="bot1"}``; build it with ``triage.queries.logql``."""

    async def lines(
        self,
        selector: str,
        *,
        contains: str = "",
        start: datetime,
        end: datetime,
        limit: int = 5000,
        kept_seconds: float = 0,
    ) -> LogLines:
        """Return the newest lines of a range that contain a text. ``kept_seconds``: the answer may be so old."""
        ...

    async def counts(
        self, selector: str, *, by: str, end: datetime, window_seconds: float, kept_seconds: float = 0
    ) -> Mapping[str, int]:
        """Count the lines of a window by the values of a label (``by`` empty: all together, under "").

        A value whose streams hold no line is absent. ``kept_seconds``: the answer may be so old.
        """
        ...

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where the streams hold no line at all."""
        ...

    async def ready(self) -> None:
        """Return when Loki says that it is ready; raise otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert as Alertmanager holds it. ``state``: active | suppressed | unprocessed."""

    fingerprint: str
    starts_at: str
    ends_at: str
    updated_at: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str = ""
    silenced_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher of a silence."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def __str__(self) -> str:
        operator = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
        return f'{self.name}{operator[self.is_equal, self.is_regex]}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence as Alertmanager holds it. ``state``: active | pending | expired."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    state: str


class Alerts(Protocol):
    """Alertmanager."""

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return every alert it holds: active, silenced and inhibited ones."""
        ...

    async def silences(self) -> tuple[Silence, ...]:
        """Return the silences that are active or pending."""
        ...

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Write a silence and return its id."""
        ...

    async def expire_silence(self, silence_id: str) -> None:
        """End a silence now."""
        ...

    async def fire(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, start: datetime, end: datetime
    ) -> None:
        """Post an alert (a drill)."""
        ...

    async def ready(self) -> None:
        """Return when Alertmanager says that it is ready; raise otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What the Docker Engine says of a container. ``status``: running | exited | restarting | paused | created | dead.

    ``health`` is healthy | unhealthy | starting, or empty where it has no health check.
    """

    name: str
    id: str
    status: str
    image: str
    image_id: str
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    restart_count: int
    exit_code: int
    oom_killed: bool
    health: str
    error: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    long_up_seconds: float | None = None
    """In a list: about how long it has been up, where that is two hours or more and it is not unhealthy."""

    @property
    def running(self) -> bool:
        """It runs now (not paused, not between two restarts)."""
        return self.status == "running"


UNREADABLE = "unreadable"
"""The action of what stands for an event that could not be read; its attribute ``line`` is what came."""


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of the engine: ``action`` die | oom | restart | start | kill | stop | destroy | create | ….

    ``health_status`` is among them, with the health after a colon in the engine's own words.
    """

    action: str
    container: str
    container_id: str
    image: str
    at: datetime
    time_ns: int
    exit_code: int | None = None
    signal: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file inside a container: path and modification time."""

    path: str
    modified_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container gave: output is capped, ``truncated`` says so."""

    exit_code: int
    output: str
    truncated: bool = False


class Containers(Protocol):
    """The Docker Engine."""

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None when there is no container of that name."""
        ...

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container, stopped ones too (from the list API: restart counts may be 0)."""
        ...

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container, links left out; empty when there is no such folder."""
        ...

    def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield container events from ``since`` on, then live ones, until the connection breaks (raises)."""
        ...

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first (the engine remembers only its last 256 events)."""
        ...

    async def ready(self) -> None:
        """Return when the engine answers; raise otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of a Redis stream: its id (``ms-seq``) and its fields."""

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A consumer group: ``lag`` entries not yet delivered (None: unknown), ``pending`` delivered and not acknowledged."""

    name: str
    pending: int
    lag: int | None
    last_delivered_id: str
    consumers: int


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream: how many entries, the newest one's id, its groups. ``length`` 0 and no id: it does not exist."""

    name: str
    length: int
    last_id: str
    groups: tuple[GroupInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisHealth:
    """``INFO`` in our words. ``role`` master | slave; ``memory_max`` 0 means no limit (bytes)."""

    role: str
    memory_used: int
    memory_max: int
    evicted_keys: int
    persistence_ok: bool
    loading: bool
    ping_seconds: float
    info: Mapping[str, Any] = field(default_factory=dict)


class Streams(Protocol):
    """Redis: only what is asked for evidence; the reader of the audit stream is in ``handlers``."""

    async def health(self) -> RedisHealth:
        """Ping and describe the server."""
        ...

    async def info(self, stream: str) -> StreamInfo:
        """Describe one stream and its consumer groups."""
        ...

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Return the newest entries, oldest first."""
        ...

    async def between(
        self, stream: str, *, start: datetime, end: datetime, count: int = 1000
    ) -> tuple[StreamEntry, ...]:
        """Return entries of a time range, oldest first."""
        ...

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Append an entry (approximate MAXLEN) and return its id."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of evidence; one that is not configured is a stand-in that raises SourceNotConfigured."""

    metrics: Metrics
    logs: Logs
    alerts: Alerts
    containers: Containers
    streams: Streams
