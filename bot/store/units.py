"""A unit of work on its way to a commit: who waits for it, how far it is, what came of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from bot.store.transaction import Transaction
from triage.model import Signal
from triage.ports.store import Tx

T = TypeVar("T")


class Stage(Enum):
    """How far a unit of work is on its way to a commit."""

    WAITING = auto()
    """Queued, or run without its COMMIT being sent: it can still be taken back."""
    COMMITTING = auto()
    """Its COMMIT is sent, or answered."""
    TAKEN_BACK = auto()
    """Whoever asked was told that it is not stored: it must not be committed any more."""


@dataclass(slots=True, eq=False)
class Unit(Generic[T]):
    """One unit of work. ``loop`` is where its ``future`` is awaited."""

    work: Callable[[Tx], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    signals: Sequence[Signal] | None = None
    """Signals to store: those of a whole batch go in one statement; ``work`` is not called then."""
    stored: Callable[[], None] | None = None
    """Called in ``loop`` where some of the signals are new, before the COMMIT: what comes of them may join it."""
    patient: bool = False
    """Nobody waits for it: those for whom somebody does go first."""
    value: T | None = None
    error: BaseException | None = None
    stage: Stage = Stage.WAITING


class Expired(Exception):
    """Whoever waits for a unit has waited for as long as it may take."""


class TakenBack(Exception):
    """A unit of the batch was taken back before its COMMIT: the others run again without it."""


@dataclass(slots=True)
class Stages:
    """Changes the stages of units: whoever waits takes one back, or the writer sends its COMMIT, never both."""

    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_back(self, unit: Unit[Any]) -> bool:
        """Keep a unit from being committed. False: its COMMIT is sent already."""
        with self._lock:
            if unit.stage is Stage.WAITING:
                unit.stage = Stage.TAKEN_BACK
            return unit.stage is Stage.TAKEN_BACK

    def enter_commit(self, batch: Sequence[Unit[Any]]) -> None:
        """From here on nobody can take a unit back. Raises TakenBack where somebody did."""
        with self._lock:
            if any(unit.stage is Stage.TAKEN_BACK for unit in batch):
                raise TakenBack
            for unit in batch:
                unit.stage = Stage.COMMITTING

    def not_committed(self, batch: Sequence[Unit[Any]]) -> None:
        """Note that the COMMIT of these did not happen: they can be taken back again."""
        with self._lock:
            for unit in batch:
                unit.stage = Stage.WAITING


def run_units(batch: Sequence[Unit[Any]], transaction: Transaction) -> None:
    """Run units: the signals of all are stored in one statement."""
    keeping = [unit for unit in batch if unit.signals is not None]
    if keeping:
        new = transaction.signals.add_each([unit.signals or () for unit in keeping])
        for unit, count in zip(keeping, new, strict=True):
            unit.value = count
    for unit in batch:
        if unit.signals is None:
            unit.value = unit.work(transaction)
        unit.error = None


def tell_of_new(batch: Sequence[Unit[Any]]) -> bool:
    """Call whoever wants to know that signals are new. Returns whether some are."""
    calls = {(unit.loop, unit.stored) for unit in batch if unit.stored is not None and unit.value}
    for loop, stored in calls:
        with suppress(RuntimeError):  # the loop is closed: the next start finds them
            loop.call_soon_threadsafe(stored)
    return bool(calls)


def expire(unit: Unit[Any]) -> None:
    """Have whoever waits for a unit wait no longer; to be called in its loop."""
    if not unit.future.done():
        unit.future.set_exception(Expired())


def answer(units: Sequence[Unit[Any]]) -> None:
    """Answer those who wait; to be called in their loop."""
    for unit in units:
        if unit.future.done():  # the one who waited was cancelled, or waited too long
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.value)
