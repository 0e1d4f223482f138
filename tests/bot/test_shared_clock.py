"""Replicas go by one clock, the database's: a machine's that is wrong or set moves nothing."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.shared_clock import SharedClock
from bot.store import SqlStore, open_store
from schedules.clock_watch import ClockWatch, real_seconds_of
from tests.fakes.clock import ManualClock
from triage.ports.store import Tx

NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)


class Database:
    """A database's clock, and how long it takes until it looked at it and until its answer is there."""

    def __init__(self, machine: ManualClock, ahead: float) -> None:
        self.machine, self.ahead = machine, ahead
        self.before = self.after = 0.0

    def server_time(self) -> datetime:
        """Answer a while after the question, with the time in between."""
        self.machine.move(self.before)
        found = self.machine.now() + timedelta(seconds=self.ahead)
        self.machine.move(self.after)
        return found


def compared(ahead: float) -> tuple[SharedClock, Database]:
    """Return a clock on a machine whose database's is ahead by so much."""
    machine = ManualClock(NOW)
    return SharedClock(machine, machine.monotonic), Database(machine, ahead)


def off(clock: SharedClock, database: Database) -> float:
    """Return by how many seconds the clock is ahead of the database's."""
    return (clock.now() - database.machine.now()).total_seconds() - database.ahead


@pytest.mark.parametrize("ahead", [-7200.0, -600.0, 0.0, 0.4, 600.0])
def test_the_time_is_the_databases_whatever_the_machine_says(ahead: float) -> None:
    """Also between two comparisons, and after the machine's clock was set."""
    clock, database = compared(ahead)
    assert clock.compare(cast("Tx", database)) == pytest.approx(-ahead)
    database.machine.move(30)
    assert off(clock, database) == pytest.approx(0)
    before = clock.now()
    database.machine.jump(timedelta(hours=3))
    assert clock.now() == before


def test_a_slow_answer_changes_nothing_that_it_does_not_contradict() -> None:
    """It may have been on its way for all of that time: nothing says that the clock is off."""
    clock, database = compared(5.0)
    clock.compare(cast("Tx", database))
    for before, after in ((0.0, 4.0), (4.0, 0.0), (1.5, 2.5)):
        database.before, database.after = before, after
        clock.compare(cast("Tx", database))
        assert off(clock, database) == pytest.approx(0)


def test_a_first_answer_that_was_slow_is_mended_by_the_next() -> None:
    """Half of the time that it took is the most by which it can be off."""
    clock, database = compared(0.0)
    database.before = 2.0
    clock.compare(cast("Tx", database))
    assert abs(off(clock, database)) <= 1.0
    database.before = 0.0
    clock.compare(cast("Tx", database))
    assert off(clock, database) == pytest.approx(0)


def test_a_database_whose_clock_is_set_is_followed() -> None:
    """All replicas see the same jump, each at its next look."""
    clock, database = compared(0.0)
    clock.compare(cast("Tx", database))
    database.ahead = -3600.0
    clock.compare(cast("Tx", database))
    assert off(clock, database) == pytest.approx(0)


async def test_where_no_database_is_shared_it_is_the_machines(sqlite_store: SqlStore) -> None:
    """SQLite is this machine's alone."""
    machine = ManualClock(NOW)
    clock = SharedClock(machine, machine.monotonic)
    assert await sqlite_store.read(clock.compare) is None
    assert clock.now() == NOW


async def test_postgresql_is_asked(postgres_copy_url: str) -> None:
    """A machine that is two hours behind has its replica go right."""
    machine = ManualClock(datetime.now(UTC) - timedelta(hours=2))
    clock = SharedClock(machine)
    async with open_store(postgres_copy_url) as store:
        ahead = await store.read(clock.compare)
    assert ahead == pytest.approx(-7200, abs=60)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=30)


async def test_a_jump_of_the_databases_clock_is_noticed_and_one_of_the_machines_is_none(
    sqlite_store: SqlStore,
) -> None:
    """What waits is moved along with the clock that it was written by."""
    clock, database = compared(0.0)
    clock.compare(cast("Tx", database))
    watch = ClockWatch(sqlite_store, clock, database.machine.monotonic)
    assert await watch.run() == 0
    database.machine.jump(timedelta(hours=1))
    clock.compare(cast("Tx", database))
    assert await watch.run() == pytest.approx(3600), "the test's database is on that machine"
    database.machine.jump(timedelta(hours=1))
    assert await watch.run() == 0, "not compared: nobody goes by the machine's"


def test_it_is_measured_by_the_seconds_that_really_pass() -> None:
    """As the machine's own clock is: a jump of what it follows shows."""
    assert real_seconds_of(SharedClock()) is real_seconds_of(SharedClock(ManualClock(NOW)))
    assert real_seconds_of(SharedClock())() == pytest.approx(real_seconds_of(SharedClock())(), abs=5)
