"""Looks at the write-ahead log that a killed process left, before SQLite opens it.

SQLite believes a log up to the first frame that is damaged and drops all that comes after it without a word: what was
accepted then would be gone, and nobody would learn of it. What is behind such a frame is copied into the database here,
where the database is whole with it; else it is said. A log that ends in the middle of a transaction is no damaged one:
nobody was told that it is stored.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from bot.store.copies import copied, remove
from bot.store.log_frames import LogFrames, frames_of, page_size_of

COMMITS = 2
"""Commits behind a damaged frame that show a damaged log: a power cut may leave one that nobody was told of."""
_REPAIR = "stop the service, put the copy's files in their place and run hbot-triage doctor --repair"


def mend_log(url: str, now: datetime) -> tuple[str, bool]:
    """Return what to say of the log of the database at ``url``, empty where it is whole, and whether it was mended."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return "", True
    path = Path(parsed.database).resolve()
    try:
        log = log_of(path).read_bytes()
    except OSError:  # none is there, or whoever opens the database says why it cannot be read
        return "", True
    frames = frames_of(log)
    gone = frames.size > 0 and not path.stat().st_size
    if frames.commits_after_loss < COMMITS and not gone:
        return "", True
    try:
        copy = copied(path, now)
    except OSError as error:
        return (
            f"the log of {path} is damaged or alone, and no copy could be made: {error}; what it held is lost",
            False,
        )
    if gone:  # SQLite removes the log of a database without content
        return (
            f"{path} is empty, and its log is not: restore a backup; a new one is made, the log is at {copy}",
            False,
        )
    return _mended(path, frames, page_size_of(log), copy)


def log_of(path: Path) -> Path:
    """Return the path of a database's log."""
    return path.with_name(f"{path.name}-wal")


def _mended(path: Path, frames: LogFrames, page_size: int, copy: Path) -> tuple[str, bool]:
    found = f"{frames.lost} pages in the log of {path} are damaged"
    if not _put_in_place(path, frames, page_size):
        return f"{found}: what was stored behind them is only in the copy at {copy}; {_REPAIR}", False
    log_of(path).unlink()
    return (
        f"{found}: what stood there alone is lost, all else is in the database now; the log is at {copy}",
        True,
    )


def _put_in_place(path: Path, frames: LogFrames, page_size: int) -> bool:
    """Copy the log's pages into the database; False where it would not be whole with them, and is left as it is.

    Killed before the log is removed, the next start does the same again.
    """
    made = path.with_name(f"{path.name}.recovering-old")
    try:
        remove(made)
        shutil.copy2(path, made)
        frames.put_into(made, page_size)
        whole = _whole(made)
        if whole:
            made.replace(path)
    except OSError:  # no room for it
        return False
    finally:
        with suppress(OSError):
            remove(made)
    return whole


def _whole(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as database:
            return bool(database.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except (sqlite3.DatabaseError, ValueError):
        return False
