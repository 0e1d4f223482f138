"""A flood: read on while it is stored, with an end, and nothing taken twice or left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest

from handlers.flood import MANY, TOGETHER, Flood, ReadBatch
from tests.servers.process import eventually
from triage.desk_events import PayloadEntry
from triage.errors import SourceError, StoreUnavailable
from triage.ports.events import StreamBatch


class Scene:
    """A stream that gives batches of these sizes, and a store that takes them when it is let."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self.waiting = [_batch(number, size) for number, size in enumerate(sizes)]
        self.total = sum(len(batch.entries) for batch in self.waiting)
        self.first = self.waiting.pop(0)
        self.reads = 0
        self.begun: list[int] = []
        self.stored: list[str] = []
        self.acknowledged: list[str] = []
        self.store = asyncio.Event()
        self.store.set()
        self.away: Exception | None = None

    async def read(self) -> StreamBatch:
        """Give the next batch; at the end wait, as a reader does that waits for something new."""
        self.reads += 1
        await asyncio.sleep(0)
        if not self.waiting and self.away is not None:
            raise self.away
        if not self.waiting:
            await asyncio.Event().wait()
        return self.waiting.pop(0)

    async def parse(self, batch: StreamBatch) -> ReadBatch:
        """Parse it."""
        return ReadBatch(batch, [])

    async def put(self, read: ReadBatch) -> None:
        """Store it once the store is there."""
        self.begun.append(len(read.batch.entries))
        await self.store.wait()
        self.stored += [entry.id for entry in read.batch.entries]

    async def acknowledge(self, read: ReadBatch) -> None:
        """Note what is acknowledged, which must be stored by then."""
        ids = [entry.id for entry in read.batch.entries]
        assert set(ids) <= set(self.stored)
        self.acknowledged += ids

    async def one_on_its_way(self) -> bool:
        """Whether the store has begun with something."""
        return len(self.begun) == 1

    async def all_taken(self) -> bool:
        """Whether what there was to read is stored and acknowledged."""
        return not self.waiting and len(self.acknowledged) == sum(self.begun) == self.total

    def run(self, put: Callable[[ReadBatch], Awaitable[None]] | None = None) -> asyncio.Task[int]:
        """Begin."""
        flood = Flood(self.read, self.parse, put or self.put, self.acknowledge)
        return asyncio.create_task(flood.run(ReadBatch(self.first, [])))


def _batch(number: int, size: int) -> StreamBatch:
    return StreamBatch(tuple(PayloadEntry(f"{number}-{each}", "") for each in range(size)))


async def test_all_of_a_flood_is_taken_once() -> None:
    """The last batch has fewer entries than wait in a flood: that is its end."""
    scene = Scene([MANY] * 9 + [3])
    assert await scene.run() == 9 * MANY + 3
    assert len(scene.stored) == len(set(scene.stored)) == 9 * MANY + 3
    assert scene.acknowledged == scene.stored


async def test_while_the_disk_is_slow_little_is_read_ahead() -> None:
    """One commit is on its way; what waits behind it has a limit, and goes together into the next."""
    scene = Scene([MANY] * 40 + [0])
    scene.store.clear()
    running = scene.run()
    await eventually(scene.one_on_its_way, "a batch on its way")
    for _ in range(100):
        await asyncio.sleep(0)
    assert scene.begun == [MANY]
    assert scene.reads <= 7
    scene.store.set()
    assert await running == 40 * MANY
    assert scene.begun[1] == TOGETHER * MANY
    assert max(scene.begun) == TOGETHER * MANY


async def test_what_may_hold_a_fault_or_ends_the_flood_is_stored_alone() -> None:
    """Whose parsing failed is looked at entry by entry, and what was read before belongs to no flood."""
    scene = Scene([MANY] * 4)
    old = StreamBatch((PayloadEntry("old-1", ""),), old=True)
    scene.waiting.append(old)
    scene.store.clear()

    async def parse(batch: StreamBatch) -> ReadBatch:
        return ReadBatch(batch, None if batch.entries[0].id == "2-0" else [])

    running = asyncio.create_task(
        Flood(scene.read, parse, scene.put, scene.acknowledge).run(ReadBatch(scene.first, []))
    )
    await eventually(scene.one_on_its_way, "a batch on its way")
    for _ in range(100):
        await asyncio.sleep(0)
    scene.store.set()
    assert await running == 4 * MANY + 1
    assert scene.begun == [MANY] * 4 + [1]


async def test_what_cannot_be_acknowledged_ends_it() -> None:
    """Redis went away between the commit and the acknowledgement: it gives the entries again."""
    scene = Scene([MANY] * 40)

    async def fail(read: ReadBatch) -> None:
        raise SourceError("redis", f"Redis is away with {len(read.batch.entries)} entries")

    with pytest.raises(SourceError, match="away"):
        await Flood(scene.read, scene.parse, scene.put, fail).run(ReadBatch(scene.first, []))
    assert len(scene.begun) <= 2


async def test_what_is_read_does_not_wait_for_the_next_read() -> None:
    """The flood may end with a whole batch: what was read is stored while the reader waits for something new."""
    scene = Scene([MANY] * 3)
    running = scene.run()
    await eventually(scene.all_taken, "all that was read")
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_reader_that_fails_is_told_when_all_before_is_taken() -> None:
    """Nothing that was read is given up for a Redis that went away behind it."""
    scene = Scene([MANY] * 3)
    scene.away = SourceError("redis", "Redis is away")
    with pytest.raises(SourceError, match="away"):
        await scene.run()
    assert len(scene.acknowledged) == 3 * MANY


async def test_a_fault_in_parsing_is_told_as_what_it_is() -> None:
    """Also where the read beside it takes a while to be ended."""
    scene = Scene([MANY] * 2)

    async def read() -> StreamBatch:
        try:
            return await scene.read()
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            raise

    async def fail(_: StreamBatch) -> ReadBatch:
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Flood(read, fail, scene.put, scene.acknowledge).run(ReadBatch(scene.first, []))


async def test_a_store_that_fails_ends_it_at_once() -> None:
    """What is on its way beside it is given up, nothing more is read, and no task is left behind."""
    scene = Scene([MANY] * 40)
    calls = 0

    async def fail_at_the_second(read: ReadBatch) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise StoreUnavailable("the disk is full")
        await scene.put(read)

    before = asyncio.all_tasks()
    with pytest.raises(StoreUnavailable, match="full"):
        await scene.run(fail_at_the_second)
    assert asyncio.all_tasks() == before
    assert scene.reads <= 7


async def test_a_cancellation_that_nobody_asked_for_is_told() -> None:
    """A part that ends by one leaves a batch untaken: whoever runs the flood learns of it."""
    scene = Scene([MANY] * 4 + [0])
    taken = 0

    async def cancelled_once(_: ReadBatch) -> None:
        nonlocal taken
        taken += 1
        if taken == 1:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await scene.run(cancelled_once)
