"""The listeners, wired: readers, loops and jobs for what the desk says and for our own silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from loguru import logger

from bot import heartbeat_ping
from bot.agent.client import Wire
from bot.agent.remote_desk import RemoteEnv
from bot.liveness import Liveness, lasting
from bot.settings import Settings
from bot.store.unit_queue import ALERT_SECONDS
from bot.watched_reads import FOLDERS
from handlers.audit import KeepAudit
from handlers.containers import ContainerListener
from handlers.dead_letters import KeepDeadLetters
from handlers.health import Dependency
from handlers.streams import KeepEvents, ReadEntries, StreamListener
from schedules.changes import EnvWatch
from schedules.compose_changes import ComposeWatch
from schedules.log_flow import LogFlowWatch
from schedules.streams_health import RedisWatch, StreamsWatch
from schedules.table import Job
from schedules.watchdog import Deadman, Heartbeat, SelfWatch, SourceProbe
from triage.memory.believed_clock import BelievedClock
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Store
from triage.signals.audit import read_audits
from triage.signals.dead_letters import read_dead_letters

BATCH = 500
"""Entries in one commit: bounds how long a webhook waits behind a flood of events."""
HEARTBEAT_SECONDS = 60.0
EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing is older: while the clock is not believed, events go by their number alone."""
STUCK_SECONDS = 90.0
"""A listener that has not gone round for this long is stuck: each question and each commit of a round has a limit."""
CONTAINERS, REDIS = "containers", "redis"
_JOB = "job:"

Dependencies = Callable[[], Awaitable[Mapping[str, Dependency]]]


@dataclass(frozen=True, slots=True)
class ListenerDependencies:
    """What the service lends: who it is, how it wakes its loops, how it knows that it is well."""

    store: Store
    sources: Sources
    clock: Clock
    believed: BelievedClock
    liveness: Liveness
    owner: str
    stored: Callable[[], None]
    dependencies: Dependencies


class ListenerWiring:
    """All listeners. ``troubles`` says what cannot be read, for ``/readyz``."""

    def __init__(self, settings: Settings, parts: ListenerDependencies) -> None:
        self.settings, self.desk, self.parts = settings, settings.desk, parts
        common = (parts.store, self.desk)
        self._alerted_at = float("-inf")
        self._redis_url = settings.redis_url.get_secret_value()
        self._clients = AsyncExitStack()
        self.streams = self._listeners() if self._redis_url else []
        self.containers = ContainerListener(
            parts.sources.containers, *common, parts.clock, parts.stored, beat=self._beat(CONTAINERS)
        )
        self.redis = RedisWatch(*common, parts.sources, parts.clock, parts.stored)
        self.flow = StreamsWatch(*common, parts.sources, parts.clock, parts.stored)
        self.logs = LogFlowWatch(*common, parts.sources, parts.clock, parts.stored)
        through = RemoteEnv(Wire(settings.triage_agent)) if settings.triage_agent else None
        self.env = EnvWatch(*common, parts.clock, parts.stored, FOLDERS, agent=through)
        self.compose = ComposeWatch(*common, parts.clock, parts.stored, FOLDERS)
        self.deadman = Deadman(*common, parts.sources, parts.clock, parts.stored, started=parts.clock.now())
        self.probe = SourceProbe(parts.sources)
        self.heartbeat = Heartbeat(parts.clock, self._healthy, self._ping())
        self.watch = SelfWatch(*common, parts.clock, self._own_troubles, parts.stored)
        self._jobs = self._make_jobs()

    def _listeners(self) -> list[StreamListener]:
        names = self.desk.streams
        return [
            self._listener(names.audit, read_audits, KeepAudit(self.desk)),
            self._listener(names.dead_letter, read_dead_letters, KeepDeadLetters(self.desk)),
        ]

    def _listener(self, stream: str, read: ReadEntries, keep: KeepEvents) -> StreamListener:
        # redis-py takes 6 MB of memory: a desk without Redis does not load it.
        from bot.sources.redis.connection import ANSWER_SECONDS, open_redis  # noqa: PLC0415 - as said
        from bot.sources.redis.reader import BLOCK_SECONDS, GroupReader  # noqa: PLC0415 - as said

        parts, names = self.parts, self.desk.streams
        # A connection of its own: a read blocks on the server while it waits.
        client = open_redis(self._redis_url, answer_seconds=ANSWER_SECONDS + BLOCK_SECONDS)
        self._clients.push_async_callback(client.aclose)
        reader = GroupReader(
            client,
            stream,
            group=names.group,
            consumer=parts.owner,
            batch=BATCH,
            claim_idle_seconds=names.claim_idle_seconds,
        )
        return StreamListener(
            reader=reader,
            store=parts.store,
            desk=self.desk,
            clock=parts.clock,
            read=read,
            keep=keep,
            stored=parts.stored,
            beat=self._beat(stream),
            give_way=self._give_way,
        )

    def _beat(self, name: str) -> Callable[[], None]:
        return lambda: self.parts.liveness.beat(name)

    def alerted(self) -> None:
        """An alert came: the stream listeners pause for a moment, so that it is handled first."""
        self._alerted_at = self.parts.clock.monotonic()

    def _give_way(self) -> float:
        return max(0.0, self._alerted_at + ALERT_SECONDS - self.parts.clock.monotonic())

    async def run(self) -> None:
        """Listen until cancelled."""
        self._expect_all()
        liveness = self.parts.liveness
        async with self._clients, asyncio.TaskGroup() as group:
            for listener in self.streams:
                group.create_task(lasting(listener.reader.stream, listener.run, liveness))
            group.create_task(lasting(CONTAINERS, self.containers.run, liveness))
            group.create_task(lasting(REDIS, self._watch_redis, liveness))

    def _expect_all(self) -> None:
        """From now on each must go round; what is not configured ends at once and is not waited for."""
        liveness = self.parts.liveness
        for listener in self.streams:
            liveness.watch(listener.reader.stream, STUCK_SECONDS)
        if self.settings.docker_host or self.settings.triage_agent:
            liveness.watch(CONTAINERS, STUCK_SECONDS)
        if self._redis_url:
            liveness.watch(REDIS, STUCK_SECONDS)

    def expect(self, jobs: Iterable[Job]) -> None:
        """Notice those of the service's jobs that are not done any more. A cron job has no rhythm to miss."""
        for job in jobs:
            if not job.cron:
                self.parts.liveness.watch(f"{_JOB}{job.name}", 3 * job.seconds + HEARTBEAT_SECONDS)

    async def _watch_redis(self) -> None:
        while await self.redis.run():
            self.parts.liveness.beat(REDIS)
            await asyncio.sleep(self.desk.listening.redis_look_seconds)

    def jobs(self) -> list[Job]:
        """Return what the clock starts."""
        return self._jobs

    def _make_jobs(self) -> list[Job]:
        return [
            Job("streams", self.flow.run, seconds=30, at_start=True),
            Job("log lines", self.logs.run, seconds=60),
            Job("env", self.env.run, seconds=10, at_start=True),
            Job("compose file", self.compose.run, seconds=30, at_start=True),
            Job("watchdog", self.deadman.run, seconds=15),
            Job("sources", self.probe.run, seconds=60, at_start=True),
            Job("own troubles", self.watch.run, seconds=15),
            Job("heartbeat", self.heartbeat.beat, seconds=15, at_start=True),
            Job("heartbeat sent", self.heartbeat.send, seconds=HEARTBEAT_SECONDS, at_start=True),
            Job("retention", self.forget, seconds=300),
        ]

    async def forget(self) -> int:
        """Drop events that are too old or too many, a portion a commit so that nobody waits long."""
        policy, dropped = self.desk.listening, 0
        now = await self.parts.believed.now()
        before = EVER if now is None else now - timedelta(days=policy.keep_days)
        while gone := await self.parts.store.write(
            lambda tx: tx.events.forget(before=before, keep=policy.keep_events)
        ):
            dropped += gone
            await asyncio.sleep(0.05)
        if dropped:
            logger.info("dropped {n} events past their time", n=dropped)
        return dropped

    def troubles(self) -> dict[str, str]:
        """Return what cannot be read, and why, by name; empty texts are well."""
        trouble = self.parts.liveness.trouble
        found = {
            listener.reader.stream: trouble(listener.reader.stream) or listener.trouble or listener.aside
            for listener in self.streams
        }
        found["containers"] = trouble(CONTAINERS) or self.containers.trouble or self.containers.aside
        found["streams"] = self.flow.unseen
        found["redis user"] = self.redis.trouble
        found["redis watch"] = trouble(REDIS)
        found["heartbeat"] = self.heartbeat.trouble
        found["jobs"] = "; ".join(filter(None, (self._stuck_jobs(), self._failed_jobs())))
        return {**found, **self.probe.troubles}

    def _stuck_jobs(self) -> str:
        liveness = self.parts.liveness
        stuck = [
            name.removeprefix(_JOB)
            for name in liveness.limits
            if name.startswith(_JOB) and liveness.stuck(name)
        ]
        return f"not done for long: {', '.join(stuck)}" if stuck else ""

    def _failed_jobs(self) -> str:
        liveness = self.parts.liveness
        failing = [
            f"{name.removeprefix(_JOB)} ({why})"
            for name in liveness.faults
            if name.startswith(_JOB) and (why := liveness.failing(name))
        ]
        return f"failed: {', '.join(failing)}" if failing else ""

    async def _own_troubles(self) -> dict[str, str]:
        found = {name: each.why for name, each in (await self.parts.dependencies()).items() if not each.ok}
        if self.redis.steady.standing:
            # That Redis is down has an incident of its own; that we cannot read it then goes without saying.
            for listener in self.streams:
                if not self.parts.liveness.stuck(listener.reader.stream):
                    found.pop(listener.reader.stream, None)
        return found

    async def _healthy(self) -> bool:
        dependencies = await self.parts.dependencies()
        return all(each.ok for each in dependencies.values() if each.needed)

    def _ping(self) -> Callable[[], Awaitable[None]] | None:
        url = self.settings.triage_heartbeat_url
        if not url:
            return None
        client = heartbeat_ping.open_client()
        self._clients.push_async_callback(client.aclose)
        return partial(heartbeat_ping.ping, client, url)
