"""One writer thread, shared commits: while one commit is on its way to the disk, the next batch gathers.

Durability costs one fsync a batch, not one a webhook. A batch runs without savepoints, the fast way; when a
unit of it raises, everything is rolled back and each unit runs again in a transaction of its own, so that
one unit's error is only its own.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from loguru import logger

from bot.store.transaction import Transaction
from triage.errors import StoreUnavailable
from triage.model import Signal
from triage.ports.store import Tx

T = TypeVar("T")
BATCH = 256
"""Units in one commit at the most: bounds how long the first of them waits."""

WAIT_SECONDS = 20.0
"""How long anybody waits for a commit; longer than the database's own limits, which end sooner and say why."""

ONE_WRITER = "writer"
"""The lock that every write holds: units lock rows in any order, so two replicas' batches would deadlock otherwise."""

# What the database says when it cannot serve now. Anything else that a unit raises is that unit's own fault.
UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError)


@dataclass(slots=True)
class _Unit(Generic[T]):
    work: Callable[[Tx], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    signals: Sequence[Signal] | None = None
    """Signals to store: those of a whole batch go in one statement; ``work`` is not called then."""
    value: T | None = None
    error: BaseException | None = None


class Writer:
    """Runs units of work in a thread of its own. ``commits`` and ``units`` count what it did."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.commits = 0
        self.units = 0
        self._queue: queue.SimpleQueue[_Unit[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._serve_all, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Tx], T]) -> T:
        """Run a unit, return its answer after the commit. Raises StoreUnavailable, or what the unit raised."""
        return await self._run(work)

    async def keep(self, signals: Sequence[Signal]) -> int:
        """Store signals, in one statement with those of others; as ``run`` else. Returns how many were new."""
        return await self._run(lambda tx: tx.signals.add(signals), signals)

    async def _run(self, work: Callable[[Tx], T], signals: Sequence[Signal] | None = None) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        unit: _Unit[T] = _Unit(work, loop, loop.create_future(), signals)
        self._queue.put(unit)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await unit.future
        except TimeoutError:
            raise StoreUnavailable(f"the store did not commit within {WAIT_SECONDS:g} s") from None

    def close(self) -> None:
        """Finish what is queued, then stop the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join(timeout=30)
            self.engine.dispose()

    def _serve_all(self) -> None:
        while (unit := self._queue.get()) is not None:
            batch, last = self._gather(unit)
            self._serve(batch)
            if last:
                return

    def _gather(self, first: _Unit[Any]) -> tuple[list[_Unit[Any]], bool]:
        batch = [first]
        while len(batch) < BATCH:
            try:
                unit = self._queue.get_nowait()
            except queue.Empty:
                break
            if unit is None:
                return batch, True
            batch.append(unit)
        return batch, False

    def _serve(self, batch: list[_Unit[Any]]) -> None:
        # Nobody waits any more for a unit whose time ran out: they were told that it was not stored.
        batch = [unit for unit in batch if not unit.future.done()]
        if len(batch) == 1 or not self._commit(batch):
            self._one_by_one(batch)
        self.units += len(batch)
        for loop in {unit.loop for unit in batch}:
            mine = [unit for unit in batch if unit.loop is loop]
            try:
                loop.call_soon_threadsafe(_answer, mine)
            except RuntimeError:  # the loop is closed: nobody waits for these any more
                logger.debug("{n} answers of the store had no one left to hear them", n=len(mine))

    def _one_by_one(self, batch: list[_Unit[Any]]) -> None:
        """Run each unit alone. Where the first one finds the store away, the others are not kept waiting for it too."""
        for number, unit in enumerate(batch):
            self._commit([unit], alone=True)
            if isinstance(unit.error, StoreUnavailable):
                for other in batch[number + 1 :]:
                    other.error = StoreUnavailable(str(unit.error))
                return

    def _commit(self, batch: list[_Unit[Any]], *, alone: bool = False) -> bool:
        """Run a batch in one transaction. False: it was rolled back and its units are to run alone."""
        try:
            with self.engine.begin() as connection:
                transaction = Transaction(connection, writing=True)
                transaction.exclusive(ONE_WRITER)
                _keep_signals(batch, transaction)
                for unit in batch:
                    if unit.signals is None:
                        unit.value = unit.work(transaction)
                    unit.error = None
        except Exception as error:  # noqa: BLE001 - every error belongs to a unit, which raises it where it is awaited
            if alone:
                batch[0].error = _named(error)
            return False
        self.commits += 1
        return True


def _keep_signals(batch: list[_Unit[Any]], transaction: Transaction) -> None:
    keeping = [unit for unit in batch if unit.signals is not None]
    if keeping:
        new = transaction.signals.add_each([unit.signals or () for unit in keeping])
        for unit, count in zip(keeping, new, strict=True):
            unit.value = count


def _named(error: Exception) -> Exception:
    if isinstance(error, UNAVAILABLE):
        cause = getattr(error, "orig", None) or error
        unavailable = StoreUnavailable(f"the store cannot commit: {cause}")
        unavailable.__cause__ = error
        return unavailable
    if isinstance(error, StopIteration):  # no future takes one: it would leave the answers behind it unsaid
        mistake = RuntimeError("a unit of work raised StopIteration")
        mistake.__cause__ = error
        return mistake
    return error


def _answer(units: list[_Unit[Any]]) -> None:
    for unit in units:
        if unit.future.done():  # the one who waited was cancelled
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.value)
