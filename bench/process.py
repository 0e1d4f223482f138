"""The process itself: how soon it is ready, its memory when idle and after a storm: ``python -m bench.process``.

Memory is the resident set in MB (10^6 bytes), read some seconds after the last work ended. A first start makes the
database; the later ones find it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator

from bench.figures import Figure, tell
from bench.harness import TOKEN, Harness, running_service
from bench.load import Load, send

STARTS, WEBHOOKS = 5, 10_000
READY_SECONDS, IDLE_MB, GROWTH_MB = 2.5, 100.0, 20.0
SETTLE_SECONDS = 6.0


async def _start(harness: Harness) -> float:
    began = time.monotonic()
    await harness.bot.start()
    return time.monotonic() - began


async def _figures() -> AsyncIterator[Figure]:
    async with running_service(start=False) as harness:
        yield Figure("start_first_ready", await _start(harness), "s", READY_SECONDS)
        later = []
        for _ in range(STARTS):
            await harness.bot.stop()
            later.append(await _start(harness))
        yield Figure("start_ready", statistics.median(later), "s", READY_SECONDS)
    async with running_service() as harness:
        await asyncio.sleep(SETTLE_SECONDS)
        idle = harness.rss_mb()
        yield Figure("idle_rss", idle, "MB", IDLE_MB)
        sent = await asyncio.to_thread(send, Load(harness.bot.port, TOKEN, "mem", webhooks=WEBHOOKS))
        assert sent.sent == WEBHOOKS
        assert not sent.not_ok
        peak = harness.rss_mb()
        began = time.monotonic()
        await harness.sorted()
        yield Figure("storm_10000_sorted_after", time.monotonic() - began, "s")
        await asyncio.sleep(SETTLE_SECONDS)
        yield Figure("storm_10000_rss_growth", harness.rss_mb() - idle, "MB", GROWTH_MB)
        yield Figure("storm_10000_rss_growth_at_its_end", peak - idle, "MB", GROWTH_MB)


async def _all() -> list[Figure]:
    return [figure async for figure in _figures()]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_all())))
