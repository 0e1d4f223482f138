"""Copies SQLite's log of writes back into the database when nobody waits, and not within somebody's COMMIT.

By itself SQLite does so in the commit that makes the log longer than a thousand pages: that one takes 4 to 8 ms longer,
and the largest commit, the one that a first post waits for, meets it most. A moment in which the queue is empty is not
quiet: the next batch of a flood comes a millisecond later, and waited 20 ms for the copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from loguru import logger

from bot.store.same_file import SameFile

ROWS, ROWS_MAX = 1_000, 15_000
"""Changed rows after which the log is copied in the next quiet moment, and after which nothing is waited for."""
PAGES_MAX = 8_192
"""Pages of the log (32 MiB) after which SQLite copies it by itself all the same: a few rows may hold pictures."""


@dataclass(slots=True)
class Checkpoints:
    """How much was written since the log was copied. PostgreSQL does this by itself, beside its commits."""

    engine: sa.Engine
    file: SameFile
    rows: int = 0

    def wrote(self, before: str, after: str) -> None:
        """Count what a transaction changed, by the marks of ``bot.store.probe.written``."""
        if self.engine.dialect.name == "sqlite":
            self.rows += int(after) - int(before)

    @property
    def due(self) -> bool:
        """Whether the log is to be copied in the next quiet moment."""
        return self.rows >= ROWS

    @property
    def overdue(self) -> bool:
        """Whether no quiet moment is waited for any more."""
        return self.rows >= ROWS_MAX

    def run(self) -> None:
        """Copy the log. One that cannot be copied waits: whether the store commits, commits say."""
        self.rows = 0
        try:
            with self.engine.connect() as connection:
                with connection.begin():
                    self.file.insist(connection)  # what is damaged in the log would damage the database
                driver = connection.connection.driver_connection
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # type: ignore[union-attr] # SQLite's own
        except Exception as error:  # noqa: BLE001 - whatever the disk says here, it says to the next commit too
            logger.debug("the log of writes is not copied: {error}", error=error)
