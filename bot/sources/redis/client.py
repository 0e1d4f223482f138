"""Redis, asked for evidence: its health and what its streams hold."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from bot.sources.circuit import Circuit
from bot.sources.redis.connection import ANSWER_SECONDS, NAME, entry_id, redis_errors
from triage.errors import SourceTooLarge
from triage.ports.sources import GroupInfo, RedisHealth, StreamEntry, StreamInfo

_BATCH = 50
_BYTES_MAX = 8 * 1024 * 1024
_MISSING = "no such key"


class RedisStreams:
    """The port ``Streams``. ``seconds``: the longest one question may take, all its round trips together."""

    def __init__(self, client: Redis, *, seconds: float = ANSWER_SECONDS) -> None:
        self._redis: Any = client  # redis-py's hints mix the sync and async worlds
        self._seconds = seconds
        self._circuit = Circuit(NAME)

    @asynccontextmanager
    async def _question(self) -> AsyncIterator[None]:
        with self._circuit.question(self._seconds) as limit, redis_errors(limit):
            async with asyncio.timeout(limit):
                yield

    async def health(self) -> RedisHealth:
        """Ping and describe the server."""
        async with self._question():
            seconds, info = await _both(self._ping(), self._redis.info())
            saved = (info.get("rdb_last_bgsave_status", "ok"), info.get("aof_last_write_status", "ok"))
            return RedisHealth(
                role=str(info["role"]),
                memory_used=int(info["used_memory"]),
                memory_max=int(info.get("maxmemory", 0)),
                evicted_keys=int(info.get("evicted_keys", 0)),
                persistence_ok=all(status == "ok" for status in saved),
                loading=bool(int(info.get("loading", 0))),
                ping_seconds=seconds,
                info={str(name): value for name, value in info.items()},
            )

    async def _ping(self) -> float:
        started = time.monotonic()
        await self._redis.ping()
        return time.monotonic() - started

    async def info(self, stream: str) -> StreamInfo:
        """Describe one stream and its consumer groups; a stream that is not there has length 0."""
        async with self._question():
            try:
                about, groups = await _both(
                    self._redis.xinfo_stream(stream), self._redis.xinfo_groups(stream)
                )
            except exceptions.ResponseError as error:
                if _MISSING in str(error):
                    return StreamInfo(stream, 0, "")
                raise
            return StreamInfo(
                name=stream,
                length=int(about["length"]),
                last_id=str(about["last-generated-id"]) if int(about["length"]) else "",
                groups=tuple(_group(each) for each in groups),
            )

    async def newest(self, stream: str, *, count: int = 100) -> tuple[StreamEntry, ...]:
        """Return the newest entries, oldest first."""
        found: list[StreamEntry] = []
        size, upper = 0, "+"
        async with self._question():
            while len(found) < count:
                wanted = min(_BATCH, count - len(found))
                batch = _entries(await self._redis.xrevrange(stream, max=upper, count=wanted))
                size = _counted(size, batch)
                found += batch
                if len(batch) < wanted:
                    break
                upper = f"({batch[-1].id}"
        return tuple(reversed(found))

    async def between(
        self, stream: str, *, start: datetime, end: datetime, count: int = 1000
    ) -> tuple[StreamEntry, ...]:
        """Return entries of a time range (both ends in it), oldest first."""
        found: list[StreamEntry] = []
        size, lower = 0, str(max(0, math.ceil(start.timestamp() * 1000)))
        upper = str(max(0, math.floor(end.timestamp() * 1000)))
        async with self._question():
            while len(found) < count:
                wanted = min(_BATCH, count - len(found))
                batch = _entries(await self._redis.xrange(stream, min=lower, max=upper, count=wanted))
                size = _counted(size, batch)
                found += batch
                if len(batch) < wanted:
                    break
                lower = f"({batch[-1].id}"
        return tuple(found)

    async def add(self, stream: str, fields: Mapping[str, str], *, max_length: int) -> str:
        """Append an entry (approximate MAXLEN) and return its id. After a timeout it may be there or not."""
        async with self._question():
            added = await self._redis.xadd(stream, dict(fields), maxlen=max_length, approximate=True)
            return entry_id(added)


async def _both(one: Awaitable[Any], two: Awaitable[Any]) -> tuple[Any, Any]:
    """Ask two things in the time of one; both have ended when this ends. Raises the first error.

    Not a TaskGroup: that marks the asking task as cancelled when a question fails, which ``redis_errors`` looks at.
    """
    answers = await asyncio.gather(one, two, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers[0], answers[1]


def _entries(answer: Any) -> list[StreamEntry]:  # noqa: ANN401 - as redis-py gives it
    return [
        StreamEntry(entry_id(told), {str(name): str(value) for name, value in (fields or {}).items()})
        for told, fields in answer
    ]


def _counted(size: int, batch: list[StreamEntry]) -> int:
    size += sum(len(name) + len(value) for entry in batch for name, value in entry.fields.items())
    if size > _BYTES_MAX:
        raise SourceTooLarge(
            NAME, f"answer too large: the entries are larger than {_BYTES_MAX // 1024 // 1024} MiB together"
        )
    return size


def _group(group: Mapping[str, Any]) -> GroupInfo:
    lag = group.get("lag")
    return GroupInfo(
        name=str(group["name"]),
        pending=int(group["pending"]),
        lag=int(lag) if lag is not None else None,
        last_delivered_id=str(group["last-delivered-id"]),
        consumers=int(group["consumers"]),
    )
