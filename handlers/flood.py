"""A flood of a stream's entries: the next are read and parsed while those before are on their way to the disk.

A commit waits for the disk, and around each of its statements for its turn of the interpreter. Who reads one batch, stores
it and reads the next waits with it, and pays the statements for each; here one commit is on its way at all times, and what
was read meanwhile goes together into the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from triage.desk_events import DeskEvent, Parked
from triage.ports.events import StreamBatch

MANY = 250
"""So many new entries at once, and more are waiting: a flood."""
TOGETHER = 3
"""Batches that are stored together at the most: an alert that comes meanwhile waits for their commit."""
_WAITING = 3
"""Batches that wait to be stored, at the most; with those that are stored they bound what is in memory."""


def is_flood(batch: StreamBatch) -> bool:
    """Whether more entries wait than are read at once."""
    return not batch.old and not batch.lost and len(batch.entries) >= MANY


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A batch, with its entries parsed if that was done ahead of time."""

    batch: StreamBatch
    said: list[DeskEvent | Parked] | None = None


@dataclass(slots=True)
class Flood:
    """Reads, parses, stores and acknowledges until a batch is no flood any more."""

    read: Callable[[], Coroutine[None, None, StreamBatch]]
    parse: Callable[[StreamBatch], Awaitable[ReadBatch]]
    store: Callable[[ReadBatch], Awaitable[None]]
    acknowledge: Callable[[ReadBatch], Awaitable[None]]
    _parsed: deque[ReadBatch] = field(default_factory=deque)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    """Something is in ``_parsed``, or nothing more will be."""
    _ended: bool = False
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_WAITING))
    _storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _taken: int = 0

    async def run(self, first: ReadBatch) -> int:
        """Take the ``first`` batch and all behind it. Returns how many entries were taken.

        Raises what reading or parsing raised once all before it is taken, and what storing or acknowledging raised at
        once: what is not acknowledged by then Redis gives again.
        """
        self._put(first)
        reading = asyncio.create_task(self._read_on(), name="read on in a flood")
        # Two: the next are stored while those before are acknowledged.
        taking = [asyncio.create_task(self._take_on(), name="store a flood") for _ in range(2)]
        try:
            await asyncio.wait(taking, return_when=asyncio.FIRST_EXCEPTION)
            for task in taking:
                if task.done():
                    task.result()
            await reading  # a read that it has begun may take a moment to end
        finally:
            for task in (reading, *taking):
                task.cancel()
            await asyncio.wait((reading, *taking))
        return self._taken

    async def _read_on(self) -> None:
        reading: asyncio.Task[StreamBatch] | None = asyncio.create_task(self.read())
        try:
            while reading is not None:
                batch = await reading
                # Redis gets the next ones together while these are parsed.
                reading = asyncio.create_task(self.read()) if is_flood(batch) else None
                await self._room.acquire()
                self._put(await self.parse(batch))
        finally:
            self._ended = True
            self._more.set()
            if reading is not None:
                reading.cancel()
                await asyncio.wait({reading})

    def _put(self, batch: ReadBatch) -> None:
        self._parsed.append(batch)
        self._more.set()

    async def _take_on(self) -> None:
        while True:
            async with self._storing:
                batch = await self._next()
                if batch is None:
                    return
                await self.store(batch)
            await self.acknowledge(batch)
            self._taken += len(batch.batch.entries)

    async def _next(self) -> ReadBatch | None:
        """Return what is parsed by now and can be stored together; None at the end."""
        while not self._parsed:
            if self._ended:
                return None
            self._more.clear()
            await self._more.wait()
        batches = [self._parsed.popleft()]
        while self._parsed and len(batches) < TOGETHER and _joins(batches[-1]) and _joins(self._parsed[0]):
            batches.append(self._parsed.popleft())
        for _ in batches:
            self._room.release()
        return batches[0] if len(batches) == 1 else _joined(batches)


def _joins(read: ReadBatch) -> bool:
    """Whether a batch can be stored with others: it says nothing of the group, and no fault is to be found in it."""
    return is_flood(read.batch) and read.said is not None


def _joined(batches: list[ReadBatch]) -> ReadBatch:
    entries = tuple(entry for each in batches for entry in each.batch.entries)
    return ReadBatch(StreamBatch(entries), [one for each in batches for one in each.said or ()])
