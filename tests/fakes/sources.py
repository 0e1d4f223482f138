"""Sources of evidence that answer what a test told them; written by hand, one class a port."""

# ruff: noqa: ARG002 - the ports name arguments that a fake need not look at

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from triage.errors import SourceBadAnswer, SourceError
from triage.ports.sources import (
    ActiveAlert,
    ContainerEvent,
    ContainerState,
    FileStat,
    FiringAlert,
    GroupInfo,
    LogLine,
    LogLines,
    Matcher,
    QueryResult,
    RangeResult,
    RedisHealth,
    RuleState,
    Sample,
    Series,
    Silence,
    Silences,
    Sources,
    StreamEntry,
    StreamInfo,
    Target,
)
from triage.ports.sources.unread import unread_words

NOW = datetime(2026, 2, 20, 3, 16, tzinfo=UTC)


def sample(value: float, /, metric: str = "", **labels: str) -> Sample:
    """Make a sample; `metric` becomes its `__name__`."""
    named = {"__name__": metric} if metric else {}
    return Sample({**named, **labels}, value, NOW)


@dataclass(slots=True)
class Failing:
    """What every fake can do: fail with an error, or never answer."""

    error: SourceError | Exception | None = None
    hangs: bool = False
    asked: list[str] = field(default_factory=list)

    async def ask(self, question: str) -> None:
        """Note the question; hang or fail if so told."""
        self.asked.append(question)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


@dataclass(slots=True)
class FakeMetrics(Failing):
    """Answers a query by the first key of `answers` that is a part of it; no key fits: no data."""

    answers: dict[str, Sequence[Sample]] = field(default_factory=dict)
    ranges: Sequence[Series] = ()
    rule_states: Sequence[RuleState] = ()
    firing: Sequence[FiringAlert] = ()
    scraped: Sequence[Target] = ()
    warnings: tuple[str, ...] = ()
    range_warnings: tuple[str, ...] = ()
    unread: dict[str, int] = field(default_factory=dict)
    """How many series cannot be read of the answers to queries that have the key in them."""

    async def query(self, promql: str, *, at: datetime | None = None, partly: bool = False) -> QueryResult:
        """Answer by the longest key that is in the query."""
        await self.ask(promql)
        fitting = [key for key in self.answers if key in promql]
        samples = tuple(self.answers[max(fitting, key=len)]) if fitting else ()
        unread, said = self._unread(promql, len(samples), partly=partly)
        return QueryResult(samples, self.warnings + said, unread)

    def _unread(self, promql: str, read: int, *, partly: bool) -> tuple[int, tuple[str, ...]]:
        unread = sum(count for key, count in self.unread.items() if key in promql)
        words = unread_words(unread, read + unread, "series")
        if words and not partly:
            raise SourceBadAnswer("Prometheus", words)
        return unread, (words,) if words else ()

    async def query_range(
        self,
        promql: str,
        *,
        start: datetime,
        end: datetime,
        step_seconds: float,
        partly: bool = False,
    ) -> RangeResult:
        """Answer `ranges`."""
        await self.ask(promql)
        unread, said = self._unread(promql, len(self.ranges), partly=partly)
        return RangeResult(tuple(self.ranges), self.warnings + self.range_warnings + said, unread)

    async def rules(self) -> tuple[RuleState, ...]:
        """Answer `rule_states`."""
        await self.ask("rules")
        return tuple(self.rule_states)

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Answer `firing`."""
        await self.ask("alerts")
        return tuple(self.firing)

    async def targets(self) -> tuple[Target, ...]:
        """Answer `scraped`."""
        await self.ask("targets")
        return tuple(self.scraped)


def _passes(line_filter: str, text: str) -> bool:
    """Apply one filter of LogQL: `|= "x"`, `!= "x"`, `|~ "x"`, `!~ "x"`."""
    operator, _, value = line_filter.partition(" ")
    wanted = json.loads(value)
    found = re.search(wanted, text) is not None if operator[1] == "~" else wanted in text
    return found == (operator[0] == "|")


@dataclass(slots=True)
class FakeLogs(Failing):
    """Holds lines and filters them as LogQL would."""

    held: list[LogLine] = field(default_factory=list)

    def add(self, text: str, *, ago: timedelta = timedelta(minutes=1), bot: str = "bot1") -> None:
        """Add a line of a bot, some time ago."""
        self.held.append(LogLine(NOW - ago, text, {"job": "bot_logs", "bot": bot}))

    def _matching(self, selector: str, contains: str, start: datetime, end: datetime) -> list[LogLine]:
        bots, *filters = re.split(r" (?=[!|][=~] )", selector)
        return sorted(
            (
                line
                for line in self.held
                if ("bot=" not in bots or re.search(rf'bot=(?:~")?[^,}}]*\b{line.labels["bot"]}\b', bots))
                and start <= line.at < end + timedelta(microseconds=1)
                and contains in line.text
                and all(_passes(each, line.text) for each in filters)
            ),
            key=lambda line: line.at,
        )

    async def counts(
        self, selector: str, *, by: str, end: datetime, window_seconds: float, kept_seconds: float = 0
    ) -> Mapping[str, int]:
        """Count by a label."""
        await self.ask(f"counts {selector}")
        found = self._matching(selector, "", end - timedelta(seconds=window_seconds), end)
        return Counter(line.labels[by] if by else "" for line in found)

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
        """Return the newest lines."""
        await self.ask(selector)
        found = self._matching(selector, contains, start, end)
        return LogLines(tuple(found[-limit:]), truncated=len(found) > limit)

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Count; None without any line."""
        await self.ask(selector)
        start = end - timedelta(seconds=window_seconds)
        if not self._matching(selector, "", start, end):
            return None
        return len(self._matching(selector, contains, start, end))

    async def ready(self) -> None:
        """Be ready unless told to fail."""
        await self.ask("ready")


@dataclass(slots=True)
class FakeAlerts(Failing):
    """An Alertmanager that remembers what was written to it."""

    held: list[ActiveAlert] = field(default_factory=list)
    written: list[Silence] = field(default_factory=list)
    fired: list[Mapping[str, str]] = field(default_factory=list)
    unread_silences: str = ""

    def hold(self, *, state: str = "active", **labels: str) -> None:
        """Hold an alert with these labels."""
        self.held.append(
            ActiveAlert(
                fingerprint="f",
                starts_at="2026-02-20T03:12:00Z",
                ends_at="",
                updated_at="",
                state=state,
                labels=labels,
                annotations={},
            )
        )

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Answer `held`."""
        await self.ask("alerts")
        return tuple(self.held)

    async def silences(self) -> Silences:
        """Answer what was written."""
        await self.ask("silences")
        return Silences(tuple(self.written), self.unread_silences)

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Remember a silence."""
        await self.ask("silence")
        name = f"silence-{len(self.written) + 1}"
        self.written.append(
            Silence(
                id=name,
                matchers=tuple(matchers),
                starts_at=start,
                ends_at=end,
                created_by=created_by,
                comment=comment,
                state="active",
            )
        )
        return name

    async def expire_silence(self, silence_id: str) -> None:
        """Forget a silence."""
        await self.ask("expire")
        self.written = [each for each in self.written if each.id != silence_id]

    async def fire(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        *,
        start: datetime,
        end: datetime,
    ) -> None:
        """Remember an alert."""
        await self.ask("fire")
        self.fired.append(labels)

    async def ready(self) -> None:
        """Be ready unless told to fail."""
        await self.ask("ready")


def container(name: str, **changes: object) -> ContainerState:
    """Make a container that has run well for three days; `changes` say otherwise."""
    since = NOW - timedelta(days=3)
    usual: dict[str, object] = {
        "name": name, "id": f"id-{name}", "status": "running", "image": "bot:1", "image_id": "sha256:1",
        "created_at": since, "started_at": since, "finished_at": None, "restart_count": 0, "exit_code": 0,
        "oom_killed": False, "health": "",
    }  # fmt: skip
    return ContainerState(**{**usual, **changes})  # type: ignore[arg-type] # the caller names fields


def event(
    action: str, name: str, *, ago: timedelta, image: str = "bot:1", code: int | None = None
) -> ContainerEvent:
    """Make a container event some time ago."""
    at = NOW - ago
    return ContainerEvent(
        action=action,
        container=name,
        container_id=f"id-{name}",
        image=image,
        at=at,
        time_ns=round(at.timestamp() * 1e9),
        exit_code=code,
    )


@dataclass(slots=True)
class FakeContainers(Failing):
    """A Docker Engine with the containers and the past that a test gives it."""

    held: dict[str, ContainerState] = field(default_factory=dict)
    past: list[ContainerEvent] = field(default_factory=list)
    code: dict[str, list[FileStat]] = field(default_factory=dict)
    written: dict[str, LogLines] = field(default_factory=dict)
    entries: Sequence[ContainerState] | None = None
    """What the list says, where that is another thing than what is held."""

    def hold(self, *states: ContainerState) -> None:
        """Hold containers."""
        self.held.update({state.name: state for state in states})

    async def inspect(self, name: str) -> ContainerState | None:
        """Answer what is held."""
        await self.ask(f"inspect {name}")
        return self.held.get(name)

    async def list(self) -> tuple[ContainerState, ...]:
        """Answer all that is held."""
        await self.ask("list")
        return tuple(self.held.values() if self.entries is None else self.entries)

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Answer the container's files below the folder."""
        await self.ask(f"files {name}")
        return tuple(each for each in self.code.get(name, []) if each.path.startswith(f"{folder}/"))

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Answer what the container wrote."""
        await self.ask(f"last_lines {name}")
        found = self.written.get(name, LogLines(()))
        return replace(found, lines=tuple(line for line in found.lines if line.at >= since))

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield the past."""
        await self.ask("events")
        for each in self.past:
            if each.at >= since:
                yield each

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Answer the past between two times."""
        await self.ask("history")
        return tuple(each for each in self.past if since <= each.at <= until)

    async def ready(self) -> None:
        """Be ready unless told to fail."""
        await self.ask("ready")


def healthy_redis(**changes: object) -> RedisHealth:
    """Make a healthy master; `changes` say otherwise."""
    usual: dict[str, object] = {
        "role": "master", "memory_used": 10_000_000, "memory_max": 0, "evicted_keys": 0, "persistence_ok": True,
        "loading": False, "ping_seconds": 0.001,
    }  # fmt: skip
    return RedisHealth(**{**usual, **changes})  # type: ignore[arg-type] # the caller names fields


@dataclass(slots=True)
class FakeStreams(Failing):
    """A Redis with the streams a test gives it."""

    state: RedisHealth = field(default_factory=healthy_redis)
    infos: dict[str, StreamInfo] = field(default_factory=dict)
    entries: dict[str, list[StreamEntry]] = field(default_factory=dict)
    added: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    async def health(self) -> RedisHealth:
        """Answer `state`."""
        await self.ask("health")
        return self.state

    async def info(self, stream: str) -> StreamInfo:
        """Answer what is known of the stream; by default it got an entry ten seconds ago, which the desk's group read."""
        await self.ask(f"info {stream}")
        newest = f"{round((NOW.timestamp() - 10) * 1000)}-0"
        group = GroupInfo(name="hb_group_v1", pending=0, lag=0, last_delivered_id=newest, consumers=1)
        return self.infos.get(stream, StreamInfo(stream, 100, newest, (group,)))

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Answer the last entries."""
        await self.ask(f"newest {stream}")
        return tuple(self.entries.get(stream, [])[-count:])

    async def between(
        self,
        stream: str,
        *,
        start: datetime,
        end: datetime,
        count: int = 1000,
    ) -> tuple[StreamEntry, ...]:
        """Answer the first entries."""
        await self.ask(f"between {stream}")
        return tuple(self.entries.get(stream, [])[:count])

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Remember an entry."""
        await self.ask(f"add {stream}")
        self.added.append((stream, fields))
        return f"{len(self.added)}-0"


@dataclass(slots=True)
class FakeSources:
    """All five, and the `Sources` made of them."""

    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    logs: FakeLogs = field(default_factory=FakeLogs)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    containers: FakeContainers = field(default_factory=FakeContainers)
    streams: FakeStreams = field(default_factory=FakeStreams)

    @property
    def port(self) -> Sources:
        """What a check is given."""
        return Sources(
            metrics=self.metrics,
            logs=self.logs,
            alerts=self.alerts,
            containers=self.containers,
            streams=self.streams,
        )
