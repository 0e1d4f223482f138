"""What removes rows that are older than they have to be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Aging(Protocol):
    """Forgets what is older than it has to be kept; the audit trail is no part of it. Each returns how many."""

    def newest(self) -> datetime | None:
        """Return the latest time at which a signal or an incident of the store changed; None where there is none."""
        ...

    def forget_signals(self, before: datetime, limit: int) -> int:
        """Remove signals last seen before a time, except those that wait or belong to an open incident."""
        ...

    def forget_findings(self, before: datetime, limit: int) -> int:
        """Remove findings and records of runs that ended before a time, except those of open incidents."""
        ...

    def forget_documents(self, before: datetime, limit: int) -> int:
        """Remove documents and pictures made before a time, except those that are still owed to the chat."""
        ...

    def forget_incidents(self, before: datetime, limit: int) -> int:
        """Remove resolved incidents that did not change since a time, with all that belongs to them.

        What hangs below them goes first, ``limit`` rows at a time.
        """
        ...

    def give_back(self, pages: int) -> int:
        """Give the disk back what was freed, so many pages at a time. Returns how many are still free."""
        ...

    def forget_periods(self, before: datetime, limit: int) -> int:
        """Remove claims of periods and events made before a time: nothing asks for those again."""
        ...
