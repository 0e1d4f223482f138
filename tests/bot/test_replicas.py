"""Which replicas are taken for dead: by counts and the own clock alone, never while the database is away."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.replicas import DEAD_SECONDS, Replicas
from bot.store import SqlStore, open_store
from tests.bot.slack.workbench import new_incident
from tests.fakes.clock import ManualClock
from triage.errors import NotStored
from triage.incidents.notifications import tell_card
from triage.model import RunStatus
from triage.ports.store import MessageKind, Tx

NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)


class Pair:
    """Two replicas on one store; each beats when told."""

    def __init__(self, store: SqlStore) -> None:
        self.clock, self.freed = ManualClock(NOW), 0
        self.one = Replicas(store, "one", self.clock, 9.0, freed=lambda: None)
        self.two = Replicas(store, "two", self.clock, 9.0, freed=self._count)

    def _count(self) -> None:
        self.freed += 1

    async def pass_seconds(self, seconds: int, *which: Replicas) -> list[str]:
        """Let these beat once a second; returns whom they took for dead."""
        gone = []
        for _ in range(seconds):
            for each in which:
                gone += await each.beat()
            self.clock.move(1)
        return gone


def _claimed_by(owner: str, now: datetime) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        incident = tx.incidents.save(new_incident())
        tell_card(tx, incident, now)
        tx.runs.queue(incident.id, "opened", now)
        tx.runs.take(now, owner=owner, lease_seconds=9)
        tx.outbox.claim(now, owner=owner, lease_seconds=30, limit=5, unsure_seconds=17)

    return work


async def test_what_a_dead_replica_held_is_free_within_seconds(store: SqlStore) -> None:
    """Its triage waits again, its message is due; what it had begun may take effect for some seconds more."""
    pair = Pair(store)
    await pair.pass_seconds(3, pair.one, pair.two)
    await store.write(_claimed_by("one", pair.clock.now()))
    died = pair.clock.now()
    assert await pair.pass_seconds(3, pair.two) == []
    assert await pair.pass_seconds(3, pair.two) == ["one"]
    assert pair.freed == 1

    def look(tx: Tx) -> None:
        run, card = tx.runs.latest(1), tx.outbox.find(MessageKind.CARD, "1")
        assert run is not None
        assert run.status is RunStatus.QUEUED
        [claimed] = tx.outbox.claim(pair.clock.now(), owner="two", lease_seconds=30, limit=5)
        assert card is not None
        assert claimed.id == card.id
        assert claimed.attempted_at is not None, "the next one looks before it posts"
        assert claimed.unsure_until is not None
        assert claimed.unsure_until <= died + timedelta(seconds=13)

    await store.write(look)


@pytest.mark.parametrize(("seconds", "said"), [(630, "10 min ahead of"), (-7205, "2 h behind"), (2, "")])
async def test_a_clock_that_is_not_the_databases_is_said_where_replicas_share_it(
    postgres_copy_url: str, seconds: int, said: str
) -> None:
    """Leases and due times are written by one clock and read by another; a replica alone has but its own."""
    async with open_store(postgres_copy_url) as store:
        clock = ManualClock(datetime.now(UTC) + timedelta(seconds=seconds))
        one, two = (Replicas(store, name, clock, 9.0, freed=lambda: None) for name in ("one", "two"))
        for _ in range(3):
            await one.beat()
        assert one.trouble == ""
        await two.beat()
        await one.beat()
        assert said in one.trouble
        assert bool(one.trouble) == bool(said)


async def test_sqlite_has_no_clock_of_its_own(sqlite_store: SqlStore) -> None:
    """Nothing is compared where one machine has all."""
    pair = Pair(sqlite_store)
    await pair.pass_seconds(5, pair.one, pair.two)
    assert pair.one.trouble == ""


async def test_a_replica_that_counts_on_is_left_alone_whatever_its_clock_says(sqlite_store: SqlStore) -> None:
    """The wall clock is set an hour forth and back between beats: nobody is dead."""
    pair = Pair(sqlite_store)
    for hours in (0, 1, -2, 1):
        pair.clock.jump(timedelta(hours=hours))
        assert await pair.pass_seconds(5, pair.one, pair.two) == []


async def test_a_replica_that_stood_still_itself_takes_nobody_for_dead(sqlite_store: SqlStore) -> None:
    """Its own beats are missing for a minute, as with the database away: it looks anew before it judges."""
    pair = Pair(sqlite_store)
    await pair.pass_seconds(3, pair.one, pair.two)
    pair.clock.move(60)
    assert await pair.two.beat() == []
    assert await pair.pass_seconds(3, pair.one, pair.two) == []


async def test_a_beat_that_is_not_stored_is_not_counted(sqlite_store: SqlStore) -> None:
    """With the database away for long, nobody judges anybody."""
    pair = Pair(sqlite_store)
    await pair.pass_seconds(2, pair.one, pair.two)
    write = sqlite_store.write

    async def away(*_: object, **__: object) -> None:
        raise NotStored("away")

    sqlite_store.write = away  # type: ignore[method-assign, assignment]
    for _ in range(int(DEAD_SECONDS) * 3):
        with pytest.raises(NotStored):
            await pair.two.beat()
        pair.clock.move(1)
    sqlite_store.write = write  # type: ignore[method-assign]
    assert await pair.pass_seconds(2, pair.two, pair.one) == []


async def test_the_time_that_the_dead_one_held_the_lock_of_all_writers_counts_too(
    sqlite_store: SqlStore,
) -> None:
    """Nobody can write for six seconds: whoever stands still is seen to all the same, and begins no call in that time."""
    pair = Pair(sqlite_store)
    await pair.pass_seconds(3, pair.one, pair.two)
    await sqlite_store.write(_claimed_by("one", pair.clock.now()))
    await pair.one.beat()  # after the other's last look
    write = sqlite_store.write

    async def locked(*_: object, **__: object) -> None:
        raise NotStored("locked")

    sqlite_store.write = locked  # type: ignore[method-assign, assignment]
    for _ in range(6):
        with pytest.raises(NotStored):
            await pair.two.beat()
        pair.clock.move(1)
    sqlite_store.write = write  # type: ignore[method-assign]
    assert await pair.pass_seconds(5, pair.two) == ["one"]

    def look(tx: Tx) -> None:
        [claimed] = tx.outbox.claim(pair.clock.now(), owner="two", lease_seconds=30, limit=5)
        assert claimed.unsure_until is not None
        assert claimed.unsure_until <= pair.clock.now()

    await sqlite_store.write(look)


async def test_a_look_that_takes_long_does_not_hold_the_own_count(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever counts late because its look hangs would be taken for dead itself."""
    monkeypatch.setattr("bot.replicas.LOOK_SECONDS", 0.01)
    pair = Pair(sqlite_store)
    await pair.pass_seconds(2, pair.one, pair.two)

    async def hangs(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(sqlite_store, "read", hangs)
    assert await pair.pass_seconds(8, pair.one, pair.two) == []


async def test_who_leaves_is_not_dead(sqlite_store: SqlStore) -> None:
    """An orderly end is no death: nothing is said of it."""
    pair = Pair(sqlite_store)
    await pair.pass_seconds(2, pair.one, pair.two)
    await pair.one.leave()
    assert await pair.pass_seconds(8, pair.two) == []
