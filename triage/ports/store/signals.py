"""Signals as they came, and the inbox of those that are not sorted yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.model import Signal, Source


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal with the id it was stored under; ids grow in the order of arrival.

    ``incident_id``: the incident it was shown in when it had been put aside.
    """

    id: int
    signal: Signal
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingSignal:
    """What of a signal in the inbox is text as it was stored: readable even where the signal is not."""

    id: int
    status: str
    name: str
    subject: str
    severity: str
    incident_id: int | None


class Signals(Protocol):
    """Signals as they came; the ones not yet sorted are the inbox of correlation."""

    def add(self, signals: Sequence[Signal]) -> int:
        """Store the signals; a repeat only moves ``last seen``. Returns how many were new."""
        ...

    def inbox(self, limit: int) -> list[StoredSignal]:
        """Return the oldest signals that are not sorted yet."""
        ...

    def waiting(self) -> int:
        """Return how many signals are not sorted yet."""
        ...

    def waiting_ids(self, limit: int) -> list[int]:
        """Return the ids of the oldest signals that are not sorted yet, without reading what they hold."""
        ...

    def waiting_one(self, signal_id: int) -> StoredSignal | None:
        """Return one signal where it is not sorted yet."""
        ...

    def waiting_text(self, signal_id: int) -> WaitingSignal | None:
        """Return what of an unsorted signal can be read even where the signal cannot."""
        ...

    def take_up(self, outcome: str) -> int:
        """Put every signal whose outcome begins with a text back into the inbox. Returns how many."""
        ...

    def sort(self, outcomes: Sequence[tuple[int, int | None, str]]) -> None:
        """Take signals (signal id, incident id or None, why) out of the inbox."""
        ...

    def ended(self, keys: Iterable[tuple[Source, str]]) -> set[tuple[Source, str]]:
        """Return those of these episodes whose resolve was sorted: it came, and ended nothing that fires now."""
        ...

    def fired_after_end(self, since: datetime, margin_seconds: float) -> list[tuple[StoredSignal, datetime]]:
        """Return alerts that were said to fire, since a time, well after every episode of theirs had ended.

        Each with when its last episode ended.
        """
        ...

    def last_seen(self, incident_id: int) -> datetime | None:
        """Return when a signal of the incident, or a repeat of one, came last."""
        ...

    def of(self, incident_id: int) -> list[StoredSignal]:
        """Return the signals of an incident, oldest first."""
        ...
