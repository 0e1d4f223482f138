"""Alerts beside a digest: what a 30-day digest of 10 bots, asked for again and again, does to first posts.

New alerts arrive at the service five times a second. By turns, ROUNDS times each, nothing else goes on, or a member
types ``/triage kpi 30d share`` whenever the answer before is there: ten bots are measured and drawn, and their
pictures uploaded. So other load on the machine falls on both. What counts is by how much the 99th percentile of the first
posts grows (from the webhook to the arrival at our Slack server, as in ``bench.first_post``, best round of each).
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.digest import BOTS, write_archive
from bench.figures import Figure, best_p99, p99, tell
from bench.first_post import first_posts, send_alert
from bench.harness import CALM, Harness, running_service

A_SECOND, SECONDS, ROUNDS, WARM_UP = 5, 20, 3, 10
DAYS = 61
"""Days of files: the digest's 30, as many before them for comparison, and the day that is not over."""
GROWTH_MS = 50.0
CHANNEL = "desk-digest"
ANSWER_SECONDS = 120


@dataclass(slots=True)
class _Alerts:
    """New alerts, sent at a steady pace; their names by whether a digest ran beside them."""

    harness: Harness
    http: httpx.AsyncClient
    stem: str = "box"
    sent: dict[str, float] = field(default_factory=dict)
    names: dict[bool, list[str]] = field(default_factory=lambda: {False: [], True: []})

    async def send(self, count: int, *, beside: bool) -> None:
        """Send so many."""
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
            name = f"{self.stem}-{len(self.sent):04}-end"
            self.sent[name] = await send_alert(self.http, self.harness, name)
            self.names[beside].append(name)

    async def took(self) -> dict[bool, list[float]]:
        """Return the ms from each alert to its first post."""
        posts = await first_posts(self.harness, list(self.sent))
        return {
            beside: [1000 * (posts[name] - self.sent[name]) for name in names]
            for beside, names in self.names.items()
        }


@dataclass(slots=True)
class _Digests:
    """Somebody who asks for the digest again and again; how long each answer took."""

    harness: Harness
    seconds: list[float] = field(default_factory=list)

    async def ask(self) -> None:
        """Ask until cancelled."""
        while True:
            began = time.monotonic()
            before = len(self._answers())
            outcome = await self.harness.slack.member("ana").command("/triage kpi 30d share", CHANNEL)
            assert outcome.acked, outcome
            while len(self._answers()) == before:
                assert time.monotonic() - began < ANSWER_SECONDS, self.harness.bot.log()[-2000:]
                await asyncio.sleep(0.05)
            self.seconds.append(time.monotonic() - began)

    def _answers(self) -> list[object]:
        return [said for said in self.harness.slack.messages(CHANNEL) if "KPIs of" in said.text]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask while the body runs."""
        asking = asyncio.create_task(self.ask())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait({asking})
            if not asking.cancelled():
                asking.result()


async def _measure(data: Path) -> tuple[dict[bool, list[float]], list[float]]:
    """Return the ms of first posts without (False) and with (True) a digest, and the seconds of the digests."""
    desk = {
        **CALM,
        "bots": [{"name": bot, "variant": "a"} for bot in BOTS],
        "paths": {"data": str(data)},
        "roles": {"operator": {"users": ["U0ANA00001"]}},
    }
    async with running_service(desk=desk) as harness, httpx.AsyncClient(trust_env=False, timeout=10) as http:
        await _Alerts(harness, http, "warm").send(WARM_UP, beside=False)
        alerts, digests = _Alerts(harness, http), _Digests(harness)
        for _ in range(ROUNDS):
            await alerts.send(A_SECOND * SECONDS, beside=False)
            async with digests.running():
                await alerts.send(A_SECOND * SECONDS, beside=True)
            await asyncio.sleep(2)  # a digest that was cut short goes on in the service for a moment
        return await alerts.took(), digests.seconds


def figures() -> list[Figure]:
    """Measure."""
    with TemporaryDirectory(prefix="hbot-triage-bench-month-") as name:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        write_archive(Path(name), DAYS, midnight)
        took, digests = asyncio.run(_measure(Path(name)))
    alone, beside = took[False], took[True]
    most_alone, most_beside = best_p99(alone, ROUNDS), best_p99(beside, ROUNDS)
    return [
        Figure("first_post_beside_30d_digest_p99_growth", most_beside - most_alone, "ms", GROWTH_MS),
        Figure("first_post_without_digest_p99", most_alone, "ms"),
        Figure("first_post_beside_30d_digest_p99", most_beside, "ms"),
        Figure("first_post_beside_30d_digest_p99_growth_of_all_rounds", p99(beside) - p99(alone), "ms"),
        Figure(
            "first_post_beside_30d_digest_median_growth",
            statistics.median(beside) - statistics.median(alone),
            "ms",
        ),
        Figure("digest_30d_answered_beside_alerts_median", statistics.median(digests), "s"),
        Figure("digests_30d_answered_beside_alerts", len(digests), "digests", 1, at_least=True),
    ]


if __name__ == "__main__":
    sys.exit(tell(figures()))
