"""Units of work on their way to the store's writer: who waits for an answer goes before what can wait.

A flood of events keeps two long units waiting at all times. An alert that came behind them would wait for both, and then
for one at each of its further writes; it waits for the one that runs at the most, and until its first post nothing patient
is begun. What is patient has its turn all the same after a while.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bot.store.units import Unit

ALERT_SECONDS = 0.15
"""What an alert needs from its webhook to its first post, at most; what is patient waits so long for it."""
PASSED_OVER_MAX = 8
"""Batches that go before a patient unit: in a storm of alerts a flood of events must come to its end too."""


@dataclass(slots=True)
class UnitQueue:
    """What the writer takes from; ``put`` may be called in any thread, all else in the writer's. None is the end."""

    _came: queue.SimpleQueue[Unit[Any] | None] = field(default_factory=queue.SimpleQueue)
    _patient: deque[Unit[Any]] = field(default_factory=deque)
    _passed_over: int = 0
    _alert_at: float = float("-inf")
    _ended: bool = False

    def put(self, unit: Unit[Any] | None) -> None:
        """Add a unit, or None behind the last."""
        self._came.put(unit)

    def batch(self, most: int, timeout: float | None) -> list[Unit[Any]]:
        """Return units for the next batch, waited for so many seconds (None: without end).

        Empty at the end. Raises ``queue.Empty`` where none came in time.
        """
        units: list[Unit[Any]] = []
        if not self._patient:
            until = None if timeout is None else time.monotonic() + timeout
            units = self._impatient(most, until, past_patient=False)
        if self._patient and not units:
            units = self._impatient(most, self._held_until(), past_patient=True)
        if self._patient and (not units or self._passed_over >= PASSED_OVER_MAX):
            units.append(self._next_patient())
        self._passed_over += bool(self._patient)
        if not units and not self._ended:
            raise queue.Empty
        return units

    def joining(self, most: int, wait: float) -> list[Unit[Any]]:
        """Return units that came while a batch ran; the first may be waited for (seconds). None of them is patient."""
        return self._impatient(most, time.monotonic() + wait, past_patient=True)

    def _next_patient(self) -> Unit[Any]:
        self._passed_over = 0
        return self._patient.popleft()

    def _held_until(self) -> float:
        """Return until when an alert may be on its way to its first post (monotonic; in the past where none is)."""
        return float("-inf") if self._passed_over >= PASSED_OVER_MAX else self._alert_at + ALERT_SECONDS

    def _impatient(self, most: int, until: float | None, *, past_patient: bool) -> list[Unit[Any]]:
        """Take what is not patient, and set aside what is.

        The first that comes may be waited for (monotonic; None: without end); ``past_patient``: also where a patient
        one came before it.
        """
        units: list[Unit[Any]] = []
        with suppress(queue.Empty):
            while len(units) < most and not self._ended:
                wait = None if until is None else max(0.0, until - time.monotonic())
                unit = self._came.get(wait != 0, wait)
                until = until if past_patient and unit is not None and unit.patient else float("-inf")
                if unit is None:
                    self._ended = True
                elif unit.patient:
                    self._patient.append(unit)
                else:
                    units.append(unit)
                    if unit.signals is not None:
                        self._alert_at = time.monotonic()
        return units
