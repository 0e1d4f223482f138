"""The listener on a Redis with sentinels, and on one behind TLS with a user of its own: as the URL says it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from bot.sources.opening import open_sources
from bot.sources.redis.connection import open_redis
from bot.store import SqlStore
from tests.handlers.listening import AUDIT, DEAD, ListenerBench, audit_event, listener_on
from tests.servers.fixtures import Require
from tests.servers.process import LOOPBACK, eventually
from tests.servers.redis import RedisOptions, running_redis
from tests.servers.redis_sentinel import SERVICE, SentinelDesk, running_sentinel
from tests.servers.tcp import tcp_server
from triage.errors import SourceDenied
from triage.model import Source

RIGHTS = "+ping +select +info +client|setname +xinfo +xrange +xrevrange +xgroup +xreadgroup +xack +xautoclaim +xadd"
"""The least that we need, as docs/signals.md has it."""


class Publisher:
    """Publishes as a desk does whose client knows the sentinels; ``kept``: what is safe on the replica."""

    def __init__(self, desk: SentinelDesk) -> None:
        self.desk, self._count = desk, 0
        self.kept: list[str] = []

    async def publish(self, *, replicas: int) -> bool:
        """Publish one event; it is kept where so many replicas have it. Returns whether it is."""
        self._count += 1
        name = f"n{self._count}"
        client = open_redis(self.desk.url)
        try:
            await client.xadd(AUDIT, {"payload": json.dumps(audit_event(name, event_id=name))})
            safe = not replicas or int(await client.wait(replicas, 2000)) >= replicas
        except RedisError:
            return False
        finally:
            await client.aclose()
        if safe:
            self.kept.append(name)
        return safe


@contextlib.asynccontextmanager
async def run_by_itself(listening: ListenerBench) -> AsyncIterator[None]:
    """Let the listener run, as it does in the service."""
    task = asyncio.create_task(listening.listener.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def categories(listening: ListenerBench) -> list[str]:
    """Return the categories of the audit events that are stored."""
    return [event.category for event in await listening.events() if event.source is Source.AUDIT]


async def test_a_promoted_replica_is_listened_to_and_nothing_is_lost_or_doubled(
    require: Require, tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """The master is killed in the middle of traffic: what the replica had, and all that follows, counts once."""
    async with (
        running_sentinel(require("redis"), tmp_path) as desk,
        listener_on(desk.replica, sqlite_store, url=desk.url) as listening,
        run_by_itself(listening),
    ):
        publisher = Publisher(desk)
        for _ in range(20):
            assert await publisher.publish(replicas=1)
        await eventually(lambda: _has(listening, publisher.kept[:5]), "the first events", within=60)
        desk.master.kill()

        async def through() -> bool:
            return await publisher.publish(replicas=0)

        await eventually(through, "an event on the promoted replica", within=90, every=0.2)
        assert await desk.told_master() == desk.replica.port
        for _ in range(20):  # a refusal in the seconds of the promotion is the publisher's to try again
            await eventually(through, "another event on the promoted replica", within=30, every=0.2)
        await eventually(lambda: _has(listening, publisher.kept), "every kept event", within=60)
        found = await categories(listening)
        assert sorted(found) == sorted(set(found)), "no event is stored twice"
        assert await listening.pending() == 0
        assert listening.listener.trouble == ""
        assert listening.listener.counts.lost == 0, "our group went over with the replica: nothing to be said"


async def _has(listening: ListenerBench, names: list[str]) -> bool:
    return set(names) <= set(await categories(listening))


async def test_a_sentinel_that_hangs_leaves_time_to_ask_the_next(
    require: Require, tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """A machine that accepts and says nothing stands first in the URL."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(silent) as mute, running_sentinel(require("redis"), tmp_path) as desk:
        url = f"redis+sentinel://{LOOPBACK}:{mute},{LOOPBACK}:{desk.sentinel_port}/{SERVICE}"
        async with listener_on(desk.master, sqlite_store, url=url) as listening, run_by_itself(listening):
            await listening.publish(audit_event("through"))
            await eventually(lambda: _has(listening, ["through"]), "the event", within=60)


async def test_an_acl_user_over_tls_with_the_rights_that_we_name_is_enough(
    require: Require, tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """Password, user, TLS and its own authority, all in the URL; with the documented rights."""
    require("openssl")
    password = "p@ss:w/rd?"  # all that must be percent-encoded
    options = RedisOptions(password="admin", tls=True, users={"triage": f"on >{password} ~hb.* {RIGHTS}"})
    async with running_redis(require("redis"), tmp_path / "redis", options) as server:
        url = server.url_as("triage", password)
        assert url.startswith("rediss://triage:p%40ss%3Aw%2Frd%3F@")
        for stream in (AUDIT, DEAD):
            async with listener_on(server, sqlite_store, stream=stream, url=url) as listening:
                await listening.read_all()
                await listening.publish(
                    audit_event("one") if stream == AUDIT else {"reason": "expired_intent", "entry_id": "1-0"}
                )
                assert await listening.read_all() == 1
                await asyncio.sleep(0.5)
                assert await listening.read_all() == 0, "claiming what a dead reader left is allowed too"
        async with open_sources(redis_url=url) as sources:
            assert (await sources.streams.health()).role == "master"
            assert (await sources.streams.info(AUDIT)).length == 1
            assert len(await sources.streams.newest(AUDIT)) == 1
            await sources.streams.add("hb.execution_intent.v1", {"payload": "{}"}, max_length=10)


async def test_a_user_whose_password_is_wrong_is_told_so(
    require: Require, tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """The listener names the setting, and shows no password."""
    options = RedisOptions(users={"triage": f"on >right ~hb.* {RIGHTS}"})
    async with (
        running_redis(require("redis"), tmp_path / "redis", options) as server,
        listener_on(server, sqlite_store, url=server.url_as("triage", "not-the-right-one")) as listening,
    ):
        with pytest.raises(SourceDenied, match="REDIS_URL") as raised:
            await listening.listener.once()
        assert "not-the-right-one" not in str(raised.value)
