"""One thing that the desk said or did, kept for a while: rates, timelines and triage are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from triage.model import Json, Source, Subject
from triage.outside_numbers import whole


class Gravity(StrEnum):
    """How grave an event is by its own words (the audit stream's ``severity``)."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class DeskEvent(NamedTuple):
    """An event. ``key`` makes it once only: ``audit/<event_id>``, ``<stream>/<entry id>``, ``container/…``.

    ``at`` is when it happened, by the one who tells it; ``reason`` is what varies between events of one
    category and is to be told apart, its numbers and ids masked. ``change``: it changed the desk (a
    deployment, an operator's action), so it answers "what changed". ``text`` is untrusted and plain.

    A tuple: it is made in a quarter of the time of a frozen dataclass, and a flood has a hundred thousand of them.
    """

    key: str
    source: Source
    at: datetime
    subject: Subject
    gravity: Gravity
    category: str
    text: str
    reason: str = ""
    correlation_id: str = ""
    change: bool = False
    data: Mapping[str, Json] = MappingProxyType({})

    @property
    def kind(self) -> EventKind:
        """What its rate is counted under."""
        return EventKind(self.source, self.subject, self.category, self.reason)


@dataclass(frozen=True, slots=True)
class EventKind:
    """Events that are of one kind: the same source, subject, category and reason."""

    source: Source
    subject: Subject
    category: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayloadEntry:
    """One entry of a Redis stream as it was read: its id (``ms-seq``) and the text of its field ``payload``.

    ``payload`` is None where the entry has no such field, or was deleted before it could be read.
    """

    id: str
    payload: str | bytes | None


FAILED_ON = "we failed on it: "
"""How the reason begins where the fault is ours."""


def failed_on(error: BaseException) -> str:
    """Return the reason of an entry that we failed on."""
    return f"{FAILED_ON}{type(error).__name__}"


@dataclass(frozen=True, slots=True)
class Parked:
    """An entry kept aside with its reason: it does not validate, or we ``failed_on`` it and try it again after a start."""

    stream: str
    entry_id: str
    reason: str
    payload: str

    @property
    def key(self) -> str:
        """An entry is parked once."""
        return f"{self.stream}/{self.entry_id}"


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(entry_id: str, default: datetime) -> datetime:
    """Return when a stream's entry was added, by its id (``ms-seq``)."""
    milliseconds = entry_id.partition("-")[0]
    try:
        return EPOCH + timedelta(milliseconds=whole(milliseconds))
    except (ValueError, OverflowError):
        return default


def entry_key(entry_id: str) -> tuple[int, int]:
    """Return what orders entry ids; an unreadable one is before all."""
    milliseconds, _, sequence = entry_id.partition("-")
    try:
        return whole(milliseconds), whole(sequence or 0)
    except ValueError:
        return -1, 0
