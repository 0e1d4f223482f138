"""The copy of a damaged SQLite file that is looked at: with what its log holds, and without what is not its own."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.doctor.pages import DatabasePages
from bot.store import action_tables, event_tables  # noqa: F401 - their tables are part of the metadata
from bot.store.log_frames import HEAD_SIZE, frames_of, page_size_of
from bot.store.tables import metadata
from bot.store.write_ahead_log import order_of

OURS = frozenset(metadata.tables)
FAULTS_MAX = 20
"""Faults of a check that are counted and shown."""
_MODES = slice(18, 20)
_WITH_A_LOG = b"\x02\x02"
"""What the head of a file says that is written through a log: then it has no journal."""


def prepare(path: Path, work: Path) -> list[str]:
    """Copy a database with what its log holds. Returns what was found damaged, or not its own, beside it."""
    shutil.copy2(path, work)
    return [*_journal(path, work), *_log(path, work)]


def tables_in(file: Path) -> set[str]:
    """Return the names of the tables that are found in a file."""
    return set(DatabasePages(file).roots)


def check(path: Path) -> list[str]:
    """Return what SQLite finds wrong in a file, and which of our tables are missing; empty where nothing is."""
    try:
        with closing(sqlite3.connect(path)) as database:
            database.text_factory = lambda text: text.decode("utf-8", "replace")
            found = [
                line
                for row in database.execute(f"PRAGMA integrity_check({FAULTS_MAX})")
                for line in str(row[0]).splitlines()
                if line != "ok" and not line.startswith("*** in database")
            ]
            there = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master")}
            rules = [
                f"row {row[1]} of {row[0]} refers to what is not there"
                for row in database.execute("PRAGMA foreign_key_check")
            ]
    except (sqlite3.DatabaseError, ValueError) as error:  # its words may hold damaged bytes of the file, too
        return [str(error) if isinstance(error, sqlite3.Error) else "its schema cannot be read"]
    missing = [f"the table {name} is missing" for name in metadata.tables if name not in there]
    return [*found, *rules[:FAULTS_MAX], *missing]


def _journal(path: Path, work: Path) -> list[str]:
    journal = path.with_name(f"{path.name}-journal")
    if not journal.exists() or not journal.stat().st_size:
        return []
    with path.open("rb") as file:
        if file.read(_MODES.stop)[_MODES] == _WITH_A_LOG:
            return ["the journal beside it is not its own; it was left out"]
    shutil.copy2(journal, work.with_name(f"{work.name}-journal"))
    return []


def _log(path: Path, work: Path) -> list[str]:
    """Copy the log into the database."""
    file = path.with_name(f"{path.name}-wal")
    log = file.read_bytes() if file.exists() else b""
    frames = frames_of(log)
    if not frames.size:
        lost = len(log) > HEAD_SIZE and not order_of(log[:HEAD_SIZE])
        return ["nothing of its log can be read"] if lost else []
    before, fits = tables_in(work), frames.lost or check(work)
    frames.put_into(work, page_size_of(log))
    if (before & OURS and not before <= tables_in(work)) or (not fits and check(work)):
        shutil.copy2(path, work)
        return ["the log beside it is not its own; it was left out"]
    said = f"pages in its log that cannot be read: {frames.lost}; what else the log holds was used"
    return [said] if frames.lost else []
