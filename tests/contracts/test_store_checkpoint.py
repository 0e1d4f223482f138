"""SQLite's log of writes is copied back when nobody waits."""

from pathlib import Path

from bot.store import SqlStore
from bot.store.checkpoint import PAGES_MAX, ROWS, ROWS_MAX, Checkpoints
from tests.contracts.test_store_outcomes import until
from triage.ports.store import Tx


def size(store: SqlStore, which: str) -> int:
    """Return the bytes of the database's own file, or of its log (``-wal``)."""
    return Path(f"{store.writer.engine.url.database}{which}").stat().st_size


def many(tx: Tx) -> None:
    """Write more rows than a log is left with."""
    for number in range(ROWS + 100):
        tx.notes.put(f"key {number}", "x" * 500)


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
    """While units are queued the log grows, and not without end; a few rows are no reason."""
    for rows, quiet, copied in (
        (ROWS - 1, True, False),
        (ROWS, True, True),
        (ROWS, False, False),
        (ROWS_MAX, False, True),
    ):
        checkpoints = Checkpoints(sqlite_store._reading, sqlite_store.writer._file)
        checkpoints.wrote("5", str(5 + rows))
        checkpoints.run(quiet=quiet)
        assert (checkpoints.rows == 0) is copied


def test_a_log_that_cannot_be_copied_stops_nobody(sqlite_store: SqlStore) -> None:
    """Whether the store commits, its commits say."""
    checkpoints = Checkpoints(sqlite_store._reading, sqlite_store.writer._file, rows=ROWS)
    sqlite_store._reading.pool = sqlite_store._reading.pool.recreate()
    sqlite_store._reading.pool._creator = lambda *_: 1 / 0  # type: ignore[assignment]
    checkpoints.run(quiet=True)
    assert checkpoints.rows == 0


async def test_few_rows_that_hold_much_do_not_let_the_log_grow(sqlite_store: SqlStore) -> None:
    """Rows are counted here, pages by SQLite: pictures and what triages kept are large."""
    most = await sqlite_store.write(
        lambda tx: tx.connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar()  # type: ignore[attr-defined]
    )
    assert most == PAGES_MAX
