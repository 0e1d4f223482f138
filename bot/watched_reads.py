"""Reads of bots' folders by the service: on threads of their own, few, each with a deadline.

One that hangs (a dead network disk) holds up neither the service nor its end, and shows in ``/readyz``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from bot.threads import on_a_thread
from triage.errors import DeskFailure

T = TypeVar("T")
DEADLINE_SECONDS = 5.0
_THREADS = 6


class WatchedFolders:
    """Runs reads of bots' folders on daemon threads: few of them, each under a deadline.

    A thread that hangs is left behind; it neither delays the end of the process nor keeps others from their turn,
    until ``threads`` of them hang: then further reads are refused at once.
    """

    def __init__(self, *, threads: int = _THREADS, seconds: float = DEADLINE_SECONDS) -> None:
        self._free = threads
        self._threads = threads
        self._seconds = seconds
        self._stalled = 0
        self._lock = threading.Lock()
        self._elsewhere: dict[str, str] = {}

    def problem(self) -> str:
        """Return what is wrong, empty where no read hangs."""
        here = [f"{self._stalled} reads of bots' folders hang"] if self._stalled else []
        return "; ".join([*here, *self._elsewhere.values()])

    def note(self, what: str, problem: str) -> None:
        """Take down how another process, which reads bots' folders for us, fared; empty where it ended in time."""
        self._elsewhere.pop(what, None)
        if problem:
            self._elsewhere[what] = problem

    async def read(self, work: Callable[[], T], what: str) -> T:
        """Run a read. Raises DeskFailure where it takes too long or too many hang; else what the read raises."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        while not self._take():
            if loop.time() >= ends or self._stalled >= self._threads:
                raise DeskFailure(f"{what} was not looked at: {self.problem() or 'too many reads at once'}")
            await asyncio.sleep(0.02)
        state = {"late": False}
        done = on_a_thread(lambda: self._run(work, state), "watched file")
        try:
            async with asyncio.timeout_at(ends):
                return await asyncio.shield(done)
        except TimeoutError:
            done.cancel()
            with self._lock:
                state["late"] = not state.get("over", False)
                self._stalled += state["late"]
            raise DeskFailure(f"{what} could not be read within {self._seconds:g} s") from None

    def _take(self) -> bool:
        with self._lock:
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    def _run(self, work: Callable[[], T], state: dict[str, bool]) -> T:
        try:
            return work()
        finally:
            with self._lock:
                self._free += 1
                state["over"] = True
                self._stalled -= state["late"]


FOLDERS = WatchedFolders()
"""The reads of this process."""
