"""What comes while a batch runs joins its commit, and what is read again and again is made anew only where it changed."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.store import SqlStore
from bot.store.transaction import Transaction
from bot.store.unit_queue import UnitQueue
from bot.store.units import Unit
from tests.contracts.store_samples import signal
from triage.model import Incident, IncidentStatus, Severity, Subject, SubjectKind
from triage.ports.store import Tx


async def during(store: SqlStore, *works: Callable[[Tx], object]) -> list[object]:
    """Write units while another one runs; return what came of each, its error where it raised."""
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.notes.put("slow", "1")
        running.set()
        assert go_on.wait(5)

    first = asyncio.create_task(store.write(slow))
    assert await asyncio.to_thread(running.wait, 5)
    others = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)
    go_on.set()
    return list(await asyncio.gather(first, *others, return_exceptions=True))[1:]


async def test_a_unit_that_comes_meanwhile_shares_the_commit(sqlite_store: SqlStore) -> None:
    """It sees what the batch wrote, and costs no commit of its own."""
    before = sqlite_store.writer.commits
    assert await during(sqlite_store, lambda tx: tx.notes.get("slow")) == ["1"]
    assert sqlite_store.writer.commits == before + 1


@pytest.mark.parametrize("fails", [False, True])
async def test_who_sorts_new_signals_shares_their_commit(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """It is called before the commit, and sees them; where it fails, they are stored all the same. Repeats call nobody."""
    monkeypatch.setattr(
        "bot.store.writer.LONE_SECONDS", 5.0
    )  # ended at once by who sorts, on a busy machine too
    sorting: list[asyncio.Task[int]] = []

    def sort(tx: Tx) -> int:
        found = len(tx.signals.inbox(10))
        if fails:
            raise LookupError("not this one")
        tx.signals.sort([(1, None, "sorted")])
        return found

    def stored() -> None:
        sorting.append(asyncio.create_task(sqlite_store.write(sort)))

    before, alert = sqlite_store.writer.commits, signal()
    assert await sqlite_store.keep([alert], stored) == 1
    found = await asyncio.gather(*sorting, return_exceptions=True)
    if fails:
        assert all(isinstance(error, LookupError) for error in found)
    else:
        assert (found, sqlite_store.writer.commits - before) == ([1], 1)
    assert await sqlite_store.keep([alert], stored) == 0
    assert len(await sqlite_store.read(lambda tx: tx.signals.inbox(10))) == fails
    assert len(sorting) == len(found)


async def test_who_sorts_is_told_of_signals_that_joined_another_ones_commit(sqlite_store: SqlStore) -> None:
    """Else they wait in the inbox until somebody looks by himself, or the next webhook comes."""
    told: list[int] = []

    async def keep() -> None:
        await sqlite_store.keep([signal()], lambda: told.append(1))

    before = sqlite_store.writer.commits
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.notes.put("slow", "1")
        running.set()
        assert go_on.wait(5)

    first = asyncio.create_task(sqlite_store.write(slow))
    assert await asyncio.to_thread(running.wait, 5)
    joining = asyncio.create_task(keep())
    for _ in range(3):  # it is handed over at the end of a round of the loop
        await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, joining)
    await asyncio.sleep(0)
    assert sqlite_store.writer.commits == before + 1
    assert told == [1]


async def test_who_sorts_is_waited_for_once(sqlite_store: SqlStore) -> None:
    """What has come meanwhile is all that a lone alert's commit waits for: nobody is waited for a second time."""
    waited: list[float] = []
    joining = UnitQueue.joining

    def noting(units: UnitQueue, most: int, wait: float) -> list[Unit[object]]:
        waited.append(wait)
        return joining(units, most, wait)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnitQueue, "joining", noting)
        await sqlite_store.keep([signal()], lambda: None)
    assert [wait > 0 for wait in waited] == [True, False]


async def test_one_that_joins_and_raises_costs_only_itself(sqlite_store: SqlStore) -> None:
    """The batch that it joined is stored all the same, and so is who joined with it."""

    def fails(tx: Tx) -> None:
        tx.notes.put("lost", "1")
        raise LookupError("not this one")

    _, error = await during(sqlite_store, lambda tx: tx.notes.put("kept", "1"), fails)
    assert isinstance(error, LookupError)
    found = await sqlite_store.read(lambda tx: [tx.notes.get(key) for key in ("slow", "kept", "lost")])
    assert found == ["1", "1", None]


async def test_what_was_queued_before_the_end_is_stored(sqlite_store: SqlStore) -> None:
    """A store that is closed while a batch runs finishes it, with what joins it."""
    writing = [
        asyncio.create_task(sqlite_store.write(lambda tx, n=n: tx.notes.put(f"n{n}", "1")))  # type: ignore[misc]
        for n in range(20)
    ]
    await asyncio.sleep(0)
    await asyncio.to_thread(sqlite_store.writer.close)
    await asyncio.gather(*writing)
    assert not sqlite_store.writer._thread.is_alive()


async def test_webhooks_of_one_round_of_the_loop_are_handed_over_together(sqlite_store: SqlStore) -> None:
    """Whoever is read in the same round shares the commit: the first of them does not wake the writer for itself."""
    before = sqlite_store.writer.commits
    keeping = [asyncio.create_task(sqlite_store.keep([signal(f"s{n}")])) for n in range(3)]
    await asyncio.sleep(0)
    assert len(sqlite_store.writer._handover) == 3
    assert await asyncio.gather(*keeping) == [1, 1, 1]
    assert sqlite_store.writer.commits == before + 1


async def test_a_webhook_that_was_not_handed_over_before_the_end_is_stored(sqlite_store: SqlStore) -> None:
    """A store that is closed in the round that brought it answers it all the same."""
    keeping = asyncio.create_task(sqlite_store.keep([signal()]))
    await asyncio.sleep(0)
    sqlite_store.writer.close()
    assert await keeping == 1


NEW = Incident(
    id=0,
    title="one",
    name="BotFrozen",
    subjects=(Subject(SubjectKind.BOT, "bot1"),),
    severity=Severity.SEV2,
    status=IncidentStatus.TRIGGERED,
    opened_at=datetime(2026, 3, 1, tzinfo=UTC),
    changed_at=datetime(2026, 3, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("lost", [False, True])
async def test_a_remembered_incident_is_what_the_database_says(sqlite_store: SqlStore, *, lost: bool) -> None:
    """Also after a change that was rolled back, and after one that was not."""
    since = NEW.opened_at - timedelta(hours=1)
    incident = await sqlite_store.write(lambda tx: tx.incidents.save(NEW))

    def change(tx: Tx) -> None:
        tx.incidents.save(replace(incident, title="two"))
        assert [one.title for one in tx.incidents.recent(since)] == ["two"]
        if lost:
            raise LookupError

    assert [one.title for one in await sqlite_store.write(lambda tx: tx.incidents.recent(since))] == ["one"]
    await asyncio.gather(sqlite_store.write(change), return_exceptions=True)
    found = await sqlite_store.write(lambda tx: tx.incidents.recent(since))
    assert found == [replace(incident, title="one" if lost else "two")]


async def test_what_another_connection_changed_is_read_anew(sqlite_store: SqlStore, sqlite_url: str) -> None:
    """A command that runs beside the service writes with a connection of its own."""
    since = NEW.opened_at - timedelta(hours=1)
    first = await sqlite_store.write(lambda tx: tx.incidents.save(NEW))
    await sqlite_store.write(lambda tx: tx.incidents.save(replace(NEW, title="other")))
    assert len(await sqlite_store.write(lambda tx: tx.incidents.recent(since))) == 2

    def change() -> None:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other, other:
            other.execute("UPDATE incidents SET title = 'two' WHERE id = ?", (first.id,))

    await asyncio.to_thread(change)
    found = await sqlite_store.write(lambda tx: tx.incidents.recent(since))
    assert [one.title for one in found] == ["two", "other"]


async def test_a_pass_reads_only_the_incidents_that_changed(sqlite_store: SqlStore) -> None:
    """However many are open: an alert's first post waits for it."""
    since = NEW.opened_at - timedelta(hours=1)
    saved = [await sqlite_store.write(lambda tx: tx.incidents.save(NEW)) for _ in range(5)]
    read: list[str] = []

    def recent(tx: Transaction) -> int:
        driver = cast("sqlite3.Connection", tx.connection.connection.driver_connection)
        driver.set_trace_callback(read.append)
        try:
            return len(tx.incidents.recent(since))
        finally:
            driver.set_trace_callback(None)

    async def rows_read() -> int:
        """Return how many incidents one pass reads as whole rows."""
        read.clear()
        assert await sqlite_store.write(cast("Callable[[Tx], int]", recent)) == 5
        whole = [text.rpartition(" IN ")[2] for text in read if "incidents.title" in text]
        return len({number for text in whole for number in re.findall(r"\d+", text)})

    assert [await rows_read(), await rows_read()] == [5, 0]
    await sqlite_store.write(lambda tx: tx.incidents.save(replace(saved[2], title="two")))
    assert [await rows_read(), await rows_read()] == [1, 0]
