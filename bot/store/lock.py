"""One service process on one SQLite file: a second one would take the first one's work for a dead process's."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    path = Path(f"{parsed.database}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(
                f"TRIAGE_DATABASE_URL: another hbot-triage runs on {parsed.database}; end it (replicas need PostgreSQL)"
            ) from None
        yield
