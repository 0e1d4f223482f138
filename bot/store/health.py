"""How the store is, from what became of its last commits and reads: for ``/readyz``, and one line of log a change."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock

from loguru import logger

from bot.store import database_errors
from triage.masking import masked


@dataclass(slots=True)
class Unreadable:
    """Records that could not be read: each costs only itself, and is said. By table and id."""

    found: dict[tuple[str, int | str], str] = field(default_factory=dict)

    def over(self, table: str, record: int | str) -> None:
        """Forget a record that can be read again: it was written anew."""
        if self.found:
            self.found.pop((table, record), None)

    def note(self, table: str, record: int | str, error: Exception) -> None:
        """Note that a record cannot be read; logged once."""
        why = masked(f"{type(error).__name__}: {' '.join(str(error).split())}")[:200]
        if self.found.setdefault((table, record), why) is why:
            logger.error("record {id} of {table} cannot be read: {why}", id=record, table=table, why=why)

    def problem(self) -> str:
        """Say which records cannot be read; empty where all can."""
        if not self.found:
            return ""
        (table, record), why = next(iter(self.found.items()))
        return f"{len(self.found)} cannot be read, among them {record} of {table} ({why})"


REPAIR = "stop the service and run hbot-triage doctor --repair"
GRANT = "give its user the rights on all of the service's tables"
RESTORE = "restore its backup; in a new database, a start of the service makes its tables"
"""What PostgreSQL's administrator does where something is missing."""


class StoreHealth:
    """Written by the store's threads, read by whoever asks. ``damage`` stays until the process ends.

    Where it is nothing but tables, columns or rights that are not there (``missing``), it ends when they are back.

    A commit that wrote nothing says nothing of the disk, so it does not end a failure. What is damaged or missing is
    no failure of commits, which others would end and begin from moment to moment.
    """

    def __init__(self) -> None:
        self.damage = ""
        """What of it is damaged or missing, and the mend."""
        self.missing = False
        self.records = Unreadable()
        self._failure = ""
        self._since = 0.0
        self._lock = Lock()

    @property
    def failing(self) -> bool:
        """Whether the last commit that had something to write failed."""
        return bool(self._failure)

    def committed(self) -> None:
        """Note that a commit wrote something."""
        if not self._failure:
            return
        with self._lock:
            failure, self._failure = self._failure, ""
        if failure:
            logger.info("the store commits again after {s:.0f} s", s=time.monotonic() - self._since)

    def failed(self, error: BaseException) -> None:
        """Note that the database could not serve a commit."""
        if self._note_damage(error):
            return
        with self._lock:
            first = not self._failure
            if first:
                self._since = time.monotonic()
            self._failure = database_errors.in_one_line(error)
        if first:
            logger.error(
                "the store cannot commit: {why}; it is tried again", why=database_errors.in_one_line(error)
            )

    def unreadable(self, error: BaseException) -> None:
        """Note that the database could not serve a read."""
        self._note_damage(error)

    def _note_damage(self, error: BaseException) -> bool:
        """Note what an error says of damage; False where it says nothing of it. Logged once, until it ends."""
        found = database_errors.damage(error)
        if not found:
            return False
        missing = database_errors.something_is_missing(error)
        if self._failure and not self.damage and not missing:
            return False  # a disk that cannot be read makes SQLite say it of a whole file; real damage is met again
        named = _named(error, found)
        with self._lock:
            first = not self.damage or (self.missing and not missing)
            self.missing = missing and (self.missing or not self.damage)
            self.damage = named if first else self.damage
        if first:
            logger.error("{what}", what=named)
        return True

    def found_damaged(self, what: str) -> None:
        """Note damage that was found at the start, with its mend; for the life of the process."""
        with self._lock:
            self.damage, self.missing = what, False

    def whole_again(self) -> None:
        """Note that every table, column and right is there."""
        with self._lock:
            ended, self.missing = self.missing, False
            if ended:
                self.damage = ""
        if ended:
            logger.info("what was missing in the database is there again")

    @property
    def troubled(self) -> bool:
        """Whether the store is to be tried by itself: a commit failed, or something was missing."""
        return self.failing or self.missing

    def problem(self) -> str:
        """Say what is wrong with the store, in words; empty where nothing is."""
        if self.damage:
            return self.damage
        if self._failure:
            return f"commits fail since {time.monotonic() - self._since:.0f} s: {self._failure}"
        return ""


def _named(error: BaseException, found: str) -> str:
    if database_errors.refused(error):
        return f"the database refuses its user ({found}): {GRANT}"
    return f"the database is damaged ({found}): {RESTORE if database_errors.of_a_server(error) else REPAIR}"
