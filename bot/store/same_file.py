"""Whether a SQLite database is still the file that was opened.

One that was deleted, moved or replaced beneath us takes commits as ever, and nobody finds them after the next start.
The same goes for its write-ahead log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import sqlalchemy as sa
from loguru import logger

from bot.store.health import REPAIR
from bot.store.write_ahead_log import WriteAheadLog
from triage.errors import NotStored


class SameFile:
    """Knows the database's file by what it was when it was first looked at; knows nothing where it is no file."""

    def __init__(self, url: sa.URL) -> None:
        of_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
        self._path = Path(str(url.database)).resolve() if of_file else None
        self._known: tuple[int, int] | None = None
        self._log = WriteAheadLog(self._path) if self._path else None

    def insist(self, connection: sa.Connection) -> None:
        """Raise NotStored where the file or its log is another one by now, or not there, or emptied.

        To be asked by the one who writes, in each transaction that it has begun.
        """
        if self._path is None:
            return
        try:
            found = self._path.stat()
        except OSError as error:
            raise NotStored(f"the database's file {self._path} is gone: {error.strerror}; {_MEND}") from error
        if self._known is None:
            self._known = (found.st_dev, found.st_ino)
        if (found.st_dev, found.st_ino) != self._known:
            raise NotStored(f"{self._path} is not the database's file any more; {_MEND}")
        if not found.st_size:
            raise NotStored(f"the database's file {self._path} is empty; {_MEND}")
        if self._log and (problem := self._log.problem(connection)):
            raise NotStored(problem)

    def let_go(self) -> None:
        """Keep nothing open of what SQLite has closed with a connection."""
        if self._log:
            self._log.let_go()

    @contextmanager
    def closing(self, engine: sa.Engine) -> Iterator[None]:
        """Have the block close the last connections; a log that is damaged by now is left beside the database."""
        if not self._log:
            yield
            return
        with suppress(Exception), engine.begin() as connection:  # whatever it is, there is no more to write
            self._log.problem(connection)
        if self._log.changed:
            logger.error("the database's log is damaged and was not copied into it; {mend}", mend=REPAIR)
        with self._log.kept() if self._log.changed else nullcontext():
            yield
        self._log.close()


_MEND = "put the file back, or restore a backup and restart the service"
