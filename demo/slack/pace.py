"""Slack's rate limits: so many calls a minute for a method, and one post a second for a channel, with bursts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Limit:
    """`rate` calls a second on average, `burst` of them at once."""

    rate: float
    burst: int


TIER_2 = Limit(20 / 60, 20)
TIER_3 = Limit(50 / 60, 50)
TIER_4 = Limit(100 / 60, 100)
POST = Limit(1.0, 4)
WORKSPACE_POSTS = Limit(300 / 60, 60)


class Pace:
    """Token buckets by key. Off unless `enabled`: most tests are about something else."""

    def __init__(self, *, enabled: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = enabled
        self._clock = clock
        self._buckets: dict[tuple[str, ...], tuple[float, float]] = {}

    def wait_for(self, key: tuple[str, ...], limit: Limit) -> int:
        """Take one token; return 0, or the whole seconds for `Retry-After` when there is none."""
        if not self.enabled:
            return 0
        now = self._clock()
        tokens, since = self._buckets.get(key, (float(limit.burst), now))
        tokens = min(float(limit.burst), tokens + (now - since) * limit.rate)
        if tokens < 1.0:
            self._buckets[key] = (tokens, now)
            return max(1, math.ceil((1.0 - tokens) / limit.rate))
        self._buckets[key] = (tokens - 1.0, now)
        return 0
