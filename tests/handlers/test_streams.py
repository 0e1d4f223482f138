"""The listener on a real Redis: what it must survive, and what it says about it."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import pytest
from loguru import logger

from bot.store import SqlStore
from handlers import flood
from handlers.streams import StoredBatch
from tests.fakes.breaking import FAULTS
from tests.handlers.listening import AUDIT, DEAD, QUICK, ListenerBench, audit_event, listener_on
from tests.servers.fixtures import Require
from tests.servers.process import eventually
from tests.servers.redis import RedisOptions, RedisServer, running_redis
from triage.concurrency import RepeatedFault
from triage.desk import Desk
from triage.desk_events import DeskEvent, PayloadEntry
from triage.desk_sections.streams import StreamSettings
from triage.desk_sections.triage import ListeningSettings
from triage.errors import SourceDenied, SourceError, StoreUnavailable
from triage.model import Source, SubjectKind, TimelineKind
from triage.ports.events import StreamBatch
from triage.ports.store import Tx


async def test_an_event_is_stored_before_it_is_acknowledged(
    redis_server: RedisServer, store: SqlStore
) -> None:
    """A commit that fails leaves the entry pending; the next try stores it, once."""
    async with listener_on(redis_server, store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("kill_switch", severity="error", message="Kill switch: drawdown"))
        keep = listening.listener.keep

        def fail(*_: object) -> None:
            raise StoreUnavailable("the disk is full")

        listening.listener.keep = fail  # type: ignore[assignment]
        with pytest.raises(StoreUnavailable):
            await listening.listener.once()
        assert await listening.pending() == 1
        listening.listener.reader.rewind()
        listening.listener.keep = keep
        assert await listening.read_all() == 1
        assert await listening.pending() == 0
        assert [event.category for event in await listening.events()] == ["kill_switch"]
        (incident,) = await listening.sort()
        assert (incident.severity.value, incident.subject.name) == ("Sev-1", "bot1")


async def test_an_event_that_comes_twice_counts_once(redis_server: RedisServer, store: SqlStore) -> None:
    """A sender that tries again publishes the same event_id in another entry."""
    async with listener_on(redis_server, store) as listening:
        event = audit_event("kill_switch", severity="error")
        await listening.read_all()
        await listening.publish(event, event)
        await listening.read_all()
        await listening.publish(event)
        await listening.read_all()
        assert len(await listening.events()) == 1
        assert listening.listener.counts.repeats == 2
        assert len(await listening.store.read(lambda tx: tx.signals.inbox(10))) == 1


async def test_what_a_dead_reader_left_is_claimed(redis_server: RedisServer, sqlite_store: SqlStore) -> None:
    """Entries that were read and never acknowledged go to a living reader after a while."""
    async with (
        listener_on(redis_server, sqlite_store, consumer="dead") as dead,
        listener_on(redis_server, sqlite_store, consumer="alive") as alive,
    ):
        await dead.read_all()
        await dead.publish(*(audit_event() for _ in range(7)))
        batch = await dead.listener.reader.read()  # and dies before it stores
        assert len(batch.entries) == 7
        await asyncio.sleep(0.3)
        assert await alive.read_all() == 7
        assert len(await alive.events()) == 7
        assert await alive.pending() == 0


async def test_in_a_flood_it_reads_on_while_it_stores_and_loses_nothing(
    redis_server: RedisServer, sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read meanwhile is given back with the commit that fails, and all are stored once."""
    monkeypatch.setattr(flood, "MANY", 10)
    async with listener_on(redis_server, sqlite_store, batch=10) as listening:
        await listening.read_all()
        await listening.publish(*(audit_event() for _ in range(45)))
        keep, calls = listening.listener.keep, 0

        def fail_after_two(tx: Tx, events: Sequence[DeskEvent], now: datetime) -> StoredBatch:
            nonlocal calls
            calls += 1
            if calls > 2:
                raise StoreUnavailable("the disk is full")
            return keep(tx, events, now)

        listening.listener.keep = fail_after_two
        running = asyncio.create_task(listening.listener.run())
        await eventually(lambda: said(listening.listener.trouble), "the trouble")
        assert len(await listening.events()) < 45
        listening.listener.keep = keep

        async def all_stored() -> bool:
            return len(await listening.events()) == 45

        await eventually(all_stored, "all of them")
        await eventually(lambda: nothing_pending(listening), "all acknowledged")
        running.cancel()
        await asyncio.wait({running})
        assert len(await listening.events()) == 45


async def test_what_was_read_before_reading_ahead_failed_is_stored(
    redis_server: RedisServer, sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away in a flood: what was read of it is stored, then it is said; back, the rest is stored once."""
    monkeypatch.setattr(flood, "MANY", 10)
    async with listener_on(redis_server, sqlite_store, batch=10) as listening:
        await listening.read_all()
        await listening.publish(*(audit_event() for _ in range(45)))
        read, reads = listening.listener.reader.read, 0

        async def away_after_three() -> StreamBatch:
            nonlocal reads
            reads += 1
            if reads > 3:
                raise SourceError("redis", "Redis is away")
            return await read()

        monkeypatch.setattr(listening.listener.reader, "read", away_after_three)
        with pytest.raises(SourceError, match="away"):
            await listening.listener.once()
        assert listening.listener.counts.stored == 30
        monkeypatch.setattr(listening.listener.reader, "read", read)
        listening.listener.reader.rewind()
        await listening.read_all()
        assert (listening.listener.counts.stored, len(await listening.events())) == (45, 45)
        assert await listening.pending() == 0


async def test_an_alert_that_comes_while_a_batch_is_read_stops_it(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """The listener asks between slices whether to pause, and not only before a batch: an alert waits for few events."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.publish(*(audit_event() for _ in range(250)))
        asked: list[float] = []

        def give_way() -> float:
            asked.append(0.0)
            return 0.0

        listening.listener.give_way = give_way
        assert await listening.listener.once() == 250
        assert len(asked) == 1 + 1 + 3, "before it reads, before it stores, and after each slice"
        assert len(await listening.events()) == 250


async def said(answer: object) -> bool:
    """Turn what is known into an answer to be waited for."""
    return bool(answer)


async def nothing_pending(listening: ListenerBench) -> bool:
    """Whether every entry is acknowledged."""
    return await pending_are(listening, 0)


async def pending_are(listening: ListenerBench, count: int) -> bool:
    """Whether so many entries are read and not acknowledged."""
    return await listening.pending() == count


async def test_readers_share_the_stream(redis_server: RedisServer, sqlite_store: SqlStore) -> None:
    """Two processes of one group get different entries, and together all."""
    async with (
        listener_on(redis_server, sqlite_store, consumer="one", batch=10) as one,
        listener_on(redis_server, sqlite_store, consumer="two", batch=10) as two,
    ):
        await one.read_all()
        await one.publish(*(audit_event() for _ in range(40)))
        first, second = await one.listener.once(), await two.listener.once()
        assert (first, second) == (10, 10)
        await asyncio.gather(one.read_all(), two.read_all())
        assert len(await one.events()) == 40
        assert one.listener.counts.repeats + two.listener.counts.repeats == 0


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("not json", "JSON"),
        ("[]", "object"),
        ('{"event_id": "1"}', "timestamp_ms"),
        ('{"event_id": "1", "category": "x", "timestamp_ms": -1}', "timestamp_ms"),
        ('{"event_id": "1", "category": "x", "timestamp_ms": 1, "schema_version": "2.0"}', "schema_version"),
        ('{"event_id": "1", "category": "x", "timestamp_ms": 1, "event_type": "ml"}', "event_type"),
        ('{"event_id": "1", "category": "x", "timestamp_ms": 9e40}', "timestamp_ms"),
        ("[" * 100_000, "JSON"),
    ],
)
async def test_what_does_not_validate_is_parked_with_its_reason(
    payload: str, why: str, redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """It is acknowledged, counted, kept aside, and holds up nobody."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.publish(payload, audit_event())
        await listening.read_all()
        sizes = await listening.store.read(lambda tx: dict(tx.events.sizes()))
        assert sizes == {"events": 1, "parked": 1}
        assert listening.listener.counts.parked == 1
        assert await listening.pending() == 0
        reason = await listening.store.read(
            lambda tx: tx.events._connection.exec_driver_sql("SELECT reason FROM parked_entries").scalar()  # type: ignore[attr-defined]
        )
        assert why in reason


async def test_an_entry_without_a_payload_is_parked(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """A producer of another shape is noticed, not retried for ever."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.redis.xadd(AUDIT, {"event_id": "1"})
        await listening.read_all()
        assert listening.listener.counts.parked == 1
        assert await listening.pending() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"n": 1, "deep": {"a": [1]}}},
        {"severity": "catastrophic"},
        {"instance_name": "\x00\ud800 bot", "message": "\x00<!channel> \ud83d"},
        {"message": "x" * 500_000},
        {"something_new": {"a": 1}},
        {"correlation_id": "c" * 200},
        {"timestamp_ms": 0},
        {"timestamp_ms": 253_370_000_000_000},
    ],
)
async def test_what_is_odd_but_valid_is_kept(
    changes: dict[str, object], redis_server: RedisServer, store: SqlStore
) -> None:
    """Unknown keys, unknown severities, NUL and half characters, huge texts: on both databases."""
    async with listener_on(redis_server, store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("new_thing", **changes))
        await listening.read_all()
        assert listening.listener.counts.stored + listening.listener.counts.parked == 1
        assert listening.listener.counts.stored == 1
        (event,) = await listening.events()
        assert len(event.text) <= 1000


async def test_a_first_start_begins_at_the_look_back(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """What is older than the look-back is history; what is younger is read."""
    desk = QUICK.model_copy(update={"streams": StreamSettings(look_back_minutes=1)})
    async with listener_on(redis_server, sqlite_store, desk=desk) as listening:
        now = int(listening.listener.clock.now().timestamp() * 1000)
        for age, name in ((120_000, "old"), (30_000, "young")):
            await listening.redis.xadd(AUDIT, {"payload": _text(audit_event(name))}, id=f"{now - age}-0")
        await listening.read_all()
        assert [event.category for event in await listening.events()] == ["young"]


async def test_a_flushed_redis_is_said_and_read_on(redis_server: RedisServer, store: SqlStore) -> None:
    """The group is gone with everything else: it is made anew, nothing counts twice, and people are told."""
    async with listener_on(redis_server, store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("before"))
        await listening.read_all()
        await listening.redis.flushall()
        await listening.publish(audit_event("after"))
        for _ in range(4):
            await listening.listener.once()
        assert {event.category for event in await listening.events()} == {"before", "StreamLost", "after"}
        assert listening.listener.counts.lost == 1
        (incident,) = await listening.sort()
        assert incident.name == "StreamLost"
        assert str(incident.subject) == "hbot-redis"


async def test_a_deleted_group_is_read_again_without_repeats(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """It begins a little before the last entry we know; what is known by its key counts once."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.publish(*(audit_event(f"n{i}") for i in range(5)))
        await listening.read_all()
        await listening.redis.xgroup_destroy(AUDIT, listening.desk.streams.group)
        await listening.publish(audit_event("n5"))
        for _ in range(5):
            await listening.listener.once()
        taken = [event.category for event in await listening.events() if event.source is Source.AUDIT]
        assert taken == [f"n{i}" for i in range(6)]
        assert listening.listener.counts.repeats == 5


async def test_a_stream_that_was_trimmed_behind_us_is_said(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """Away for too long: what is lost is counted, and the reading goes on."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("first"))
        await listening.read_all()
        await listening.publish(*(audit_event(f"n{i}") for i in range(30)))
        await listening.redis.xtrim(AUDIT, maxlen=10, approximate=False)
    async with listener_on(redis_server, sqlite_store, consumer="later") as later:
        await later.read_all()
        assert later.listener.counts.missed == 20
        assert later.listener.counts.stored == 10
        (incident,) = await later.sort()
        assert incident.name == "StreamGap"


async def test_a_redis_that_dies_is_waited_for(redis_server: RedisServer, sqlite_store: SqlStore) -> None:
    """The listener says what is wrong, comes back by itself, and misses nothing."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        task = asyncio.create_task(listening.listener.run())
        try:
            await listening.publish(audit_event("one"))
            redis_server.kill()
            await _until(lambda: bool(listening.listener.trouble))
            assert "Redis" in listening.listener.trouble
            await redis_server.start()
            async with redis_server.client() as anew:
                await anew.xadd(AUDIT, {"payload": _text(audit_event("two"))})
            await _until(lambda: listening.listener.counts.stored == 2, within=15)
            assert listening.listener.trouble == ""
        finally:
            task.cancel()


async def test_an_acl_that_denies_is_named(
    require: Require, tmp_path: object, sqlite_store: SqlStore
) -> None:
    """A user without the rights is our trouble, with the setting to look at; it is no Redis that is down."""
    options = RedisOptions(users={"triage": "on >secret ~hb.* +ping"})
    async with running_redis(require("redis"), tmp_path / "redis", options) as server:  # type: ignore[operator]
        url = server.url_as("triage", "secret")
        async with listener_on(server, sqlite_store, url=url) as listening:
            with pytest.raises(SourceDenied, match="REDIS_URL"):
                await listening.listener.once()


@pytest.mark.parametrize("options", [RedisOptions(password="s3cret"), RedisOptions(tls=True)])
async def test_a_password_and_tls_by_url_work(
    options: RedisOptions, require: Require, tmp_path: object, sqlite_store: SqlStore
) -> None:
    """As the URL says it."""
    async with (
        running_redis(require("redis"), tmp_path / "redis", options) as server,  # type: ignore[operator]
        listener_on(server, sqlite_store) as listening,
    ):
        await listening.read_all()
        await listening.publish(audit_event())
        assert await listening.read_all() == 1


async def test_a_replica_and_a_full_redis_lose_nothing(
    require: Require, tmp_path: object, sqlite_store: SqlStore
) -> None:
    """READONLY and OOM stop the reading with an error that is waited out."""
    options = RedisOptions(maxmemory="3mb")
    async with (
        running_redis(require("redis"), tmp_path / "redis", options) as server,  # type: ignore[operator]
        listener_on(server, sqlite_store) as listening,
    ):
        await listening.read_all()
        await listening.publish(audit_event("one"))
        await server.become_replica_of(1)
        with pytest.raises(SourceError):
            await listening.listener.once()
        listening.listener.reader.rewind()
        await server.become_replica_of(None)
        assert await listening.read_all() == 1
        await listening.publish(audit_event("two"))
        await listening.redis.config_set("maxmemory", "1mb")
        assert await listening.read_all() == 1  # reading and acknowledging need no memory


async def test_a_paused_redis_is_a_timeout_and_then_read(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """CLIENT PAUSE holds every answer: the wait has an end, and nothing is lost."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("one"))
        await redis_server.pause(4)
        with pytest.raises(SourceError):
            await listening.listener.once()
        listening.listener.reader.rewind()
        await asyncio.sleep(1.2)
        assert await listening.read_all() == 1


async def test_info_stands_on_the_timeline_of_an_open_incident(
    redis_server: RedisServer, store: SqlStore
) -> None:
    """It stands there in the order in which it happened, untold, and only the bot's own."""
    async with listener_on(redis_server, store) as listening:
        await listening.read_all()
        await listening.publish(audit_event("kill_switch", severity="error", message="pulled"))
        await listening.read_all()
        await listening.sort()
        await listening.publish(
            audit_event("intent_applied"), audit_event("intent_applied", instance_name="bot2")
        )
        await listening.read_all()
        entries = [entry for entry in await listening.timeline() if entry.kind is TimelineKind.EVENT]
        assert [(entry.text, entry.in_thread) for entry in entries] == [("intent_applied of bot1", False)]


async def test_a_flood_on_a_timeline_has_an_end(redis_server: RedisServer, sqlite_store: SqlStore) -> None:
    """The timeline holds so many events; the rest is kept with the others."""
    desk = QUICK.model_copy(update={"listening": ListeningSettings(timeline_max=5)})
    async with listener_on(redis_server, sqlite_store, desk=desk) as listening:
        await listening.read_all()
        await listening.publish(audit_event("kill_switch", severity="error"))
        await listening.read_all()
        await listening.sort()
        await listening.publish(*(audit_event() for _ in range(20)))
        await listening.read_all()
        assert len([e for e in await listening.timeline() if e.kind is TimelineKind.EVENT]) == 5
        assert len(await listening.events()) == 21


async def test_a_flood_of_errors_is_one_incident_with_few_signals(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """One kind of error makes one signal while its incident is open; all are kept."""
    async with listener_on(redis_server, sqlite_store, batch=50) as listening:
        await listening.read_all()
        await listening.publish(
            *(audit_event("order", severity="error", message=f"Order refused: code {i}") for i in range(200))
        )
        while await listening.listener.once():
            await listening.sort()
        assert len(await listening.sort()) == 1
        assert listening.listener.counts.signals == 1
        assert len(await listening.events()) == 200


async def test_warnings_are_judged_by_their_rate(redis_server: RedisServer, sqlite_store: SqlStore) -> None:
    """Few are usual and only kept; many at once are an incident that says how many there usually are."""
    async with listener_on(redis_server, sqlite_store) as listening:
        warning = {"severity": "warning", "message": "Signal rejected: net_edge_below_minimum"}
        await listening.read_all()
        long_ago = int((listening.listener.clock.now().timestamp() - 10 * 3600) * 1000)
        await listening.publish(
            *(audit_event("risk_decision", timestamp_ms=long_ago + i * 600_000, **warning) for i in range(58))
        )
        await listening.publish(*(audit_event("risk_decision", **warning) for _ in range(4)))
        await listening.read_all()
        assert await listening.sort() == []
        await listening.publish(*(audit_event("risk_decision", **warning) for _ in range(4)))
        await listening.read_all()
        (incident,) = await listening.sort()
        assert incident.name == "risk_decision"
        (episode,) = await listening.store.read(lambda tx: tx.incidents.episodes([incident.id]))
        assert episode.annotations["summary"] == "8 in 10 min (usual: 1): net_edge_below_minimum"


async def test_too_many_dead_letters_fire_and_few_resolve(redis_server: RedisServer, store: SqlStore) -> None:
    """The volume is judged against its limit; reasons are counted; a bot's own letter stands on its timeline."""
    desk = Desk(streams=StreamSettings(dead_letters_per_hour_max=3))
    async with listener_on(redis_server, store, desk=desk, stream=DEAD) as listening:
        await listening.read_all()
        await listening.publish(
            *({"reason": "expired_intent", "entry_id": f"{i}-0", "event_id": f"e{i}"} for i in range(3))
        )
        await listening.read_all()
        assert await listening.sort() == []
        inner = _text({"instance_name": "bot1", "action": "soft_pause"})
        await listening.publish(
            {"reason": "schema_validation", "entry_id": "9-0", "payload": inner}, "garbage"
        )
        await listening.read_all()
        (incident,) = await listening.sort()
        assert (incident.name, incident.subject.kind) == ("DeadLetters", SubjectKind.DESK)
        letter = next(event for event in await listening.events() if event.reason == "schema_validation")
        assert (letter.subject.name, letter.text) == ("bot1", "schema_validation (soft_pause)")
        assert listening.listener.counts.parked == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_an_entry_that_raises_an_error_is_parked_alone(
    redis_server: RedisServer, sqlite_store: SqlStore, fault: BaseException
) -> None:
    """A fault of ours with one entry does not stop the stream, nor lose its neighbours."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        read = listening.listener.read

        def trip(*words: object) -> object:
            events = read(*words)  # type: ignore[arg-type]
            if any(getattr(event, "category", "") == "poison" for event in events):
                raise fault
            return events

        asked: list[float] = []

        def give_way() -> float:
            asked.append(0.0)
            return 0.0

        listening.listener.read, listening.listener.give_way = trip, give_way  # type: ignore[assignment]
        await listening.publish(audit_event("one"), audit_event("poison"), audit_event("two"))
        assert await listening.listener.once() == 3
        assert len(asked) == 1, "no pause for each of them while alerts come"
        assert [event.category for event in await listening.events()] == ["one", "two"]
        assert listening.listener.counts.parked == 1
        assert type(fault).__name__ in listening.listener.aside
        assert await listening.pending() == 0


@pytest.mark.parametrize("poisoned", [{700}, {3, 1400}, set(range(1500))], ids=["one", "two", "all"])
async def test_in_a_flood_what_we_fail_on_is_parked_and_the_rest_counts_once(
    redis_server: RedisServer, sqlite_store: SqlStore, poisoned: set[int]
) -> None:
    """Nothing is lost, nothing counted twice, all acknowledged, and one traceback is told."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        read, whole = listening.listener.read, list[bool]()

        def trip(*words: object) -> object:
            events = read(*words)  # type: ignore[arg-type]
            if any(getattr(event, "category", "") == "poison" for event in events):
                raise ZeroDivisionError
            return events

        listening.listener.read = trip  # type: ignore[assignment]
        await listening.publish(*(audit_event("poison" if n in poisoned else "fine") for n in range(1500)))
        sink = logger.add(
            lambda message: whole.append(message.record["exception"] is not None), level="ERROR"
        )
        try:
            await listening.read_all()
        finally:
            logger.remove(sink)
        sizes = await sqlite_store.read(lambda tx: tx.events.sizes())
        assert sizes == {"events": 1500 - len(poisoned), "parked": len(poisoned)}
        assert listening.listener.counts.stored == 1500 - len(poisoned)
        assert listening.listener.counts.parked == len(poisoned)
        assert sum(whole) == 1
        assert await listening.pending() == 0


async def test_two_readers_of_a_flood_whose_acknowledgements_fail_count_each_once(
    redis_server: RedisServer, sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is gone between the commit and XACK: what comes again, to either reader, is a repeat."""
    monkeypatch.setattr(flood, "MANY", 20)
    async with (
        listener_on(redis_server, sqlite_store, consumer="one", batch=20) as one,
        listener_on(redis_server, sqlite_store, consumer="two", batch=20) as two,
    ):
        await one.read_all()
        await one.publish(*(audit_event() for _ in range(300)))
        for bench in (one, two):
            lose_some(bench)
        running = [asyncio.create_task(bench.listener.run()) for bench in (one, two)]

        async def all_taken() -> bool:
            return len(await one.events()) == 300 and await one.pending() == 0

        await eventually(all_taken, "all of them")
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        assert one.listener.counts.stored + two.listener.counts.stored == 300
        assert one.listener.counts.repeats + two.listener.counts.repeats > 0
        assert one.listener.counts.parked + two.listener.counts.parked == 0


def lose_some(bench: ListenerBench) -> None:
    """Let the first three acknowledgements of a reader fail."""
    done, calls = bench.listener.reader.done, 0

    async def fail(entries: Iterable[PayloadEntry]) -> None:
        nonlocal calls
        calls += 1
        if calls <= 3:
            raise SourceError("Redis", "connection lost")
        await done(entries)

    bench.listener.reader.done = fail  # type: ignore[method-assign]


async def test_what_we_failed_on_is_tried_again_once_after_a_start(
    redis_server: RedisServer, store: SqlStore
) -> None:
    """What still fails stays, what works now counts and leaves, and what does not validate is let be."""
    trips = {"mended", "poison"}
    reads: list[str] = []

    def broken(bench: ListenerBench) -> None:
        read = bench.listener.read

        def trip(*words: object) -> object:
            events = read(*words)  # type: ignore[arg-type]
            reads.extend(str(getattr(event, "category", "no event")) for event in events)
            if any(getattr(event, "category", "") in trips for event in events):
                raise ZeroDivisionError
            return events

        bench.listener.read = trip  # type: ignore[assignment]

    async with listener_on(redis_server, store) as before:
        broken(before)
        await before.read_all()
        await before.publish(audit_event("one"), audit_event("mended"), audit_event("poison"), "garbage")
        await before.read_all()
        assert await store.read(lambda tx: tx.events.sizes()) == {"events": 1, "parked": 3}
    trips.remove("mended")
    async with listener_on(redis_server, store) as started:
        broken(started)
        reads.clear()
        await started.read_all()
        await started.listener.once()
        assert sorted(reads) == ["mended", "poison"], "each once, and no garbage"
        assert sorted(event.category for event in await started.events()) == ["mended", "one"]
        assert await store.read(lambda tx: tx.events.sizes()) == {"events": 2, "parked": 2}
        assert started.listener.counts.stored == 1
        assert len(started.rang) == 1


async def test_one_entry_of_many_that_raises_an_error_is_found_by_halves(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """Of two hundred few commits are needed, and the log tells of the batch and of the entry."""
    async with listener_on(redis_server, sqlite_store) as listening:
        await listening.read_all()
        read, reads, said = listening.listener.read, list[int](), list[str]()

        def trip(*words: object) -> object:
            events = read(*words)  # type: ignore[arg-type]
            reads.append(len(events))
            if any(getattr(event, "category", "") == "poison" for event in events):
                raise ZeroDivisionError
            return events

        listening.listener.read = trip  # type: ignore[assignment]
        await listening.publish(*(audit_event("poison" if n == 70 else "fine") for n in range(200)))
        sink = logger.add(lambda message: said.append(message.record["message"]), level="ERROR")
        try:
            assert await listening.listener.once() == 200
        finally:
            logger.remove(sink)
        assert len(await listening.events()) == 199
        assert listening.listener.counts.parked == 1
        assert len(reads) < 30
        assert len(said) == 2
        listening.listener.read = read
        await listening.publish(audit_event())
        await listening.read_all()
        assert listening.listener._fault == RepeatedFault(
            listening.listener._fault.name
        )  # the next is told whole again
        assert await listening.pending() == 0


async def test_old_events_are_forgotten(redis_server: RedisServer, store: SqlStore) -> None:
    """By age and by number, so that the disk has a bound."""
    async with listener_on(redis_server, store) as listening:
        await listening.read_all()
        await listening.publish(*(audit_event() for _ in range(30)), "garbage")
        await listening.read_all()
        now = listening.listener.clock.now()
        long_ago = now.replace(year=2000)
        assert await store.write(lambda tx: tx.events.forget(before=long_ago, keep=10)) == 20
        assert len(await listening.events()) == 10
        assert await store.write(lambda tx: tx.events.forget(before=now.replace(year=2100), keep=10)) == 11


def _text(value: object) -> str:
    import json  # noqa: PLC0415 - one helper needs it

    return json.dumps(value)


async def _until(condition: object, *, within: float = 10) -> None:
    async with asyncio.timeout(within):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)


async def test_a_store_away_while_it_tries_again_leaves_what_it_has_not_taken(
    redis_server: RedisServer, sqlite_store: SqlStore
) -> None:
    """It stays in the table, and is taken when the store is back."""
    async with listener_on(redis_server, sqlite_store) as before:
        await before.read_all()
        read = before.listener.read

        def fail(*_: object) -> object:
            raise ZeroDivisionError

        before.listener.read = fail  # type: ignore[assignment]
        await before.publish(*(audit_event() for _ in range(6)))
        await before.read_all()
    async with listener_on(redis_server, sqlite_store) as started:
        keep, calls = started.listener.keep, 0

        def away_after_two(tx: Tx, events: Sequence[DeskEvent], now: datetime) -> StoredBatch:
            nonlocal calls
            calls += 1
            if calls > 2:
                raise StoreUnavailable("the disk is full")
            return keep(tx, events, now)

        started.listener.read, started.listener.keep = read, away_after_two
        with pytest.raises(StoreUnavailable):
            await started.listener.once()
        assert await sqlite_store.read(lambda tx: tx.events.sizes()) == {"events": 2, "parked": 4}
        started.listener.keep = keep
        await started.read_all()
        assert await sqlite_store.read(lambda tx: tx.events.sizes()) == {"events": 6, "parked": 0}
        assert started.listener.counts.stored == 6


async def test_a_stop_in_the_middle_of_a_flood_loses_nothing_and_doubles_nothing(
    redis_server: RedisServer, sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read and not stored goes to the next process, a poisoned one among it too."""
    monkeypatch.setattr(flood, "MANY", 20)
    async with listener_on(redis_server, sqlite_store, batch=20) as stopped:
        await stopped.read_all()
        await stopped.publish(*("garbage" if n == 150 else audit_event() for n in range(300)))
        keep, calls = stopped.listener.keep, 0
        loop = asyncio.get_running_loop()

        def stop_at_the_third(tx: Tx, events: Sequence[DeskEvent], now: datetime) -> StoredBatch:
            nonlocal calls
            calls += 1
            if calls == 3:
                loop.call_soon_threadsafe(running.cancel)
            return keep(tx, events, now)

        stopped.listener.keep = stop_at_the_third
        running = asyncio.create_task(stopped.listener.run())
        await asyncio.wait({running}, timeout=20)
        assert running.cancelled()
        assert len(await stopped.events()) < 299
    async with listener_on(redis_server, sqlite_store, batch=20) as started:
        await started.read_all(rounds=40)
        assert await sqlite_store.read(lambda tx: tx.events.sizes()) == {"events": 299, "parked": 1}
        assert await started.pending() == 0
