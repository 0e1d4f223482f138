"""Reads one Redis stream in a consumer group of our own.

What was read and not acknowledged is never lost: after each fault the reader begins with its own pending
entries, and it claims those of readers that died. Acknowledging is the caller's, after the commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from bot.sources.redis.capped import RedisAnswerTooLarge
from bot.sources.redis.connection import ANSWER_SECONDS, entry_id, redis_errors
from triage.desk_events import PayloadEntry, entry_key
from triage.masking import masked_and_cut
from triage.ports.events import GroupPosition, StreamBatch

BLOCK_SECONDS = 2.0
"""How long a read waits for something new; a stop does not wait for it, it cancels."""
LOOKS_WITHIN = 5
"""How often, within the time after which an entry counts as left, it is looked for what was left."""
_GONE = ("NOGROUP", "no such key", "UNBLOCKED")
_DEAD_CONSUMER_MS = 24 * 3600 * 1000
"""A consumer that has not read for a day and owes nothing is forgotten; each process leaves one behind."""


class GroupReader:
    """The port ``Reader``. ``client`` waits longer for an answer (see ``open_redis``) than a read blocks."""

    def __init__(
        self,
        client: Redis,
        stream: str,
        *,
        group: str,
        consumer: str,
        batch: int = 500,
        claim_idle_seconds: float = 10,
        block_seconds: float = BLOCK_SECONDS,
    ) -> None:
        self.stream = stream
        self._redis: Any = client  # redis-py's hints mix the sync and async worlds
        self._group, self._consumer, self._batch = group, consumer, batch
        self._count = batch
        """Entries asked for at once: fewer than a batch where they are so large that a batch is not read."""
        self._claim_ms = int(claim_idle_seconds * 1000)
        self._block_ms = int(block_seconds * 1000)
        self._own: str | None = "0"  # where in our own pending entries we are; None: at their end
        self._claim_from = "0-0"
        self._claim_at = 0.0

    @asynccontextmanager
    async def _question(self, seconds: float = ANSWER_SECONDS) -> AsyncIterator[None]:
        """A fault of any kind: what was on its way to us may be pending, so begin there again."""
        try:
            with redis_errors(seconds):
                async with asyncio.timeout(seconds):
                    yield
        except BaseException:
            self.rewind()
            raise

    def rewind(self) -> None:
        """Begin again with what was read and not acknowledged: the last batch could not be stored."""
        self._own, self._claim_from = "0", "0-0"

    async def open(self, start_id: str, *, known_id: str = "") -> bool:
        """Make the group where there is none, to begin behind ``start_id``. Returns whether it was made."""
        self._own, self._claim_from, self._claim_at = "0", "0-0", 0.0
        async with self._question():
            try:
                await self._redis.xgroup_create(self.stream, self._group, id=start_id, mkstream=True)
            except exceptions.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
                return False
            if known_id:
                about = await self._redis.xinfo_stream(self.stream)
                if entry_key(str(about["last-generated-id"])) < entry_key(known_id):
                    await self._redis.xgroup_setid(self.stream, self._group, id="0")
            return True

    async def read(self) -> StreamBatch:
        """Return the next entries: first what was read and not stored, then new ones (waits a while for them)."""
        async with self._question(ANSWER_SECONDS + self._block_ms / 1000):
            try:
                return await self._read()
            except exceptions.ResponseError as error:
                if any(word in str(error) for word in _GONE):
                    return StreamBatch(lost=masked_and_cut(str(error).splitlines()[0], 200))
                raise
            except RedisAnswerTooLarge:
                return await self._smaller()

    async def _smaller(self) -> StreamBatch:
        """Ask for fewer at once: the entries are large. One that is too large by itself is given without its text."""
        self.rewind()
        if self._count > 1:
            self._count = max(1, self._count // 8)
            return StreamBatch()
        self._count = self._batch
        return await self._own_first()

    async def _read(self) -> StreamBatch:
        if self._own is not None:
            entries = await self._group_read(self._own, block=False)
            self._own = entries[-1].id if entries else None
            if entries:
                return StreamBatch(entries, old=True)
        if time.monotonic() >= self._claim_at:
            entries = await self._claim()
            if entries:
                return StreamBatch(entries, old=True)
        return StreamBatch(await self._group_read(">", block=True))

    async def _own_first(self) -> StreamBatch:
        """Take the oldest entry that is ours and cannot be read, without reading it: it is parked by its id."""
        waiting = await self._redis.xpending_range(
            self.stream, self._group, "-", "+", 1, consumername=self._consumer
        )
        return StreamBatch(tuple(PayloadEntry(str(each["message_id"]), None) for each in waiting), old=True)

    async def _group_read(self, after: str, *, block: bool) -> tuple[PayloadEntry, ...]:
        words: list[Any] = ["XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", self._count]
        if block:
            words += ["BLOCK", self._block_ms]
        answer = await self._redis.execute_command(*words, "STREAMS", self.stream, after)
        return tuple(_entry(*each) for _, entries in answer or () for each in entries)

    async def _claim(self) -> tuple[PayloadEntry, ...]:
        """Take over what a dead reader left; entries deleted meanwhile are dropped from the group by Redis."""
        answer = await self._redis.xautoclaim(
            self.stream,
            self._group,
            self._consumer,
            min_idle_time=self._claim_ms,
            start_id=self._claim_from,
            count=self._count,
        )
        self._claim_from = str(answer[0])
        if self._claim_from == "0-0":
            self._claim_at = time.monotonic() + max(1.0, self._claim_ms / LOOKS_WITHIN / 1000)
            await self._forget_dead_consumers()
        return tuple(_entry(told, fields) for told, fields in answer[1] if told is not None)

    async def _forget_dead_consumers(self) -> None:
        for consumer in await self._redis.xinfo_consumers(self.stream, self._group):
            dead = int(consumer["idle"]) > _DEAD_CONSUMER_MS and int(consumer["pending"]) == 0
            if dead and consumer["name"] != self._consumer:
                await self._redis.xgroup_delconsumer(self.stream, self._group, consumer["name"])

    async def done(self, entries: Iterable[PayloadEntry]) -> None:
        """Acknowledge entries that are stored."""
        ids = [entry.id for entry in entries]
        if ids:
            async with self._question():
                await self._redis.execute_command("XACK", self.stream, self._group, *ids)

    async def standing(self) -> GroupPosition | None:
        """Say where the group stands; None where there is none."""
        async with self._question():
            try:
                about = await self._redis.xinfo_stream(self.stream)
                groups = await self._redis.xinfo_groups(self.stream)
            except exceptions.ResponseError as error:
                if "no such key" in str(error):
                    return None
                raise
            mine = next((each for each in groups if each["name"] == self._group), None)
            return None if mine is None else _standing(about, mine)


def _standing(about: Mapping[str, Any], group: Mapping[str, Any]) -> GroupPosition:
    length, first = int(about["length"]), about.get("first-entry")
    lag = group.get("lag")
    standing = GroupPosition(
        length=length,
        first_id=str(first[0]) if first else "",
        last_id=str(about["last-generated-id"]),
        delivered_id=str(group["last-delivered-id"]),
        lag=int(lag) if lag is not None else None,
        pending=int(group["pending"]),
    )
    return _with_missed(standing, about, group)


def _with_missed(
    standing: GroupPosition, about: Mapping[str, Any], group: Mapping[str, Any]
) -> GroupPosition:
    """Count the entries that were added, and trimmed away before the group came to them (Redis 7 counts both)."""
    behind = entry_key(standing.first_id or standing.last_id) > entry_key(standing.delivered_id)
    added, read = about.get("entries-added"), group.get("entries-read")
    if not behind or added is None or read is None:
        return standing
    missed = max(0, int(added) - standing.length - int(read))
    return replace(standing, missed=missed)


def _entry(told: str, fields: list[str] | dict[str, str] | None) -> PayloadEntry:
    """Read one entry in the shape of RESP2 (a flat list) or of redis-py's own parser (a dict)."""
    if not fields:
        return PayloadEntry(entry_id(told), None)
    if isinstance(fields, dict):
        return PayloadEntry(entry_id(told), fields.get("payload"))
    names = fields[::2]
    return PayloadEntry(
        entry_id(told), fields[2 * names.index("payload") + 1] if "payload" in names else None
    )
