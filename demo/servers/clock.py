"""Time for the stand-ins: one clock each desk, so that twenty minutes can pass in seconds."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where a stand-in gets its time from."""

    def now(self) -> float:
        """Unix time in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock's time."""


class DeskClock:
    """The real time, or a time that runs `speed` times as fast from the moment the clock was made."""

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, got {speed}")
        self.speed = speed
        self._start = time.time() if start is None else start
        self._origin = time.monotonic()

    def now(self) -> float:
        """Unix time in seconds, as this desk sees it."""
        return self._start + (time.monotonic() - self._origin) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of the desk's time, which is `seconds / speed` of the machine's."""
        await asyncio.sleep(seconds / self.speed)


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Unix time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Let the time pass without waiting, but give other tasks their turn."""
        self.advance(seconds)
        await asyncio.sleep(0)
