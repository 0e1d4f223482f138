"""The time of the simulated desk and of its servers: the machine's, faster than that, or moved by hand."""

import asyncio
import time
from typing import Protocol

NEVER = float("inf")


class Clock(Protocol):
    """Where a stand-in gets its time from."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock's time."""


class SimClock:
    """Unix seconds that run ``speed`` times as fast as the machine's; speed 0 stands still until ``advance``.

    The speed can change while it runs: the time passed so far is kept.
    """

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        if speed < 0:
            raise ValueError(f"speed must not be below 0, got {speed}")
        self._speed = speed
        self._anchor = time.time() if start is None else start
        self._origin = time.monotonic()

    @property
    def speed(self) -> float:
        """Seconds of desk time in a second of the machine's."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed < 0:
            raise ValueError(f"speed must not be below 0, got {speed}")
        self._anchor, self._origin = self.now(), time.monotonic()
        self._speed = speed

    def now(self) -> float:
        """Unix time in seconds, as this desk sees it."""
        return self._anchor + (time.monotonic() - self._origin) * self._speed

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError(f"time does not go back, got {seconds}")
        self._anchor += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of the desk's time; a clock moved by hand lets them pass at once."""
        if self._speed == 0:
            self.advance(seconds)
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(seconds / self._speed)


class ManualClock(SimClock):
    """A clock that stands still until a test moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        super().__init__(0, start)
