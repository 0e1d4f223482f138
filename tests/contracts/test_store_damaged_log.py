"""A killed process leaves a log with overwritten bytes in its middle: what lies behind them is not dropped."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.doctor.repair import repair
from bot.store import open_store
from bot.store.damaged_log import mend_log
from tests.contracts.store_samples import NOW, signal
from triage.ports.store import Tx

pytestmark = pytest.mark.slow

MANY, FRAME = 80, 24 + 4096


def large(number: int) -> str:
    """Return a note that takes a page of its own."""
    return f"{number} " + "x" * 3000


def put(path: Path, content: bytes) -> None:
    """Write a file."""
    path.write_bytes(content)


@pytest.fixture
async def killed(tmp_path: Path) -> Path:
    """Give a database and its log as a kill leaves them, with commits that are in the log alone."""
    file, left = tmp_path / "running.db", tmp_path / "triage.db"
    async with open_store(f"sqlite:///{file}") as store:
        await store.keep([signal("before")])
        for number in range(MANY):

            def write(tx: Tx, number: int = number) -> None:
                tx.notes.put(f"note {number}", large(number))

            await store.write(write)
        await asyncio.to_thread(shutil.copy, file, left)
        await asyncio.to_thread(shutil.copy, f"{file}-wal", f"{left}-wal")
    return left


async def notes(file: Path) -> int:
    """Start on it, and count what is there."""
    async with open_store(f"sqlite:///{file}") as store:
        return await store.read(lambda tx: sum(tx.notes.get(f"note {n}") == large(n) for n in range(MANY)))


def log_of(file: Path) -> bytes:
    """Read its log."""
    return file.with_name(f"{file.name}-wal").read_bytes()


def damage(file: Path, at: int, size: int = 400) -> None:
    """Overwrite bytes of the log."""
    log = log_of(file)
    put(file.with_name(f"{file.name}-wal"), log[:at] + b"\xee" * size + log[at + size :])


async def test_what_lies_behind_damaged_bytes_is_kept(killed: Path) -> None:
    """SQLite would have gone on from the half before them."""
    log = log_of(killed)
    damage(killed, 32 + len(log) // FRAME // 2 * FRAME + 100)
    said, mended = mend_log(f"sqlite:///{killed}", NOW)
    assert mended, said
    assert "1 pages in the log" in said
    assert await notes(killed) >= MANY - 1
    [copy] = killed.parent.glob("triage.db.damaged-*")
    assert len(log_of(copy / "triage.db")) == len(log)


async def test_a_log_that_is_whole_or_ends_in_a_cut_off_transaction_is_left_to_sqlite(killed: Path) -> None:
    """Of the last commit nobody was told that it is stored."""
    log = log_of(killed)
    assert mend_log(f"sqlite:///{killed}", NOW) == ("", True)
    damage(killed, len(log) - 2000)
    assert mend_log(f"sqlite:///{killed}", NOW) == ("", True)
    put(killed.with_name("triage.db-wal"), log[: -FRAME // 2])
    assert mend_log(f"sqlite:///{killed}", NOW) == ("", True)
    assert await notes(killed) == MANY - 1
    assert list(killed.parent.glob("triage.db.damaged-*")) == []


async def test_a_database_that_would_not_be_whole_with_the_rest_is_left_and_it_is_said(killed: Path) -> None:
    """With the copy a person can recover what is on the other pages."""
    log = log_of(killed)
    first = 32 + len(log) // FRAME // 3 * FRAME
    damage(killed, first, 20 * FRAME)
    before = killed.read_bytes()  # noqa: ASYNC240 - a test's own
    said, mended = mend_log(f"sqlite:///{killed}", NOW)
    assert not mended
    assert "doctor --repair" in said
    assert killed.read_bytes() == before  # noqa: ASYNC240 - a test's own
    [copy] = killed.parent.glob("triage.db.damaged-*")
    assert str(copy) in said
    done = repair(f"sqlite:///{copy}/triage.db", NOW)
    assert done.whole, done.lines
    assert await notes(killed) < await notes(copy / "triage.db")


async def test_a_log_whose_database_is_gone_is_kept_and_said(killed: Path) -> None:
    """SQLite removes it as it makes a new database."""
    log = log_of(killed)
    put(killed, b"")
    said, mended = mend_log(f"sqlite:///{killed}", NOW)
    assert not mended
    assert "restore a backup" in said
    assert await notes(killed) == 0
    [copy] = killed.parent.glob("triage.db.damaged-*")
    assert log_of(copy / "triage.db") == log
