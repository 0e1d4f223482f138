"""One writer thread, shared commits: while one commit is on its way to the disk, the next batch gathers.

Durability costs one fsync a batch, not one a webhook. A batch runs without savepoints, the fast way; when a
unit of it raises, everything is rolled back and each unit runs again in a transaction of its own, so that
one unit's error is only its own. What comes while a batch runs joins it before its COMMIT: a card that sorting owes
is claimed in the commit that owes it. Who sorts signals is called before the commit of new ones, and is waited for a
moment where they are few, once: a lone alert is on disk, sorted and its card claimed and composed in one commit.

Nothing is run again after its COMMIT was sent, unless the database says that it did not happen. Whoever waits too long
takes the unit back where its COMMIT was not sent yet: ``NotStored`` is then true for good. Else it is ``CommitUnknown``.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar

import sqlalchemy as sa
from loguru import logger

from bot.store import database_errors
from bot.store.checkpoint import Checkpoints
from bot.store.deadlines import Deadlines
from bot.store.handover import Handover
from bot.store.health import StoreHealth
from bot.store.incident_cache import IncidentCache
from bot.store.probe import look_at_each_table, probe, was_committed, written
from bot.store.same_file import SameFile
from bot.store.transaction import Transaction
from bot.store.unit_queue import UnitQueue
from bot.store.units import Expired, Stage, Stages, TakenBack, Unit, answer, expire, run_units, tell_of_new
from triage.errors import CommitUnknown, NotStored, StoreUnavailable
from triage.model import Signal
from triage.ports.store import WEBHOOK_SECONDS, WRITE_SECONDS, Tx

T = TypeVar("T")
BATCH = 256
"""Units in one commit at the most: bounds how long the first of them waits."""
JOINS = 2
"""How often what came meanwhile joins a batch before its COMMIT: whoever waits for it does not wait for much more."""
LONE, LONE_SECONDS = 4, 0.003
"""Of so many units with new signals, a batch is no storm: who sorts them is waited for so long."""
TRANSACTION_SECONDS = 12.0
"""How long a transaction on a server may take that does not answer; longer than the server's own limits."""
PROBE_SECONDS = 5.0
"""How often a store that failed is tried while nobody writes: ``/readyz`` learns that there is room again."""
QUIET_SECONDS = 0.05
"""After so long without a unit nobody waits: between the batches of a flood the queue is empty for a moment only."""

ONE_WRITER = "writer"
"""The lock that every write holds: units lock rows in any order, so two replicas' batches would deadlock otherwise."""


@dataclass(slots=True)
class _CommitFailed(Exception):
    """COMMIT was sent and answered with an error, or not at all."""

    error: Exception
    mark: str


class _Became(Enum):
    """What became of a transaction."""

    DONE = auto()
    AGAIN = auto()
    """It was rolled back: its units may run again, each alone."""
    SAID = auto()
    """Its units have their error."""


@dataclass(slots=True)
class Writer:
    """Runs units of work in a thread of its own. ``commits`` and ``units`` count what it did."""

    engine: sa.Engine
    health: StoreHealth
    audit_key: bytes = b""
    commits: int = 0
    units: int = 0
    _queue: UnitQueue = field(default_factory=UnitQueue)
    _handover: Handover = field(init=False)
    _closed: bool = False
    _probed_at: float = 0.0
    _stages: Stages = field(default_factory=Stages)
    _deadlines: Deadlines = field(default_factory=Deadlines)
    _cache: IncidentCache = field(default_factory=IncidentCache)
    _checkpoints: Checkpoints = field(init=False)
    _file: SameFile = field(init=False)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Start the thread."""
        self._handover = Handover(self._queue)
        self._file = SameFile(self.engine.url)
        self._checkpoints = Checkpoints(self.engine, self._file)
        self._thread = threading.Thread(target=self._serve_all, name="store-writer", daemon=True)
        self._thread.start()

    async def run(
        self, work: Callable[[Tx], T], within: float = WRITE_SECONDS, *, patient: bool = False
    ) -> T:
        """Run a unit, return its answer after the commit. Raises NotStored, CommitUnknown, or what the unit raised.

        ``patient``: others go first.
        """
        return await self._run(work, within, patient=patient)

    async def keep(self, signals: Sequence[Signal], stored: Callable[[], None]) -> int:
        """Store signals, in one statement with those of others; as ``run`` else. Returns how many were new."""
        return await self._run(lambda tx: tx.signals.add(signals), WEBHOOK_SECONDS, signals, stored)

    async def _run(
        self,
        work: Callable[[Tx], T],
        seconds: float,
        signals: Sequence[Signal] | None = None,
        stored: Callable[[], None] | None = None,
        *,
        patient: bool = False,
    ) -> T:
        if self._closed:
            raise NotStored("the store is closed")
        loop = asyncio.get_running_loop()
        unit: Unit[T] = Unit(
            work=work,
            loop=loop,
            future=loop.create_future(),
            signals=signals,
            stored=stored,
            patient=patient,
        )
        if signals is None:
            self._queue.put(unit)
        else:
            self._handover.add(unit)
        timer = loop.call_later(seconds, expire, unit)
        try:
            return await unit.future
        except Expired:
            if self._stages.take_back(unit):
                why = self.health.problem()
                late = NotStored(f"the store did not commit within {seconds:g} s{f' ({why})' if why else ''}")
                if not why:  # what the database said of it tells more
                    self.health.failed(late)
                raise late from None
            raise CommitUnknown(f"the store did not say within {seconds:g} s whether it committed") from None
        except asyncio.CancelledError:
            self._stages.take_back(unit)
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """Finish what is queued, then stop the thread. To be the last that has the database open."""
        if not self._closed:
            self._closed = True
            self._handover.give()
            self._queue.put(None)
            self._thread.join(timeout=30)
            with self._file.closing(self.engine):
                self.engine.dispose()

    def _serve_all(self) -> None:
        while True:
            try:
                batch = self._queue.batch(BATCH, self._patience())
            except queue.Empty:
                self._use_quiet()
                continue
            if not batch:
                return
            if not self.health.troubled:
                self._probed_at = time.monotonic()
            self._serve(batch)
            if self._checkpoints.overdue:
                self._checkpoints.run()
            # Units that write nothing say nothing of commits, and may leave no quiet moment for the probe above.
            if self.health.troubled and time.monotonic() - self._probed_at >= PROBE_SECONDS:
                self._probe()

    def _patience(self) -> float | None:
        """Return the seconds to wait for a unit before a quiet moment is used; None where nothing is to be done in one."""
        if self._checkpoints.due:
            return QUIET_SECONDS
        return PROBE_SECONDS if self.health.troubled else None

    def _use_quiet(self) -> None:
        if self._checkpoints.due:
            self._checkpoints.run()
        else:
            self._probe()

    def _serve(self, batch: list[Unit[Any]]) -> None:
        batch = self._wanted(batch)
        if batch and self._commit(batch) is _Became.AGAIN:
            self._one_by_one(batch)
        self.units += len(batch)
        for loop in {unit.loop for unit in batch}:
            mine = [unit for unit in batch if unit.loop is loop]
            try:
                loop.call_soon_threadsafe(answer, mine)
            except RuntimeError:  # the loop is closed: nobody waits for these any more
                logger.debug("{n} answers of the store had nobody left who waits for them", n=len(mine))

    def _wanted(self, batch: list[Unit[Any]]) -> list[Unit[Any]]:
        """Leave out what nobody waits for any more: they were told that it was not stored."""
        return [unit for unit in batch if unit.stage is not Stage.TAKEN_BACK and not unit.future.done()]

    def _one_by_one(self, batch: list[Unit[Any]]) -> None:
        """Run each unit alone. Where one finds the store away, the others are not kept waiting for it too.

        A damaged database may still serve some of them: with it each is tried.
        """
        for number, unit in enumerate(batch):
            if unit.stage is Stage.TAKEN_BACK:
                continue
            self._commit([unit], joining=False)
            if isinstance(unit.error, NotStored) and not unit.error.damaged:
                for other in batch[number + 1 :]:
                    other.error = NotStored(str(unit.error))
                return

    def _commit(self, batch: list[Unit[Any]], *, joining: bool = True) -> _Became:
        """Run a batch in one transaction, with what joins it meanwhile. A unit that was alone has its error then."""
        try:
            wrote = self._transact_twice(batch, joining=joining)
        except TakenBack:
            return _Became.AGAIN
        except _CommitFailed as failed:
            return self._after_failed_commit(batch, failed)
        except BaseException as error:  # noqa: BLE001 - it belongs to a unit, and the thread serves all others
            if isinstance(error, Exception) and database_errors.unavailable(error):
                self.health.failed(error)  # also where nobody waits any more
            if len(batch) > 1:
                return _Became.AGAIN
            batch[0].error = self._named(error)
            return _Became.SAID
        self.commits += 1
        if wrote:
            self.health.committed()
        return _Became.DONE

    def _transact_twice(self, batch: list[Unit[Any]], *, joining: bool) -> bool:
        """A connection that was cut meanwhile is found so at its first use: a new one is tried once, before COMMIT."""
        try:
            return self._transact(batch, joining=joining)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._transact(batch, joining=joining)

    def _transact(self, batch: list[Unit[Any]], *, joining: bool) -> bool:
        """Run the units and commit. Returns whether anything was written; raises _CommitFailed once COMMIT was sent."""
        with self._begun() as (connection, begun):
            transaction = Transaction(
                connection,
                writing=True,
                unreadable=self.health.records,
                audit_key=self.audit_key,
                cache=self._cache,
            )
            transaction.exclusive(ONE_WRITER)
            before = written(connection)
            run_units(batch, transaction)
            wait = LONE_SECONDS if tell_of_new(batch) and len(batch) <= LONE else 0.0
            for _ in range(JOINS if joining else 0):
                joined = self._wanted(self._queue.joining(BATCH - len(batch), wait))
                wait = 0.0
                batch += joined  # before they run: where one raises, all run again
                run_units(joined, transaction)
                tell_of_new(joined)
            mark = written(connection)
            self._stages.enter_commit(batch)
            try:
                begun.commit()
            except Exception as error:
                connection.invalidate()  # closed, it cannot hold on to what it has not committed
                self._file.let_go()
                raise _CommitFailed(error, mark if mark != before else "") from error
            self._checkpoints.wrote(before, mark)
            return mark != before

    @contextmanager
    def _begun(self) -> Iterator[tuple[sa.Connection, sa.RootTransaction]]:
        """Begin a transaction that is rolled back where nobody commits it."""
        with (
            self.engine.connect() as connection,
            self._deadlines.limit(connection, TRANSACTION_SECONDS),
            connection.begin() as begun,
        ):
            self._file.insist(connection)
            yield connection, begun

    def _after_failed_commit(self, batch: list[Unit[Any]], failed: _CommitFailed) -> _Became:
        """Find out what became of a COMMIT: refused, done all the same, or unknown."""
        error = failed.error
        self.health.failed(error)
        done = False if database_errors.commit_was_refused(error) or not failed.mark else None
        if done is None:
            done = was_committed(self.engine, failed.mark, self._deadlines)
        if done:
            self.commits += 1
            self.health.committed()
            return _Became.DONE
        if done is None:
            for unit in batch:
                unit.error = database_errors.outcome_unknown(error)
            return _Became.SAID
        self._stages.not_committed(batch)
        if len(batch) == 1 or database_errors.unavailable(error):
            for unit in batch:
                unit.error = self._named(error)
            return _Became.SAID
        return _Became.AGAIN

    def _named(self, error: BaseException) -> Exception:
        if isinstance(error, StoreUnavailable):
            return error
        # No future takes a StopIteration: it would leave the answers behind it unsaid. What is no Exception would
        # be read by whoever waits as a request to end.
        if isinstance(error, StopIteration) or not isinstance(error, Exception):
            mistake = RuntimeError(f"a unit of work raised {type(error).__name__}")
            mistake.__cause__ = error
            return mistake
        if database_errors.unavailable(error):
            return database_errors.not_stored(error)
        return error

    def _probe(self) -> None:
        """Try whether the store takes a commit again, and whether what was missing is back."""
        self._probed_at = time.monotonic()
        if self.health.missing:
            self._look_for_what_was_missing()
        try:
            with self._begun() as (connection, _):
                probe(connection, time.time())
        except Exception as error:  # noqa: BLE001 - whatever it is, the store does not commit
            self.health.failed(error)
        else:
            self.health.committed()

    def _look_for_what_was_missing(self) -> None:
        try:
            with self._begun() as (connection, _):
                look_at_each_table(connection)
        except Exception as error:  # noqa: BLE001 - it is not there, or cannot be looked for
            logger.debug("not whole yet: {why}", why=error)
        else:
            self.health.whole_again()
