"""Whether a SQLite database is still the file that was opened.

One that was deleted, moved or replaced beneath us takes commits as ever, and nobody finds them after the next start.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from triage.errors import NotStored


class SameFile:
    """Knows the database's file by what it was when it was first looked at; knows nothing where it is no file."""

    def __init__(self, url: sa.URL) -> None:
        of_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
        self._path = Path(str(url.database)).resolve() if of_file else None
        self._known: tuple[int, int] | None = None

    def insist(self) -> None:
        """Raise NotStored where the file is another one by now, or not there, or empty."""
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


_MEND = "put the file back, or restore a backup and restart the service"
