"""The sources of evidence over the simulated world, without a network: what the adapters would bring back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from bot.sources.docker.shapes import from_event, from_inspect
from demo.desk import container_shell, docker_views
from demo.servers.am_model import fingerprint
from demo.servers.log_store import LogStore
from demo.servers.logql import parse
from demo.servers.logql_tree import LogQuery
from demo.servers.promql_values import PromqlError, PromqlSyntaxError
from demo.servers.promql_values import Sample as Point
from triage.errors import (
    SourceBadAnswer,
    SourceError,
    SourceNotConfigured,
    SourceRejected,
    SourceTimeout,
    SourceUnreachable,
)
from triage.model import utc
from triage.ports.sources import (
    ActiveAlert,
    Answer,
    ContainerEvent,
    ContainerState,
    ExecResult,
    FileStat,
    FiringAlert,
    GroupInfo,
    LogLine,
    LogLines,
    RedisHealth,
    RuleState,
    Sample,
    Series,
    Silence,
    Sources,
    StreamEntry,
    StreamInfo,
    Target,
)

if TYPE_CHECKING:
    from demo.lab.bus import LabBus
    from demo.lab.prometheus import LabPrometheus
    from demo.servers.rules import Alert

from demo.desk.world import World
from demo.lab.bus import GROUP

NAMES = ("prometheus", "loki", "docker", "redis", "alertmanager")


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def answering(world: World, service: str, name: str) -> None:
    """Raise SourceError where a service cannot answer: it is gone, or it hangs."""
    container = world.engine.of_service(service)
    if container is None or not container.alive:
        raise SourceUnreachable(name, "Connection refused")
    if not container.working:
        raise SourceTimeout(name, "no answer within 4 s")


@dataclass(slots=True)
class LabMetrics:
    """Prometheus."""

    world: World
    prometheus: LabPrometheus

    async def query(self, promql: str, *, at: datetime | None = None) -> Answer:
        """Evaluate an instant query."""
        answering(self.world, "prometheus", "Prometheus")
        moment = at or utc(self.world.clock.now())
        try:
            value = self.prometheus.evaluator.instant(promql, _ms(moment))
        except (PromqlError, PromqlSyntaxError) as error:
            raise SourceRejected("Prometheus", str(error)) from error
        if isinstance(value, float):
            return Answer((Sample({}, value, moment),))
        found = [each for each in value if isinstance(each, Point)]
        return Answer(tuple(Sample(dict(each.labels), each.value, moment) for each in found))

    async def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """Evaluate a query over a range."""
        answering(self.world, "prometheus", "Prometheus")
        found = self.prometheus.evaluator.series(promql, _ms(start), _ms(end), round(step_seconds * 1000))
        return tuple(
            Series(dict(labels), tuple((utc(at / 1000), value) for at, value in points))
            for labels, points in found.items()
        )

    async def rules(self) -> tuple[RuleState, ...]:
        """Return all alerting rules."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            RuleState(rule.spec.alert, rule.state, rule.health, rule.last_error, rule.spec.labels)
            for group in self.prometheus.engine.groups
            for rule in group.rules
        )

    async def alerts(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that rules hold as pending or firing now."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            FiringAlert(alert.labels, alert.state, utc(alert.active_at), str(alert.value))
            for _, alert in self.prometheus.engine.active()
        )

    async def targets(self) -> tuple[Target, ...]:
        """Return the scrape targets."""
        answering(self.world, "prometheus", "Prometheus")
        return tuple(
            Target(
                one.job,
                one.instance,
                one.health,
                utc(one.last_scrape) if one.last_scrape else None,
                one.last_error,
            )
            for one in self.prometheus.scraper.targets
        )


@dataclass(slots=True)
class LabLogs:
    """Loki."""

    world: World
    store: LogStore

    async def lines(
        self, selector: str, *, contains: str = "", start: datetime, end: datetime, limit: int = 5000
    ) -> LogLines:
        """Return the newest lines of a range that contain a text."""
        answering(self.world, "loki", "Loki")
        first, last = round(start.timestamp() * 1e9), round(end.timestamp() * 1e9) + 1
        found = [
            LogLine(utc(ns / 1e9), text, dict(labels))
            for labels, entries in self.store.select(_query(selector), first, last).items()
            for ns, text in entries
            if contains in text
        ]
        found.sort(key=lambda each: each.at)
        return LogLines(tuple(found[-limit:]), truncated=len(found) > limit)

    async def count(
        self, selector: str, *, contains: str = "", end: datetime, window_seconds: float
    ) -> int | None:
        """Return how many lines of the window contain a text; None where there is no line at all."""
        answering(self.world, "loki", "Loki")
        last = round(end.timestamp() * 1e9) + 1
        found = self.store.select(_query(selector), last - round(window_seconds * 1e9), last)
        if not found:
            return None
        return sum(contains in text for entries in found.values() for _, text in entries)

    async def ready(self) -> None:
        """Raise where it does not answer."""
        answering(self.world, "loki", "Loki")


def _query(selector: str) -> LogQuery:
    query = parse(selector)
    if not isinstance(query, LogQuery):
        raise SourceRejected("Loki", f"{selector} selects no lines")
    return query


@dataclass(slots=True)
class LabContainers:
    """The Docker Engine."""

    world: World

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None where there is none."""
        container = self.world.engine.find(name)
        return (
            from_inspect(docker_views.inspected(container, self.world.engine))
            if container is not None
            else None
        )

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container."""
        engine = self.world.engine
        return tuple(from_inspect(docker_views.inspected(one, engine)) for one in engine.containers.values())

    async def exec(self, name: str, command: Sequence[str], *, timeout_seconds: float = 30) -> ExecResult:
        """Run a command in a container."""
        del timeout_seconds
        container = self.world.engine.find(name)
        if container is None or not container.running:
            raise SourceRejected("Docker", f"container {name} is not running")
        ran = container_shell.run(self.world, container, command)
        return ExecResult(ran.exit_code, ran.out + ran.err)

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container."""
        container = self.world.engine.find(name)
        if container is None:
            raise SourceBadAnswer("Docker", f"no container {name}")
        place = self.world.layout.container_path(container.spec.name, folder)
        return (
            tuple(_stat(path, place, folder) for path in sorted(place.rglob("*")) if path.is_file())
            if place
            else ()
        )

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield the events from ``since`` on that there are."""
        for event in await self.history(since=since, until=utc(self.world.clock.now())):
            yield event

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first."""
        first, last = since.timestamp(), until.timestamp()
        told = (each for each in list(self.world.engine.events)[-256:] if first <= each.at <= last)
        read = (from_event(docker_views.event(each)) for each in told)
        return tuple(each for each in read if each is not None)

    async def ready(self) -> None:
        """Answer."""


def _stat(path: Path, place: Path, folder: str) -> FileStat:
    about = path.stat()
    modified = datetime.fromtimestamp(int(about.st_mtime), UTC)
    return FileStat(f"{folder}/{path.relative_to(place)}", modified, about.st_size)


@dataclass(slots=True)
class LabStreams:
    """Redis."""

    world: World
    bus: LabBus

    def _answering(self) -> None:
        answering(self.world, "redis", "Redis")
        if not self.world.redis.serving:
            raise SourceUnreachable("Redis", "Connection refused")

    async def health(self) -> RedisHealth:
        """Describe the server."""
        self._answering()
        redis = self.world.redis
        info: dict[str, Any] = {
            "maxmemory_policy": "allkeys-lru" if redis.evicts else "noeviction",
            "aof_last_write_status": "err" if redis.refuses_writes == "disk" else "ok",
            "rdb_last_bgsave_status": "ok" if redis.saves else "err",
        }
        return RedisHealth(
            role="slave" if redis.refuses_writes == "replica" else "master",
            memory_used=redis.memory_used,
            memory_max=redis.memory_max,
            evicted_keys=redis.evicted,
            persistence_ok=redis.saves,
            loading=False,
            ping_seconds=redis.answers_in,
            info=info,
        )

    async def info(self, stream: str) -> StreamInfo:
        """Describe one stream."""
        self._answering()
        entries = self.bus.entries.get(stream, [])
        last = entries[-1].id if entries else ""
        lag = self.bus.lag(stream)
        group = GroupInfo(GROUP, 0, lag, last if not lag else "0-0", 1)
        return StreamInfo(stream, len(entries), last, (group,) if self.bus.has_group(stream) else ())

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Return the newest entries, oldest first."""
        self._answering()
        return tuple(
            StreamEntry(each.id, {"payload": each.payload})
            for each in self.bus.entries.get(stream, [])[-count:]
        )

    async def between(
        self, stream: str, *, start: datetime, end: datetime, count: int = 1000
    ) -> tuple[StreamEntry, ...]:
        """Return entries of a time range, oldest first."""
        self._answering()
        first, last = start.timestamp(), end.timestamp()
        found = [each for each in self.bus.entries.get(stream, []) if first <= each.at <= last]
        return tuple(StreamEntry(each.id, {"payload": each.payload}) for each in found[:count])

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Refuse: a triage writes nothing."""
        raise SourceRejected(
            "Redis", f"the lab writes nothing to {stream}: {len(fields)} fields, {max_length}"
        )


def active(alert: Alert, now: float) -> ActiveAlert:
    """Return a firing alert as Alertmanager holds it."""
    stamp = docker_views.rfc3339
    return ActiveAlert(
        fingerprint(alert.labels),
        stamp(alert.fired_at),
        stamp(now + 240),
        stamp(now),
        "active",
        alert.labels,
        alert.annotations,
    )


@dataclass(slots=True)
class LabAlerts:
    """Alertmanager: what Prometheus told it, and what others did."""

    world: World
    held: Sequence[ActiveAlert]

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return the alerts it holds."""
        answering(self.world, "alertmanager", "Alertmanager")
        return tuple(self.held)

    async def silences(self) -> tuple[Silence, ...]:
        """Return no silence: nobody silences anything in the lab."""
        answering(self.world, "alertmanager", "Alertmanager")
        return ()

    async def silence(self, *_: object, **__: object) -> str:
        """Refuse: a triage writes nothing."""
        raise SourceRejected("Alertmanager", "the lab writes nothing")

    async def expire_silence(self, silence_id: str) -> None:
        """Refuse: a triage writes nothing."""
        raise SourceRejected("Alertmanager", f"the lab writes nothing: {silence_id}")

    async def fire(self, *_: object, **__: object) -> None:
        """Refuse: a triage writes nothing."""
        raise SourceRejected("Alertmanager", "the lab writes nothing")

    async def ready(self) -> None:
        """Raise where it does not answer."""
        answering(self.world, "alertmanager", "Alertmanager")


@dataclass(frozen=True, slots=True)
class Away:
    """A source that cannot be reached from where we are, whatever it is asked."""

    source: str
    configured: bool = True

    def __getattr__(self, question: str) -> Any:  # noqa: ANN401 - it stands for any source
        async def refuse(*_: object, **__: object) -> Never:
            raise self.error

        return refuse

    @property
    def error(self) -> SourceError:
        """What it raises."""
        if not self.configured:
            return SourceNotConfigured(self.source)
        return SourceTimeout(self.source, "no answer within 4 s")


def sources(
    world: World,
    prometheus: LabPrometheus,
    logs: LogStore,
    bus: LabBus,
    held: Sequence[ActiveAlert],
    *,
    missing: str = "",
) -> Sources:
    """Return all sources; ``missing`` is one of ``NAMES`` that cannot be reached."""
    found: dict[str, object] = {
        "prometheus": LabMetrics(world, prometheus),
        "loki": LabLogs(world, logs),
        "docker": LabContainers(world),
        "redis": LabStreams(world, bus),
        "alertmanager": LabAlerts(world, held),
    }
    if missing:
        found[missing] = Away(missing.capitalize(), configured=round(world.clock.now()) % 2 == 0)
    made: Any = found
    return Sources(
        metrics=made["prometheus"],
        logs=made["loki"],
        alerts=made["alertmanager"],
        containers=made["docker"],
        streams=made["redis"],
    )
