"""What the store does when something fails: a unit, its waiter, the disk, a lock, the server at the start."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import psycopg
import pytest
import sqlalchemy as sa

from bot.store import SqlStore, engine, open_store
from bot.store.transaction import Transaction
from tests.contracts.store_samples import NOW, incident, line, note, signal
from tests.servers.small_disk import fill, mounted
from triage.errors import NotStored, StoreUnavailable
from triage.ports.store import Tx


def emptied(file: Path) -> None:
    """Cut the database off, as a full copy tool or a wrong redirection does."""
    os.truncate(file, 0)


def removed(file: Path) -> None:
    """Delete it beneath the service, which goes on holding it open."""
    file.unlink()


def replaced(file: Path) -> None:
    """Put another file in its place."""
    shutil.copy(file, other := file.with_suffix(".copy"))
    other.rename(file)


@pytest.mark.parametrize("harm", [emptied, removed, replaced])
async def test_a_database_whose_file_is_another_one_by_now_takes_nothing(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """It would commit into what nobody finds after the next start."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        harm(file)
        with pytest.raises(NotStored, match=r"triage\.db"):
            await store.keep([signal("after")])
        assert "triage.db" in store.health.problem()


class Gate:
    """Keeps the writer thread in a unit of its own, so that what is asked for meanwhile is one batch."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._inside, self._open = threading.Event(), threading.Event()
        self._task: asyncio.Task[bool] | None = None

    def _hold(self, tx: Tx) -> bool:
        del tx
        self._inside.set()
        return self._open.wait(20)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._store.write(self._hold))
        assert await asyncio.to_thread(self._inside.wait, 10)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._open.set()
        assert self._task is not None
        assert await self._task


def failing(error: Exception, key: str = "half") -> Callable[[Tx], str]:
    """Make a unit that puts a note down, then raises."""

    def work(tx: Tx) -> str:
        tx.notes.put(key, "there")
        raise error

    return work


def orphan(tx: Tx) -> str:
    """Break a rule of the database: no such incident."""
    tx.timeline.add(line(10_000))
    return "never"


def next_of_nothing(tx: Tx) -> str:
    """Raise StopIteration, which no future takes as it is."""
    tx.notes.put("stopped", "there")
    return next(iter(()))


async def in_one_batch(store: SqlStore, *works: Callable[[Tx], str]) -> list[str | BaseException]:
    """Run units that are all in flight before the first of them begins; gives each one's answer or error."""
    async with Gate(store):
        tasks = [asyncio.create_task(store.write(work)) for work in works]
        await asyncio.sleep(0.05)
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)


async def notes(store: SqlStore) -> set[str]:
    """Return the keys of every note but the schema's own."""
    return set(await store.read(lambda tx: tx.notes.all(""))) - {"schema/oldest"}


async def test_a_unit_that_raises_sinks_no_other_and_raises_to_its_caller_alone(store: SqlStore) -> None:
    """Whether its own code raises or the database refuses it; nothing of it stays."""
    mistake = KeyError("a mistake")
    answers = await in_one_batch(store, note("a"), failing(mistake), note("b"), orphan, note("c"))
    assert answers[0::2] == ["a", "b", "c"]
    assert answers[1] is mistake
    assert isinstance(answers[3], sa.exc.IntegrityError)
    assert await notes(store) == {"a", "b", "c"}


async def test_a_webhook_s_signals_survive_another_caller_s_mistake(store: SqlStore) -> None:
    """Those kept together with a unit that raises are stored once, and counted as new once."""
    async with Gate(store):
        keeping = [asyncio.create_task(store.keep([signal("e1"), signal(f"x{n}")])) for n in range(3)]
        wrong = asyncio.create_task(store.write(failing(ValueError("wrong"))))
        await asyncio.sleep(0.05)
    assert sum(await asyncio.gather(*keeping)) == 4
    with pytest.raises(ValueError, match="wrong"):
        await wrong
    assert await store.read(lambda tx: tx.signals.waiting()) == 4


async def test_a_unit_that_raises_what_is_no_exception_does_not_end_the_writer(store: SqlStore) -> None:
    """Its thread had ended with it: nothing was stored any more until a restart."""

    def cancelled(tx: Tx) -> str:
        tx.notes.put("half", "there")
        raise asyncio.CancelledError

    first, wrong, last = await in_one_batch(store, note("a"), cancelled, note("b"))
    assert (first, last) == ("a", "b")
    assert isinstance(wrong, RuntimeError)
    assert await notes(store) == {"a", "b"}


async def test_a_read_whose_own_code_timed_out_is_no_store_that_is_away(store: SqlStore) -> None:
    """It was told that the store did not answer within 10 s."""

    def late(_: Tx) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await store.read(late)


async def test_a_stop_iteration_does_not_leave_the_others_waiting(store: SqlStore) -> None:
    """A unit's ``next()`` on nothing is an error of that unit, not of the answers behind it."""
    first, wrong, last = await in_one_batch(store, note("a"), next_of_nothing, note("b"))
    assert (first, last) == ("a", "b")
    assert isinstance(wrong, RuntimeError)
    assert isinstance(wrong.__cause__, StopIteration)
    assert await notes(store) == {"a", "b"}


async def test_a_unit_whose_waiter_was_cancelled_is_not_run(store: SqlStore) -> None:
    """Whoever asked has gone: the write would surprise."""
    async with Gate(store):
        gone = asyncio.create_task(store.write(note("gone")))
        stays = asyncio.create_task(store.write(note("stays")))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.wait([gone])
    assert await stays == "stays"
    assert gone.cancelled()
    assert await notes(store) == {"stays"}


async def test_a_unit_whose_waiter_was_told_that_it_failed_is_not_run(
    store: SqlStore,
) -> None:
    """The answer "not stored" is true: it is not stored afterwards either."""
    async with Gate(store):
        with pytest.raises(StoreUnavailable, match=r"did not commit within 0\.1 s"):
            await store.write(note("late"), within=0.1)
    await store.write(note("next"))
    assert await notes(store) == {"next"}


def _limit_pages(tx: Tx, pages: int) -> int:
    assert isinstance(tx, Transaction)
    return int(tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one())


async def test_a_full_database_is_unavailable_and_works_after_room_is_made(sqlite_store: SqlStore) -> None:
    """Each write that does not fit says so; one that reads still works; nothing is half there."""
    await sqlite_store.write(note("before"))
    await sqlite_store.write(
        lambda tx: _limit_pages(tx, 1)
    )  # the least that SQLite allows is the size it has
    with pytest.raises(StoreUnavailable, match=r"cannot commit.*full"):
        await sqlite_store.keep([signal(f"e{number}") for number in range(2000)])
    assert await notes(sqlite_store) == {"before"}
    assert await sqlite_store.read(lambda tx: tx.signals.waiting()) == 0
    await sqlite_store.write(lambda tx: _limit_pages(tx, 1_000_000))
    assert await sqlite_store.keep([signal(f"e{number}") for number in range(2000)]) == 2000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 2 MiB."""
    with mounted(tmp_path / "disk", "2m") as disk:
        yield disk


async def test_a_full_disk_is_unavailable_and_works_after_room_is_made(small_disk: Path) -> None:
    """Another file filled the disk; when it is gone the next write works, without a restart."""
    ballast = small_disk / "ballast"
    async with open_store(f"sqlite:///{small_disk}/triage.db") as store:
        await store.write(note("before"))
        fill(ballast)
        with pytest.raises(StoreUnavailable):
            await store.keep([signal(f"e{number}") for number in range(300)])
        assert await notes(store) == {"before"}
        ballast.unlink()
        assert await store.keep([signal(f"e{number}") for number in range(300)]) == 300
        assert await store.read(lambda tx: tx.signals.waiting()) == 300


async def test_a_lock_that_another_session_holds_too_long_is_unavailable(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on SQLite: a table that somebody's session holds is waited for BUSY_SECONDS."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1.0)
    async with open_store(postgres_url) as store:
        one = await store.write(lambda tx: tx.incidents.save(incident()))
        async with await psycopg.AsyncConnection.connect(postgres_url) as shell:
            await shell.execute("LOCK TABLE timeline IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await store.write(lambda tx: tx.timeline.add(line(one.id)))
            assert await store.write(note("other")) == "other"
        assert await store.write(lambda tx: tx.timeline.add(line(one.id, at=NOW))) is not None


async def test_a_database_that_is_not_there_says_which_setting_to_mend() -> None:
    """At the start, too, it is StoreUnavailable and names the setting."""
    with pytest.raises(StoreUnavailable, match="TRIAGE_DATABASE_URL"):
        async with open_store("postgresql://nobody@127.0.0.1:1/none"):
            pass
