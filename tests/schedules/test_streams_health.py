"""Redis watched: down, slow, read-only, full; told once it is sure, resolved when it is well, across restarts."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from redis.exceptions import OutOfMemoryError

from bot.store import SqlStore
from schedules.streams_health import RedisWatch, StreamsWatch
from tests.fakes.clock import ManualClock
from tests.fakes.sources import NOW, FakeSources, FakeStreams, healthy_redis, sample
from tests.servers.fixtures import Require
from tests.servers.redis import RedisOptions, RedisServer, running_redis
from tests.stores import stored_signals
from triage.desk import Desk
from triage.errors import SourceDenied, SourceUnreachable
from triage.ports.sources import GroupInfo, StreamInfo

DESK, HOUR = Desk(), timedelta(hours=1)


def watch_on(store: SqlStore, fakes: FakeSources, clock: ManualClock) -> RedisWatch:
    """Make a watch as after a start."""
    return RedisWatch(store=store, desk=DESK, sources=fakes.port, clock=clock, stored=lambda: None)


async def test_a_blip_is_nothing_and_two_looks_are_an_outage(sqlite_store: SqlStore) -> None:
    """One bad look may be anything; two in a row are told, once; two good ones end it."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    watch = watch_on(sqlite_store, fakes, clock)
    for answers in (True, False, True, False, False, False, True, True, True):
        fakes.streams.error = None if answers else SourceUnreachable("Redis", "Connection refused")
        clock.move(2)
        await watch.run()
    assert await stored_signals(sqlite_store) == [("RedisDown", "firing"), ("RedisDown", "resolved")]


async def test_an_outage_outlives_our_own_restart(sqlite_store: SqlStore) -> None:
    """The next process neither tells it again nor takes its first look for the end of it."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    fakes.streams.error = SourceUnreachable("Redis", "Connection refused")
    for watch in (watch_on(sqlite_store, fakes, clock), watch_on(sqlite_store, fakes, clock)):
        for _ in range(3):
            clock.move(2)
            await watch.run()
    assert await stored_signals(sqlite_store) == [("RedisDown", "firing")]
    fakes.streams.error = None
    later = watch_on(sqlite_store, fakes, clock)
    for _ in range(3):
        clock.move(2)
        await later.run()
    assert await stored_signals(sqlite_store) == [("RedisDown", "firing"), ("RedisDown", "resolved")]


async def test_a_refused_user_is_our_trouble_and_no_outage(sqlite_store: SqlStore) -> None:
    """Redis answers; it does not let us in."""
    fakes = FakeSources()
    fakes.streams.error = SourceDenied("Redis", "WRONGPASS")
    watch = watch_on(sqlite_store, fakes, ManualClock(NOW))
    for _ in range(3):
        await watch.run()
    assert await stored_signals(sqlite_store) == []
    assert "WRONGPASS" in watch.trouble


@pytest.mark.parametrize(
    ("health", "name"),
    [
        ({"role": "slave"}, "RedisReadOnly"),
        ({"memory_max": 100, "memory_used": 101}, "RedisReadOnly"),
        ({"ping_seconds": 0.9}, "RedisSlow"),
        ({"persistence_ok": False}, "RedisNotSaving"),
        ({"loading": True}, "RedisDown"),
    ],
)
async def test_each_illness_has_its_name(
    health: dict[str, object], name: str, sqlite_store: SqlStore
) -> None:
    """As Redis tells it of itself."""
    fakes = FakeSources()
    fakes.streams.state = healthy_redis(**health)
    watch = watch_on(sqlite_store, fakes, ManualClock(NOW))
    for _ in range(2):
        await watch.run()
    assert await stored_signals(sqlite_store) == [(name, "firing")]


async def test_dropped_keys_are_told_while_they_are_dropped(sqlite_store: SqlStore) -> None:
    """The count since the start says nothing; that it grows does."""
    fakes = FakeSources()
    watch = watch_on(sqlite_store, fakes, ManualClock(NOW))
    for evicted in (500, 500, 501, 502, 502, 502):
        fakes.streams.state = healthy_redis(evicted_keys=evicted)
        await watch.run()
    assert await stored_signals(sqlite_store) == [("RedisEvicting", "firing"), ("RedisEvicting", "resolved")]


async def test_a_real_redis_killed_paused_and_made_a_replica_is_seen_in_time(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """Each within two looks, which together take less than ten seconds."""
    from bot.sources.opening import open_sources  # noqa: PLC0415 - this test alone has a real source
    from triage.ports.clock import SystemClock  # noqa: PLC0415 - as above

    async with open_sources(redis_url=redis_server.url) as sources:
        watch = RedisWatch(
            store=sqlite_store, desk=DESK, sources=sources, clock=SystemClock(), stored=lambda: None
        )

        async def looks() -> list[str]:
            for _ in range(2):
                await watch.run()
            return sorted(watch.steady.standing)

        assert await looks() == []
        redis_server.kill()
        assert await looks() == ["RedisDown"]
        await redis_server.start()
        assert await looks() == []
        await redis_server.become_replica_of(1)
        assert await looks() == ["RedisReadOnly"]
        await redis_server.become_replica_of(None)
        assert await looks() == []
        await redis_server.pause(5)
        assert await looks() == ["RedisDown"]


async def test_a_real_redis_without_memory_is_read_only(
    require: Require, tmp_path: object, sqlite_store: SqlStore
) -> None:
    """Full, and told not to drop anything: writes fail."""
    from bot.sources.opening import open_sources  # noqa: PLC0415 - as above
    from triage.ports.clock import SystemClock  # noqa: PLC0415 - as above

    options = RedisOptions(maxmemory="1mb")
    async with (
        running_redis(require("redis"), tmp_path / "redis", options) as server,  # type: ignore[operator]
        open_sources(redis_url=server.url) as sources,
    ):
        async with server.client() as client:
            used = (await client.info("memory"))["used_memory"]
            await client.config_set("maxmemory", used - 10_000)
            with pytest.raises(OutOfMemoryError):
                await client.set("one more", "x")
        watch = RedisWatch(
            store=sqlite_store, desk=DESK, sources=sources, clock=SystemClock(), stored=lambda: None
        )
        for _ in range(2):
            await watch.run()
        assert sorted(watch.steady.standing) == ["RedisReadOnly"]


async def test_old_market_data_counts_only_where_bots_run(sqlite_store: SqlStore) -> None:
    """A desk at rest publishes nothing; one that runs must."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    old = round((NOW - timedelta(minutes=10)).timestamp() * 1000)
    fakes.streams.infos[DESK.streams.market_data] = StreamInfo("m", 100, f"{old}-0")
    watch = StreamsWatch(store=sqlite_store, desk=DESK, sources=fakes.port, clock=clock, stored=lambda: None)
    for _ in range(2):
        await watch.run()
    assert await stored_signals(sqlite_store) == []
    fakes.metrics.answers["hbot_bot_state"] = [sample(1, bot="bot1")]
    for _ in range(2):
        await watch.run()
    assert await stored_signals(sqlite_store) == [("MarketDataStale", "firing")]


async def test_old_market_data_stays_told_while_nobody_knows_which_bots_run(sqlite_store: SqlStore) -> None:
    """A Prometheus that does not answer ends nothing, and begins nothing; new data does end it."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    stream, infos = DESK.streams.market_data, fakes.streams.infos
    old, fresh = (
        StreamInfo("m", 100, f"{round((NOW - ago).timestamp() * 1000)}-0") for ago in (HOUR, HOUR * 0)
    )
    infos[stream] = old
    fakes.metrics.answers["hbot_bot_state"] = [sample(1, bot="bot1")]
    watch = StreamsWatch(store=sqlite_store, desk=DESK, sources=fakes.port, clock=clock, stored=lambda: None)
    for _ in range(2):
        await watch.run()
    fakes.metrics.error = SourceUnreachable("Prometheus", "Connection refused")
    for _ in range(3):
        await watch.run()
    assert await stored_signals(sqlite_store) == [("MarketDataStale", "firing")]
    infos[stream] = fresh
    for _ in range(2):
        await watch.run()
    infos[stream] = old
    for _ in range(3):
        await watch.run()
    assert await stored_signals(sqlite_store) == [
        ("MarketDataStale", "firing"),
        ("MarketDataStale", "resolved"),
    ]


async def test_what_stands_outlives_our_own_restart_while_nobody_knows_more(sqlite_store: SqlStore) -> None:
    """The next process with Prometheus away: it ends with new data, or once nobody is expected to publish."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    old = round((NOW - HOUR).timestamp() * 1000)
    fakes.streams.infos[DESK.streams.market_data] = StreamInfo("m", 100, f"{old}-0")
    fakes.metrics.answers["hbot_bot_state"] = [sample(1, bot="bot1")]

    async def process_looks(times: int) -> list[tuple[str, str]]:
        watch = StreamsWatch(
            store=sqlite_store, desk=DESK, sources=fakes.port, clock=clock, stored=lambda: None
        )
        for _ in range(times):
            fakes.metrics.error = away.pop(0) if away else None
            await watch.run()
        return await stored_signals(sqlite_store)

    away: list[SourceUnreachable] = []
    told = [("MarketDataStale", "firing")]
    assert await process_looks(2) == told
    away = [SourceUnreachable("Prometheus", "Connection refused")] * 4
    assert await process_looks(4) == told
    away = [SourceUnreachable("Prometheus", "Connection refused")] * 3
    assert await process_looks(4) == told, "the first bad look after it is no end either"
    fakes.metrics.answers["hbot_bot_state"] = []
    assert (await process_looks(2))[-1] == ("MarketDataStale", "resolved")


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_redis_that_is_down_is_not_told_to_take_writes_again(
    sqlite_store: SqlStore,
    restarted: bool,  # noqa: FBT001 - a case
) -> None:
    """What only an answer can tell stands until there is one; so too where our user is refused."""
    fakes, clock = FakeSources(), ManualClock(NOW)
    watch = watch_on(sqlite_store, fakes, clock)
    fakes.streams.state = healthy_redis(role="slave")
    for error in (None, None, SourceUnreachable("Redis", "reset"), SourceDenied("Redis", "NOAUTH")):
        fakes.streams.error = error
        for _ in range(3):
            await watch.run()
        if restarted:
            watch = watch_on(sqlite_store, fakes, clock)
    down = [("RedisDown", "firing"), ("RedisDown", "resolved")]
    assert await stored_signals(sqlite_store) == [("RedisReadOnly", "firing"), *down]
    fakes.streams.error, fakes.streams.state = None, healthy_redis()
    for _ in range(3):
        await watch.run()
    assert (await stored_signals(sqlite_store))[-1] == ("RedisReadOnly", "resolved")


@dataclass(slots=True)
class Forbidding(FakeStreams):
    """A Redis that refuses our user some streams."""

    refused: frozenset[str] = frozenset()

    async def info(self, stream: str) -> StreamInfo:
        """Answer what is known of a stream that may be seen."""
        if stream in self.refused:
            raise SourceDenied("Redis", "NOPERM")
        return await FakeStreams.info(self, stream)


async def test_a_group_of_a_stream_that_cannot_be_seen_stays_behind(sqlite_store: SqlStore) -> None:
    """Our user may not look at it any more: that ends nothing."""
    streams = Forbidding()
    fakes = FakeSources(streams=streams)
    name = next(name for name, reader in DESK.streams.readers.items() if reader == "risk-service")
    behind = GroupInfo(name="hb_group_v1", pending=0, lag=5000, last_delivered_id="0-0", consumers=1)
    streams.infos[name] = StreamInfo(name, 100, f"{round(NOW.timestamp() * 1000)}-0", (behind,))
    watch = StreamsWatch(
        store=sqlite_store, desk=DESK, sources=fakes.port, clock=ManualClock(NOW), stored=lambda: None
    )
    for refused in ((), (), (name,), (name,), (name,)):
        streams.refused = frozenset(refused)
        await watch.run()
    assert await stored_signals(sqlite_store) == [("StreamGroupBehind", "firing")]


async def test_a_stream_that_cannot_be_looked_at_hides_no_other_and_is_said(sqlite_store: SqlStore) -> None:
    """Nothing was known of all of them then, old market data above all, and nobody learned of it."""
    streams, names = Forbidding(), DESK.streams
    fakes = FakeSources(streams=streams)
    fakes.metrics.answers["hbot_bot_state"] = [sample(1, bot="bot1")]
    old = round((NOW - timedelta(minutes=10)).timestamp() * 1000)
    streams.infos[names.market_data] = StreamInfo("m", 100, f"{old}-0")
    watch = StreamsWatch(
        store=sqlite_store, desk=DESK, sources=fakes.port, clock=ManualClock(NOW), stored=lambda: None
    )
    streams.refused = frozenset({names.audit, names.execution_intent})
    for _ in range(2):
        await watch.run()
    assert await stored_signals(sqlite_store) == [("MarketDataStale", "firing")]
    assert watch.unseen == f"{names.audit}, {names.execution_intent} cannot be looked at: Redis: NOPERM"
    streams.refused = frozenset({names.market_data})  # what stands is not over because it is not seen
    for _ in range(3):
        await watch.run()
    assert await stored_signals(sqlite_store) == [("MarketDataStale", "firing")]
    streams.refused = frozenset()
    await watch.run()
    assert watch.unseen == ""


async def test_a_group_of_the_desk_that_falls_behind_is_told(sqlite_store: SqlStore) -> None:
    """Its lag and what it read and never acknowledged; groups of others are theirs."""
    fakes = FakeSources()
    newest = round(NOW.timestamp() * 1000)
    groups = (
        GroupInfo(name="hb_group_v1", pending=0, lag=5000, last_delivered_id="0-0", consumers=1),
        GroupInfo(name="somebody", pending=9000, lag=9000, last_delivered_id="0-0", consumers=1),
    )
    fakes.streams.infos[DESK.streams.execution_intent] = StreamInfo("i", 100, f"{newest}-0", groups)
    watch = StreamsWatch(
        store=sqlite_store, desk=DESK, sources=fakes.port, clock=ManualClock(NOW), stored=lambda: None
    )
    for _ in range(2):
        await watch.run()
    assert await stored_signals(sqlite_store) == [("StreamGroupBehind", "firing")]
