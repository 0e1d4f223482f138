"""A flood of a stream's entries: the next are read while several batches are on their way to the disk.

A commit waits for the disk and for its turn of the interpreter. Who reads one batch, stores it and reads the next waits
with it; here the store always has something to begin with, and stores together what was read meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field

from triage.desk_events import DeskEvent, Parked
from triage.ports.events import StreamBatch

MANY = 250
"""So many new entries at once, and more are waiting: a flood."""
_STORING, _WAITING = 3, 2
"""Batches that are stored at once, as many as one commit takes, and that wait for them: they bound what is in memory."""


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
    """Reads, parses and takes (stores, acknowledges) until a batch is no flood any more."""

    read: Callable[[], Coroutine[None, None, StreamBatch]]
    parse: Callable[[StreamBatch], Awaitable[ReadBatch]]
    take: Callable[[ReadBatch], Awaitable[None]]
    _read: asyncio.Queue[ReadBatch | None] = field(default_factory=asyncio.Queue)
    """What was read and is to be taken; None behind the last of it."""
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_WAITING))
    _taken: int = 0

    async def run(self, first: ReadBatch) -> int:
        """Take the ``first`` batch and all behind it. Returns how many entries were taken.

        Raises what reading or parsing raised once all before it is taken, and what taking raised at once: what is
        not acknowledged by then Redis gives again.
        """
        self._read.put_nowait(first)
        reading = asyncio.create_task(self._read_on(), name="read on in a flood")
        taking = [asyncio.create_task(self._take_on(), name="store a flood") for _ in range(_STORING)]
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
                self._read.put_nowait(await self.parse(batch))
        finally:
            self._read.put_nowait(None)
            if reading is not None:
                reading.cancel()
                await asyncio.wait({reading})

    async def _take_on(self) -> None:
        while (batch := await self._read.get()) is not None:
            self._room.release()
            await self.take(batch)
            self._taken += len(batch.batch.entries)
        self._read.put_nowait(None)  # for the others
