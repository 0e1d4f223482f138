"""The timelines of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from triage.model import TimelineEntry, TimelineKind


class Timeline(Protocol):
    """The stories of incidents; nothing is ever changed or removed."""

    def add(self, entry: TimelineEntry) -> int | None:
        """Append an entry and return its id; None when its ``key`` is there already."""
        ...

    def add_all(self, entries: Sequence[TimelineEntry]) -> None:
        """Append entries whose ids nobody needs; one whose ``key`` is there already is left out."""
        ...

    def of(self, incident_id: int, *kinds: TimelineKind) -> list[TimelineEntry]:
        """Return an incident's entries, those of some kinds where given, in the order in which things happened."""
        ...

    def get(self, entry_id: int) -> TimelineEntry | None:
        """Return one entry."""
        ...
