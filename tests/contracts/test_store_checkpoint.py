"""SQLite's log of writes is copied back when nobody waits."""

import asyncio
from functools import partial
from pathlib import Path

from bot.store import SqlStore
from bot.store.checkpoint import PAGES_MAX, ROWS, ROWS_MAX, Checkpoints
from bot.store.writer import QUIET_SECONDS
from tests.contracts.test_store_outcomes import until
from triage.ports.store import Tx


def size(store: SqlStore, which: str) -> int:
    """Return the bytes of the database's own file, or of its log (``-wal``)."""
    return Path(f"{store.writer.engine.url.database}{which}").stat().st_size


def many(tx: Tx) -> None:
    """Write more rows than a log is left with."""
    for number in range(ROWS + 100):
        tx.notes.put(f"key {number}", "x" * 500)


def changed(value: int, rows: int, tx: Tx) -> None:
    """Change so many small rows."""
    for number in range(rows):
        tx.notes.put(f"key {number}", f"{value}")


async def test_the_log_is_copied_after_the_answers(sqlite_store: SqlStore) -> None:
    """What many rows take stands in the database's own file soon after, and the log begins anew."""
    before = size(sqlite_store, "")
    await sqlite_store.write(many)
    await until(lambda: size(sqlite_store, "") > before + 500 * ROWS)
    grown = size(sqlite_store, "-wal")
    await until(lambda: sqlite_store.writer._checkpoints.rows == 0)
    await sqlite_store.write(many)
    assert size(sqlite_store, "-wal") <= 2 * grown
    assert await sqlite_store.read(lambda tx: tx.notes.get("key 7")) == "x" * 500


def test_a_flood_waits_for_no_quiet_moment(sqlite_store: SqlStore) -> None:
    """While units come the log grows, and not without end; a few rows are no reason."""
    for rows, due, overdue in ((ROWS - 1, False, False), (ROWS, True, False), (ROWS_MAX, True, True)):
        checkpoints = Checkpoints(sqlite_store._reading, sqlite_store.writer._file)
        checkpoints.wrote("5", str(5 + rows))
        assert (checkpoints.due, checkpoints.overdue) == (due, overdue)


async def test_between_the_batches_of_a_flood_nothing_is_copied(sqlite_store: SqlStore) -> None:
    """Each batch finds the queue empty for a moment: that is no quiet one, and the next would wait for the copy."""
    for number in range(4):
        await sqlite_store.write(partial(changed, number, ROWS // 2))
        await asyncio.sleep(QUIET_SECONDS / 10)
    assert sqlite_store.writer._checkpoints.rows >= 2 * ROWS
    await until(lambda: sqlite_store.writer._checkpoints.rows == 0)


async def test_a_long_flood_is_copied_between_two_of_its_batches(sqlite_store: SqlStore) -> None:
    """The log does not wait for the end of a flood that has none."""
    await sqlite_store.write(partial(changed, 1, ROWS_MAX))
    await sqlite_store.write(partial(changed, 2, 1))
    assert sqlite_store.writer._checkpoints.rows < ROWS


def test_a_log_that_cannot_be_copied_stops_nobody(sqlite_store: SqlStore) -> None:
    """Whether the store commits, its commits say."""
    checkpoints = Checkpoints(sqlite_store._reading, sqlite_store.writer._file, rows=ROWS)
    sqlite_store._reading.pool = sqlite_store._reading.pool.recreate()
    sqlite_store._reading.pool._creator = lambda *_: 1 / 0  # type: ignore[assignment]
    checkpoints.run()
    assert checkpoints.rows == 0


async def test_few_rows_that_hold_much_do_not_let_the_log_grow(sqlite_store: SqlStore) -> None:
    """Rows are counted here, pages by SQLite: pictures and what triages kept are large."""
    most = await sqlite_store.write(
        lambda tx: tx.connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()  # type: ignore[attr-defined]
    )
    assert most == PAGES_MAX
