"""What the desk's Redis is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of a Redis stream: its id (``ms-seq``) and its fields."""

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """A consumer group: ``lag`` entries not yet delivered (None: unknown), ``pending`` delivered and not acknowledged."""

    name: str
    pending: int
    lag: int | None
    last_delivered_id: str
    consumers: int


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream: how many entries, the newest one's id, its groups. ``length`` 0 and no id: it does not exist."""

    name: str
    length: int
    last_id: str
    groups: tuple[GroupInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisHealth:
    """``INFO`` in our words. ``role`` master | slave; ``memory_max`` 0 means no limit (bytes)."""

    role: str
    memory_used: int
    memory_max: int
    evicted_keys: int
    persistence_ok: bool
    loading: bool
    ping_seconds: float
    info: Mapping[str, Any] = field(default_factory=dict)


class Streams(Protocol):
    """Redis: only what is asked for evidence; the reader of the audit stream is in ``handlers``."""

    async def health(self) -> RedisHealth:
        """Ping and describe the server."""
        ...

    async def info(self, stream: str) -> StreamInfo:
        """Describe one stream and its consumer groups."""
        ...

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Return the newest entries, oldest first."""
        ...

    async def between(
        self, stream: str, *, start: datetime, end: datetime, count: int = 1000
    ) -> tuple[StreamEntry, ...]:
        """Return entries of a time range, oldest first."""
        ...

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Append an entry (approximate MAXLEN) and return its id."""
        ...
