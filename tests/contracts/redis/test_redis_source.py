"""The Redis adapter against a real Redis: well, down, slow, read-only, denied, with TLS, behind a sentinel."""

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.sources.opening import open_sources
from bot.sources.redis.connection import open_redis
from bot.sources.redis.reader import GroupReader
from bot.sources.redis.url import read_sentinel_url
from demo.servers.local_server import LocalServer
from tests.fakes.sources import FakeSources
from tests.servers.process import LOOPBACK, ServerProcess, accepts, free_port, stopped_at_exit
from tests.servers.redis import RedisOptions, RedisServer, running_redis
from tests.servers.tcp import tcp_server
from triage.desk import Desk
from triage.diagnosis.checks import streams as streams_check
from triage.diagnosis.checks.base import CheckContext
from triage.errors import (
    SettingError,
    SourceBadAnswer,
    SourceDenied,
    SourceRejected,
    SourceTimeout,
    SourceTooLarge,
    SourceUnreachable,
)
from triage.model import FindingStatus
from triage.ports.sources import Sources, Streams

pytestmark = pytest.mark.slow

STREAM = "hb.audit.v1"


@asynccontextmanager
async def adapter(url: str) -> AsyncIterator[Streams]:
    """Give the adapter at a URL."""
    async with open_sources(redis_url=url) as sources:
        yield sources.streams


@pytest.fixture
async def streams(redis_server: RedisServer) -> AsyncIterator[Streams]:
    """Give the adapter of the test's Redis."""
    async with adapter(redis_server.url) as found:
        yield found


def context(streams: Streams) -> CheckContext:
    """Ask now; all other sources are fakes."""
    fakes = FakeSources()
    now = datetime.now(UTC)
    sources = Sources(
        metrics=fakes.metrics,
        logs=fakes.logs,
        alerts=fakes.alerts,
        containers=fakes.containers,
        streams=streams,
    )
    return CheckContext(
        desk=Desk(), sources=sources, now=now, since=now, bots=("bot1",), containers=("hbot-bot1",)
    )


async def test_health_in_our_words(streams: Streams) -> None:
    """Role, memory, persistence of a fresh server."""
    health = await streams.health()
    assert (health.role, health.memory_max, health.persistence_ok, health.loading) == (
        "master",
        0,
        True,
        False,
    )
    assert health.memory_used > 100_000
    assert 0 < health.ping_seconds < 1


async def test_entries_come_back_in_order_and_groups_are_described(
    streams: Streams, redis_server: RedisServer
) -> None:
    """More than one batch, both directions, and what a group has not read."""
    for n in range(130):
        await streams.add(STREAM, {"payload": str(n)}, max_length=1000)
    async with redis_server.client() as client:
        await client.xgroup_create(STREAM, "g", id="0")
        await client.xreadgroup("g", "c", {STREAM: ">"}, count=30)
    newest = await streams.newest(STREAM, count=120)
    assert [entry.fields["payload"] for entry in newest] == [str(n) for n in range(10, 130)]
    now = datetime.now(UTC)
    between = await streams.between(STREAM, start=now - timedelta(minutes=1), end=now + timedelta(seconds=1))
    assert [entry.fields["payload"] for entry in between] == [str(n) for n in range(130)]
    info = await streams.info(STREAM)
    (group,) = info.groups
    assert (info.length, info.last_id) == (130, newest[-1].id)
    assert (group.name, group.pending, group.lag, group.consumers) == ("g", 30, 100, 1)


async def test_a_stream_that_is_not_there_is_empty(streams: Streams) -> None:
    """No error: it may come with its first entry."""
    info = await streams.info("nothing")
    assert (info.length, info.last_id, info.groups) == (0, "", ())
    assert await streams.newest("nothing") == ()


async def test_bytes_that_are_no_text_are_replaced(streams: Streams, redis_server: RedisServer) -> None:
    """A producer may write anything."""
    async with redis_server.client() as client:
        await client.xadd(STREAM, {"payload": b"\xff\xfe"})
    (entry,) = await streams.newest(STREAM)
    assert entry.fields["payload"] == "\ufffd\ufffd"


async def test_entries_that_are_huge_together_are_refused(streams: Streams) -> None:
    """Nine of a megabyte are over the limit."""
    for _ in range(9):
        await streams.add(STREAM, {"payload": "x" * 1_000_000}, max_length=100)
    with pytest.raises(SourceRejected, match="larger than 8 MiB"):
        await streams.newest(STREAM)


async def test_one_entry_of_50_mb_is_not_taken_into_memory(
    streams: Streams, redis_server: RedisServer
) -> None:
    """The protocol says how large it is before it comes: it is refused there, and the next question is answered."""
    async with redis_server.client() as client:
        await client.xadd(STREAM, {"payload": "x" * 50_000_000})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        answers = await asyncio.gather(
            *(streams.newest(STREAM) for _ in range(8)), streams.health(), return_exceptions=True
        )
        assert [type(each) for each in answers[:-1]] == [SourceTooLarge] * 8
        assert all("answer too large" in str(each) for each in answers[:-1])
        assert not isinstance(answers[-1], BaseException)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB


async def test_a_group_reader_goes_on_past_an_entry_that_is_too_large(redis_server: RedisServer) -> None:
    """Those beside it are read; it is given without its text, to be kept aside, and holds nobody up."""
    client = open_redis(redis_server.url, answer_seconds=10)
    reader = GroupReader(client, STREAM, group="g", consumer="c", batch=100, block_seconds=0.1)
    try:
        await reader.open("0")
        for number in range(3):
            await client.xadd(STREAM, {"payload": f"small {number}"})
        await client.xadd(STREAM, {"payload": "x" * 20_000_000})
        await client.xadd(STREAM, {"payload": "last"})
        seen: dict[str, str | bytes | None] = {}
        for _ in range(40):
            batch = await reader.read()
            seen.update((entry.id, entry.payload) for entry in batch.entries)
            await reader.done(batch.entries)
            if len(seen) == 5:
                break
        assert list(seen.values()) == ["small 0", "small 1", "small 2", None, "last"]
    finally:
        await client.aclose()


async def test_a_key_of_another_kind_is_rejected(streams: Streams, redis_server: RedisServer) -> None:
    """WRONGTYPE is Redis' own word."""
    async with redis_server.client() as client:
        await client.set(STREAM, "x")
    with pytest.raises(SourceRejected, match="WRONGTYPE"):
        await streams.info(STREAM)


async def test_down_is_unreachable_and_up_again_answers(streams: Streams, redis_server: RedisServer) -> None:
    """A connection that died is made anew by the next question."""
    await streams.health()
    redis_server.kill()
    with pytest.raises(SourceUnreachable):
        await streams.health()
    finding = await streams_check.run(context(streams))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.headline.startswith("Redis does not answer")
    assert finding.data["reachable"] is False
    await redis_server.start()
    assert (await streams.health()).role == "master"


async def test_slow_is_a_timeout_within_three_seconds(streams: Streams, redis_server: RedisServer) -> None:
    """CLIENT PAUSE holds every command."""
    await streams.health()
    await redis_server.pause(20)
    started = time.monotonic()
    with pytest.raises(SourceTimeout, match="no answer within 3 s"):
        await streams.health()
    assert time.monotonic() - started < 3.6
    redis_server.kill()


async def test_a_server_that_accepts_and_says_nothing_times_out() -> None:
    """A half-open machine."""

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_server(silent) as port, adapter(f"redis://{LOOPBACK}:{port}/0") as streams:
        with pytest.raises(SourceTimeout):
            await streams.health()


async def test_a_server_that_is_no_redis_is_a_bad_answer() -> None:
    """HTTP on Redis' port."""

    class Web(LocalServer):
        def routes(self) -> list[object]:  # type: ignore[override] # no routes: every answer is a 400 or 404
            return []

    async with Web() as server, adapter(server.url.replace("http", "redis")) as streams:
        with pytest.raises((SourceBadAnswer, SourceUnreachable)):
            await streams.health()


async def test_a_replica_is_critical_because_it_takes_no_writes(
    streams: Streams, redis_server: RedisServer
) -> None:
    """The role is read, and a write is rejected with Redis' word."""
    await redis_server.become_replica_of(free_port())
    with pytest.raises(SourceRejected, match="read only"):
        await streams.add(STREAM, {"payload": "x"}, max_length=10)
    finding = await streams_check.run(context(streams))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.data["role"] == "slave"


async def test_the_check_counts_dead_letters_by_reason(streams: Streams) -> None:
    """An age, a rate and its reasons; what is no JSON is unreadable, not an error."""
    for n in range(30):
        reason = "schema_validation" if n % 3 else "expired_intent"
        await streams.add("hb.dead_letter.v1", {"payload": json.dumps({"reason": reason})}, max_length=100)
    await streams.add("hb.dead_letter.v1", {"payload": "{"}, max_length=100)
    await streams.add("hb.market_data.v1", {"payload": "{}"}, max_length=100)
    await asyncio.sleep(0.01)
    finding = await streams_check.run(context(streams))
    assert finding.status is FindingStatus.WARNING
    assert "31 dead letters in 1 h (limit 20)" in finding.headline
    assert finding.data["dead_letter_reasons"] == {
        "schema_validation": 20,
        "expired_intent": 10,
        "unreadable": 1,
    }
    assert finding.data["market_data_age_seconds"] < 5
    assert finding.data["audit_age_seconds"] is None


async def test_a_wrong_password_and_a_missing_right_are_denied(
    require: Callable[..., Path], tmp_path: Path
) -> None:
    """The mend names the setting; the password is not in the error."""
    options = RedisOptions(password="right-one", users={"triage": "on >secret-word ~hb.* +@all -info"})
    async with running_redis(require("redis"), tmp_path / "r", options) as server:
        for url in (server.url_as("", "wrong-one"), f"redis://{LOOPBACK}:{server.port}/0"):
            async with adapter(url) as streams:
                with pytest.raises(SourceDenied, match="check user, password and ACL of REDIS_URL") as raised:
                    await streams.health()
                assert "wrong-one" not in str(raised.value)
        async with adapter(server.url_as("triage", "secret-word")) as streams:
            assert (await streams.info(STREAM)).length == 0
            with pytest.raises(SourceDenied, match="info"):
                await streams.health()
            with pytest.raises(SourceDenied):
                await streams.info("other.stream")
        async with adapter(server.url) as streams:
            assert (await streams.health()).role == "master"


async def test_tls_with_a_certificate_of_ones_own(require: Callable[..., Path], tmp_path: Path) -> None:
    """`rediss://` verifies: with its CA it connects, without it does not."""
    async with running_redis(require("redis"), tmp_path / "r", RedisOptions(tls=True)) as server:
        async with adapter(server.url) as streams:
            assert (await streams.health()).role == "master"
        async with adapter(server.url.partition("?")[0]) as streams:
            with pytest.raises(SourceUnreachable, match=r"(?i)certificate"):
                await streams.health()


async def test_a_sentinel_names_the_master(
    require: Callable[..., Path], redis_server: RedisServer, tmp_path: Path
) -> None:
    """The first address of two is dead; the second knows."""
    port = free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind {LOOPBACK}\ndir {tmp_path}\nsentinel monitor desk {LOOPBACK} {redis_server.port} 1\n"
    )
    process = ServerProcess(
        "sentinel", [require("redis"), config, "--sentinel"], log=tmp_path / "sentinel.log"
    )
    async with stopped_at_exit(process):
        process.start()
        await process.ready(lambda: accepts(port))
        async with adapter(f"redis+sentinel://{LOOPBACK}:{free_port()},{LOOPBACK}:{port}/desk/0") as streams:
            assert (await streams.health()).role == "master"
            await streams.add(STREAM, {"payload": "x"}, max_length=10)
        async with adapter(f"redis+sentinel://{LOOPBACK}:{port}/other") as streams:
            with pytest.raises(SourceUnreachable, match="other"):
                await streams.health()


def test_a_sentinel_url_is_read_in_full() -> None:
    """User and password are the master's; the sentinels' own are in the query."""
    url = "redis+sentinel://ana:p%40ss@a:1,[::1]:2,c/desk/3?sentinel_password=s&ssl=true&ssl_ca_certs=/ca.pem"
    address = read_sentinel_url(url)
    assert address.sentinels == (("a", 1), ("::1", 2), ("c", 26379))
    assert (address.service, address.db, address.tls) == ("desk", 3, True)
    assert (address.username, address.password) == ("ana", "p@ss")
    assert (address.sentinel_username, address.sentinel_password) == (None, "s")
    assert (address.sentinel_tls, address.ca_certs) == (False, "/ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://a:1",
        "redis+sentinel:///desk",
        "redis+sentinel://a:x/desk",
        "redis+sentinel://a/desk/two",
        "redis+sentinel://a/desk?ssl=perhaps",
        "redis:///0",
        "redis://a/desk",
        "unix://",
        "http://a",
        "redis://a:b:c:d",
    ],
)
async def test_a_url_that_cannot_be_read_names_the_setting_and_the_mend(url: str) -> None:
    """At the start, not at the first question."""
    with pytest.raises(SettingError, match=r"REDIS_URL.*write redis://"):
        async with open_sources(redis_url=url):
            pass
