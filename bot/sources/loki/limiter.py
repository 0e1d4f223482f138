"""Who may ask Loki now: few questions at a time over all triages, and of the long ones only one.

Loki parts a question by time and shard; a tenant has 100 parts outstanding by default, and Grafana wants some of
them too. One question over a day fills a third of that by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Any

AT_ONCE = 3
NARROW_SECONDS = 300.0
"""For so long after a 429 there is one question at a time."""
LONG_SECONDS = 3600.0


class QueryLimiter:
    """Lets ``AT_ONCE`` questions through, of which one is long; one in all where Loki was short of room lately."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._asking = self._long = 0
        self._narrow_until = 0.0

    @asynccontextmanager
    async def turn(self, seconds: float) -> AsyncIterator[None]:
        """Wait for the turn of a question that spans so many seconds, and hold it."""
        long = seconds > LONG_SECONDS
        async with self._changed:
            await self._changed.wait_for(lambda: self._room(long=long))
            self._asking += 1
            self._long += long
        try:
            yield
        finally:
            # No await that a cancellation could cut short: the counts must come back.
            self._asking -= 1
            self._long -= long
            waking = asyncio.ensure_future(self._wake())
            waking.add_done_callback(lambda task: task.exception() if not task.cancelled() else None)

    def narrow(self) -> None:
        """Note that Loki refused for want of room: one question at a time for a while."""
        self._narrow_until = time.monotonic() + NARROW_SECONDS

    def _room(self, *, long: bool) -> bool:
        width = 1 if time.monotonic() < self._narrow_until else AT_ONCE
        return self._asking < width and not (long and self._long)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class AnswerCache:
    """A few answers, each for its time; the oldest give way."""

    def __init__(self, most: int = 24) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def get(self, key: Hashable, seconds: float) -> Any | None:  # noqa: ANN401 - what was put under the key
        """Return an answer that is at most so old, or None."""
        kept = self._answers.get(key)
        return kept[1] if kept is not None and time.monotonic() - kept[0] <= seconds else None

    def put(self, key: Hashable, answer: object) -> None:
        """Keep an answer."""
        self._answers.pop(key, None)
        self._answers[key] = (time.monotonic(), answer)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
