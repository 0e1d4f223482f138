"""SQLite's write-ahead log is harmed beneath the store, or used by others in the ways that SQLite allows."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store import open_store
from tests.contracts.store_samples import note, signal
from tests.contracts.test_store_faults import emptied, removed, replaced
from triage.errors import NotStored


def log_of(file: Path) -> Path:
    """Return the write-ahead log's path."""
    return file.with_name(f"{file.name}-wal")


def overwritten(at: int, size: int) -> Callable[[Path], None]:
    """Make a harm that turns bytes of the log, counted from its end where ``at`` is negative."""

    def harm(log: Path) -> None:
        whole = bytearray(log.read_bytes())
        begin = at % len(whole)
        whole[begin : begin + size] = bytes(byte ^ 0xFF for byte in whole[begin : begin + size])
        with log.open("r+b") as opened:
            opened.write(whole)

    return harm


def wiped(log: Path) -> None:
    """Fill it with zeros; its length stays."""
    log.write_bytes(bytes(log.stat().st_size))


FRAME = 24 + 4096
"""Bytes of a frame of the log: its head and a page."""
CHANGED: dict[str, Callable[[Path], None]] = {
    "emptied": emptied,
    "wiped": wiped,
    "page size": overwritten(9, 1),
    "last frame": overwritten(-FRAME + 17, 1),
    "last page cut": lambda log: os.truncate(log, log.stat().st_size - FRAME),
}


@pytest.mark.parametrize("harm", CHANGED.values(), ids=CHANGED)
async def test_a_log_that_was_changed_takes_nothing_and_is_not_copied_at_the_end(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """What is missing in it would be copied into the database as empty pages; both stay as they are."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        harm(log_of(file))
        with pytest.raises(NotStored, match=r"triage\.db-wal was changed"):
            await store.keep([signal("after")])
        assert "triage.db-wal was changed" in store.health.problem()
        left, database = log_of(file).read_bytes(), file.read_bytes()
    assert (log_of(file).read_bytes(), file.read_bytes()) == (left, database)
    async with open_store(f"sqlite:///{file}") as store:
        assert await store.keep([signal("again")]) == 1
        whole = await store.write(lambda tx: tx.connection.exec_driver_sql("PRAGMA integrity_check").scalar())  # type: ignore[attr-defined]
    assert whole == "ok"


async def test_a_log_that_is_changed_after_the_last_write_is_not_copied_either(tmp_path: Path) -> None:
    """There is no later write that would have noticed."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        emptied(log_of(file))
        database = file.read_bytes()
    assert (log_of(file).read_bytes(), file.read_bytes()) == (b"", database)


@pytest.mark.parametrize("harm", [removed, replaced])
async def test_a_log_that_is_another_one_takes_nothing_and_a_stop_keeps_what_was_stored(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """SQLite has its own one open still, and copies it when it closes."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        harm(log_of(file))
        with pytest.raises(NotStored, match=r"triage\.db-wal.*start it: nothing is lost"):
            await store.keep([signal("after")])
    async with open_store(f"sqlite:///{file}") as store:
        assert await store.read(lambda tx: tx.signals.waiting()) == 1


async def test_a_log_that_was_put_back_is_written_on(tmp_path: Path) -> None:
    """It is the same one again, without a restart."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        away = log_of(file).rename(tmp_path / "away")
        with pytest.raises(NotStored, match=r"triage\.db-wal is gone"):
            await store.keep([signal("after")])
        away.rename(log_of(file))
        assert await store.keep([signal("after")]) == 1
        assert store.health.problem() == ""


async def test_what_others_do_with_the_database_by_sqlite_is_no_harm(tmp_path: Path) -> None:
    """They read, write, checkpoint, empty the log and pack the database between any two of our commits."""
    file = tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        for number, what in enumerate(
            (
                "PRAGMA wal_checkpoint(PASSIVE)",
                "PRAGMA wal_checkpoint(RESTART)",
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "INSERT INTO notes (key, value) VALUES ('by hand', hex(zeroblob(50000)))",
                "VACUUM",
                "DELETE FROM notes WHERE key = 'by hand'",
                "PRAGMA incremental_vacuum",
                "SELECT count(*) FROM notes",
            )
        ):
            assert await store.keep([signal(f"a{number}")]) == 1
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute(what).fetchall()
            assert await store.keep([signal(f"b{number}")]) == 1
            assert await store.write(note("x" * 5000 * number)) == "x" * 5000 * number
        store.writer.engine.dispose()  # the only one who writes has another connection then
        assert await store.keep([signal("last")]) == 1
