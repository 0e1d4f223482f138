"""The ports of the listeners: the memory of the desk's events, and the reader of a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.desk_events import DeskEvent, EventKind, Parked, PayloadEntry
from triage.model import Source, Subject


class Events(Protocol):
    """What the desk said, each thing once, for as long as it is of use."""

    def add(self, events: Sequence[DeskEvent], *, now: datetime) -> set[str]:
        """Store events and count their kinds by the minute. Returns the keys of those that were new."""
        ...

    def raised(self, since: datetime) -> set[EventKind]:
        """Return the kinds of which a signal was made after ``since``."""
        ...

    def mark_raised(self, keys: Collection[str]) -> None:
        """Remember that signals were made of these events."""
        ...

    def counts(self, kinds: Collection[EventKind], *, start: datetime, end: datetime) -> dict[EventKind, int]:
        """Return how many events of each kind happened from ``start`` to ``end`` (whole minutes, end not in it)."""
        ...

    def by_reason(self, source: Source, *, start: datetime, end: datetime) -> dict[str, int]:
        """Return how many events of a source there were by reason, in whole minutes as ``counts``."""
        ...

    def counted_since(self) -> datetime | None:
        """Return the oldest minute that is counted; None before the first event."""
        ...

    def of(
        self,
        subjects: Collection[Subject],
        *,
        since: datetime,
        until: datetime,
        limit: int = 200,
        changes_only: bool = False,
        source: Source | None = None,
    ) -> list[DeskEvent]:
        """Return the newest events of some subjects (none named: of all), oldest first."""
        ...

    def related(self, events: Collection[DeskEvent], limit: int = 100) -> list[DeskEvent]:
        """Return what the events point to by their correlation ids, and what points to them."""
        ...

    def on_timeline(self, incident_id: int) -> int:
        """Return how many events stand on an incident's timeline."""
        ...

    def park(self, parked: Sequence[Parked], *, now: datetime) -> int:
        """Keep entries aside that do not validate, or that we failed on. Returns how many were new."""
        ...

    def failed_on(self, stream: str, limit: int = 1000) -> list[Parked]:
        """Return the newest entries of a stream that we failed on, oldest first."""
        ...

    def unpark(self, key: str) -> None:
        """Drop an entry that is taken after all."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Return how many ``events`` and ``parked`` entries are kept."""
        ...

    def forget(self, *, before: datetime, keep: int, limit: int = 5000) -> int:
        """Drop up to ``limit`` events stored before a time or beyond the newest ``keep``; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """What one read gave.

    ``lost``: the group or the stream is gone, why in words; nothing was read. ``old``: the entries had been
    delivered before, to this reader or to one that died.
    """

    entries: tuple[PayloadEntry, ...] = ()
    old: bool = False
    lost: str = ""


@dataclass(frozen=True, slots=True)
class GroupPosition:
    """Where a reader's group stands. ``missed``: entries trimmed away before it came to them (0: none).

    ``lag``: entries it has not come to yet, None where Redis does not know; ``pending``: read and not stored.
    """

    length: int
    first_id: str
    last_id: str
    delivered_id: str
    lag: int | None
    pending: int
    missed: int = 0


class Reader(Protocol):
    """Reads one stream in a consumer group that several readers share. Raises ``SourceError``."""

    stream: str

    async def open(self, start_id: str, *, known_id: str = "") -> bool:
        """Make the group where there is none, to begin behind ``start_id``. Returns whether it was made.

        ``known_id``: the newest entry that is stored; a stream that ends before it began anew, and is read
        from its beginning.
        """
        ...

    def rewind(self) -> None:
        """Begin again with what was read and not acknowledged: the last batch could not be stored."""
        ...

    async def read(self) -> StreamBatch:
        """Return the next entries: first what was read and not stored, then new ones (waits a while for them)."""
        ...

    async def done(self, entries: Iterable[PayloadEntry]) -> None:
        """Acknowledge entries that are stored."""
        ...

    async def standing(self) -> GroupPosition | None:
        """Say where the group stands; None where there is none."""
        ...
