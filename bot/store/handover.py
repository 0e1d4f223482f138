"""Hands what a loop gives to the store's writer over together: once for all that its present round of callbacks gives.

The writer's thread runs beside the loop on one interpreter lock. Woken by the first of several webhooks that were read
together, it takes the lock from the loop in the middle of the others, and commits few of them at once.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bot.store.unit_queue import UnitQueue
from bot.store.units import Unit


@dataclass(slots=True)
class Handover:
    """Units that wait for the end of their loop's round. One that comes alone waits for nothing else to be done."""

    to: UnitQueue
    _units: deque[Unit[Any]] = field(default_factory=deque)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._units)

    def add(self, unit: Unit[Any]) -> None:
        """Keep a unit until what its loop has to do in this round is done; to be called in that loop."""
        self._units.append(unit)
        unit.loop.call_soon(self.give)  # for each: another one's loop may be closed before it gives anything

    def give(self) -> None:
        """Hand over what there is, whichever loop it is from."""
        with suppress(IndexError):  # another thread, which closes the store, may take some of it
            while True:
                self.to.put(self._units.popleft())
