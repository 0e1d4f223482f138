"""Wakes a loop at once when there is work, and lets it sleep otherwise."""

from __future__ import annotations

import asyncio


class Bell:
    """Rung by whoever left work, awaited by the one loop that does it. Ringing twice wakes once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop: there is work."""
        self._event.set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Sleep until rung (True), or for so many seconds (False)."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
