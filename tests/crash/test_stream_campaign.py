"""Kills of the listener and of Redis, at random, in the middle of traffic: every event counts once.

A hundred in a campaign, thirty in the suite.
"""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio
import redis.exceptions

from bot.store import open_store
from tests.crash.scene import LONG
from tests.handlers.listening import AUDIT, audit_event
from tests.schema import with_schema
from tests.servers.fixtures import Require
from tests.servers.forked import ForkedProcess
from tests.servers.redis import RedisOptions, RedisServer, running_redis
from triage.model import Source

KILLS, OF_REDIS = (100, 20) if LONG else (30, 8)
EVENTS_A_KILL = 3
SEED = 20_260_220


class Publisher:
    """Publishes numbered events; one whose answer was lost is published again, as a careful sender does."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.number = 0
        self.again = 0
        self.stop = False
        self._another = asyncio.Event()

    async def reached(self, number: int) -> None:
        """Wait until so many events are there: on a busy machine there is traffic before each kill, too."""
        while self.number < number:
            self._another.clear()
            await self._another.wait()

    async def run(self) -> None:
        """Publish until told to stop; the last event is surely there."""
        while not self.stop:
            event = audit_event(
                "campaign",
                event_id=f"n{self.number}",
                severity=random.Random(self.number).choice(["info", "info", "warning", "error"]),  # noqa: S311
                message=f"number {self.number}",
            )
            while not await self._tried(json.dumps(event)):
                self.again += 1
                await asyncio.sleep(0.03)
            self.number += 1
            self._another.set()
            await asyncio.sleep(0.004)

    async def _tried(self, text: str) -> bool:
        try:
            async with asyncio.timeout(2), self._client() as client:
                for _ in range(
                    3
                ):  # the same event up to three times: a sender that never believes its answer
                    await client.xadd(AUDIT, {"payload": text})
                    if self.number % 10:
                        break
        except (OSError, TimeoutError, redis.exceptions.RedisError):
            return False
        return True

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[redis.asyncio.Redis]:
        async with redis.asyncio.from_url(self._server.url, decode_responses=True) as client:
            yield client


@pytest.mark.timeout(420)
async def test_every_event_is_accounted_for_exactly_once(require: Require, tmp_path: Path) -> None:
    """Kill -9 at random; afterwards every number is stored once, none is missing, none is left pending."""
    dice = random.Random(SEED)  # noqa: S311 - the same campaign each time
    database = tmp_path / "triage.db"
    with_schema(database)
    # Set for each of its starts: else a Redis whose disk is busy answers before it has written, and loses that when killed.
    careful = RedisOptions(appendfsync="always")
    async with running_redis(require("redis"), tmp_path / "redis", careful) as server:
        words = ("tests.crash.stream_child", server.url, str(database))
        child = ForkedProcess("listener", words, log=tmp_path / "listener.log", env=os.environ)
        publisher = Publisher(server)
        publishing = asyncio.create_task(publisher.run())
        kills = 0
        victims = ["redis"] * OF_REDIS + ["listener"] * (KILLS - OF_REDIS)
        dice.shuffle(victims)
        child.start()
        try:
            for victim in victims:
                # A listener needs a tenth of a second to start: some die before they read, most while they work.
                await asyncio.sleep(dice.uniform(0.01, 0.5))
                await publisher.reached(EVENTS_A_KILL * (kills + 1) + 1)
                if victim == "redis":
                    server.kill()
                    await asyncio.sleep(dice.uniform(0.0, 0.1))
                    await server.start()
                else:
                    child.kill()
                    child.start()
                kills += 1
            publisher.stop = True
            await asyncio.wait_for(publishing, 10)
            await _drained(server, database, publisher.number)
        finally:
            publishing.cancel()
            child.kill()
        async with server.client() as client:
            pending = await client.xpending(AUDIT, "hbot_triage_v1")
            entries = await client.xlen(AUDIT)
    stored = await _stored(database)
    assert kills == KILLS
    assert sorted(stored) == sorted(f"audit/n{number}" for number in range(publisher.number))
    assert pending["pending"] == 0
    assert entries > publisher.number, "some events were published more than once, on purpose"
    assert publisher.number > EVENTS_A_KILL * KILLS


async def _stored(database: Path) -> list[str]:
    """Return the key of every event that is kept, with repeats if there were any."""
    async with open_store(f"sqlite:///{database}") as store:
        rows = await store.read(
            lambda tx: tx.events._connection.exec_driver_sql(  # type: ignore[attr-defined]
                f"SELECT key, (SELECT sum(count) FROM event_counts) FROM events WHERE source = '{Source.AUDIT}'"  # noqa: S608 - our own word
            ).all()
        )
    counted = {row[1] for row in rows}
    assert counted <= {len(rows)}, "each event is counted once in the rates, too"
    return [str(row[0]) for row in rows]


async def _drained(server: RedisServer, database: Path, events: int) -> None:
    """Wait until the listener has nothing left to do."""
    async with asyncio.timeout(90), server.client() as client:
        while True:
            groups = await client.xinfo_groups(AUDIT)
            done = groups and groups[0]["lag"] == 0 and groups[0]["pending"] == 0
            if done and len(await _stored(database)) >= events:
                return
            await asyncio.sleep(0.2)
