"""One service process on one SQLite file: a second one would take over what the first one has claimed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from triage.errors import SettingError


@contextmanager
def only_process(url: str) -> Iterator[None]:
    """Hold the database's lock file until the end of the block; nothing to hold where it is no SQLite file.

    Raises SettingError where another process holds it. The lock goes with the process, however it ends.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        yield
        return
    # Whatever path leads there: two links to one file are one database.
    path = Path(f"{Path(parsed.database).resolve()}.lock")
    # The database's own file, too: a hard link to it has another path, and would have another journal beside it.
    with _opened(path) as lock, _opened(path.with_suffix("")) as database:
        try:
            for file in (lock, database):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(
                f"TRIAGE_DATABASE_URL: another hbot-triage runs on {parsed.database}; end it (replicas need PostgreSQL)"
            ) from None
        _keep_to_ourselves(path.with_suffix(""))
        yield


def _keep_to_ourselves(database: Path) -> None:
    """Take the rights of others from the database's files: one that was copied back may have let everybody read."""
    for end in ("", "-wal", "-shm", "-journal", ".lock"):
        file = Path(f"{database}{end}")
        with suppress(OSError):  # not there, or another user's, who decides about it
            file.chmod(file.stat().st_mode & 0o700)


def _opened(path: Path) -> IO[str]:
    """Open the lock's file. Raises SettingError where that cannot be: then the database could not be written either."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise SettingError(
            f"TRIAGE_DATABASE_URL: {path.parent} cannot be written ({error.strerror or error}): "
            "mount it writable and give it to the user that hbot-triage runs as, or name another folder"
        ) from error
