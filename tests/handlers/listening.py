"""Listeners on a real Redis and a real store, and the words that the desk publishes."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from bot.sources.redis.connection import open_redis
from bot.sources.redis.reader import GroupReader
from bot.store import SqlStore
from handlers.audit import KeepAudit
from handlers.dead_letters import KeepDeadLetters
from handlers.streams import StreamListener
from tests.servers.redis import RedisServer
from tests.triage.incidents.desk_story import title_of
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.desk_sections.streams import StreamSettings
from triage.incidents.intake import Intake
from triage.model import Incident, TimelineEntry
from triage.ports.clock import SystemClock
from triage.ports.store import Tx
from triage.signals.audit import read_audits
from triage.signals.dead_letters import read_dead_letters

QUICK = Desk(streams=StreamSettings(claim_idle_seconds=0.2))
AUDIT, DEAD = QUICK.streams.audit, QUICK.streams.dead_letter


def audit_event(category: str = "intent_applied", **changes: object) -> dict[str, Any]:
    """Return an audit event as the desk publishes it; a key that is set to None is left out."""
    event = {
        "schema_version": "1.0",
        "event_type": "audit",
        "event_id": str(uuid.uuid4()),
        "correlation_id": None,
        "producer": "hummingbot",
        "timestamp_ms": int(time.time() * 1000),
        "instance_name": "bot1",
        "severity": "info",
        "category": category,
        "message": f"{category} of bot1",
        "metadata": {},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


@dataclass
class ListenerBench:
    """A listener with what it needs, and the verbs of its tests."""

    listener: StreamListener
    store: SqlStore
    redis: redis.asyncio.Redis
    desk: Desk
    rang: list[bool] = field(default_factory=list)

    @property
    def stream(self) -> str:
        """The stream it reads."""
        return self.listener.reader.stream

    async def publish(self, *events: Mapping[str, Any] | str) -> list[str]:
        """Publish payloads; returns their entry ids."""
        texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
        return [str(await self.redis.xadd(self.stream, {"payload": text})) for text in texts]

    async def read_all(self, *, rounds: int = 20) -> int:
        """Read until there is nothing more; returns how many entries came."""
        read = 0
        for _ in range(rounds):
            count = await self.listener.once()
            read += count
            if not count:
                break
        return read

    async def sort(self) -> list[Incident]:
        """Sort the inbox; returns every incident there is."""
        intake = Intake(self.desk, lambda signal: title_of(self.desk, signal))
        now = self.listener.clock.now()

        def work(tx: Tx) -> list[Incident]:
            while intake.sort_inbox(tx, now).more:
                pass
            return tx.incidents.recent(now.replace(year=2000), limit=10_000)

        return await self.store.write(work)

    async def events(self) -> list[DeskEvent]:
        """Return what is stored, oldest first."""
        now = self.listener.clock.now()
        return await self.store.read(
            lambda tx: tx.events.of((), since=now.replace(year=2000), until=now, limit=10**6)
        )

    async def timeline(self, incident_id: int = 1) -> list[TimelineEntry]:
        """Return an incident's timeline."""
        return await self.store.read(lambda tx: tx.timeline.of(incident_id))

    async def pending(self) -> int:
        """Return how many entries our group has read and not acknowledged."""
        about = await self.redis.xpending(self.stream, self.desk.streams.group)
        return int(about["pending"])


@asynccontextmanager
async def listener_on(
    server: RedisServer,
    store: SqlStore,
    *,
    desk: Desk = QUICK,
    stream: str = AUDIT,
    consumer: str = "test-1",
    url: str = "",
    batch: int = 500,
) -> AsyncIterator[ListenerBench]:
    """Make a listener on a stream; nothing is read yet."""
    dead = stream == desk.streams.dead_letter
    client = open_redis(url or server.url)
    rang: list[bool] = []
    reader = GroupReader(
        client,
        stream,
        group=desk.streams.group,
        consumer=consumer,
        batch=batch,
        claim_idle_seconds=desk.streams.claim_idle_seconds,
        block_seconds=0.05,
    )
    listener = StreamListener(
        reader=reader,
        store=store,
        desk=desk,
        clock=SystemClock(),
        read=read_dead_letters if dead else read_audits,
        keep=KeepDeadLetters(desk) if dead else KeepAudit(desk),
        stored=lambda: rang.append(True),
    )
    try:
        async with server.client() as admin:
            yield ListenerBench(listener=listener, store=store, redis=admin, desk=desk, rang=rang)
    finally:
        await client.aclose()
