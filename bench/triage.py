"""How long a triage takes when its sources are slow: ``python -m bench.triage``.

The simulated desk's clock is stopped; its Prometheus, Loki, Alertmanager, Docker Engine and Redis each answer every
question after 300 ms (a relay in front of each holds its answers back). Alerts of one bot arrive one after the
other, each brings a triage, with no rest between them. A triage's time is the one the service recorded, from
claiming the run to having its verdict. Half of them look at the code in the bot's container too. The first of a bot
asks Loki for the window and then, one question at a time, for the baseline; the later ones know the baseline. Then
Loki hangs: the triage must end with the deadline of its checks, and its summary must be in the thread.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.figures import Figure, tell
from bench.harness import CALM, TOKEN, Harness, running_service
from bench.load import alert, webhook
from bench.simulated import simulated_desk
from bench.slow import SlowRelay

SLOW_SECONDS, DEADLINE_SECONDS = 0.3, 5.0
LIMIT_MS, HANGING_LIMIT_MS = 450.0, (DEADLINE_SECONDS + 0.15) * 1000
FIRST_LIMIT_MS = 1500.0
"""The window, the count of the baseline, its lines: one after the other; and each source's first connection."""
DESK_OF_TRIAGES = {**CALM, "triage": {"again_after_seconds": 0}}
PLAIN, WITH_CODE = "BotNegativeEdgePersistent", "BotHardStopActive"
"""What opens an incident says which playbook triages it; what joins has it triaged again."""
TRIAGES = 8


@dataclass(frozen=True, slots=True)
class _Slow:
    harness: Harness
    loki: SlowRelay


@asynccontextmanager
async def _slow_harness() -> AsyncIterator[_Slow]:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(simulated_desk())

        async def late(relay: SlowRelay) -> int:
            stack.push_async_callback(relay.close)
            return await relay.listen()

        def of(name: str) -> SlowRelay:
            return SlowRelay.tcp(urlsplit(desk.sources[name]).port or 0, SLOW_SECONDS)

        loki = of("LOKI_URL")
        docker = SlowRelay.unix(Path(desk.docker_socket), SLOW_SECONDS)
        sources = {
            "PROMETHEUS_URL": f"http://127.0.0.1:{await late(of('PROMETHEUS_URL'))}",
            "LOKI_URL": f"http://127.0.0.1:{await late(loki)}",
            "ALERTMANAGER_URL": f"http://127.0.0.1:{await late(of('ALERTMANAGER_URL'))}",
            "DOCKER_HOST": f"tcp://127.0.0.1:{await late(docker)}",
            "REDIS_URL": f"redis://127.0.0.1:{await late(of('REDIS_URL'))}/0",
        }
        harness = await stack.enter_async_context(running_service(desk=DESK_OF_TRIAGES, sources=sources))
        yield _Slow(harness, loki)


async def _fire(harness: Harness, name: str, bot: str) -> None:
    labels = {"alertname": name, "bot": bot, "severity": "critical"}
    body = json.dumps(webhook(alert(name, labels)))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = await http.post(f"{harness.bot.url}/webhooks/alertmanager", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def _triaged(harness: Harness, *, runs: int, within: float = 20) -> tuple[float, bool]:
    """Wait for so many finished runs; returns how long the last took in ms, and whether it looked at the code."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{harness.folder}/triage.db?mode=ro", uri=True) as database:
            query = "SELECT id, finished_at - started_at FROM triage_runs WHERE status = 'done' ORDER BY id"
            done = database.execute(query).fetchall()
            if len(done) >= runs:
                names = "SELECT name FROM findings WHERE run_id = ?"
                checks = {row[0] for row in database.execute(names, (done[-1][0],))}
                return done[-1][1] / 1000, "bytecode" in checks
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {runs} triages within {within:g} s\n{harness.bot.log()[-3000:]}")


async def _figures() -> list[Figure]:
    took: dict[bool, list[float]] = {False: [], True: []}
    first: list[float] = []
    runs = 0
    async with _slow_harness() as slow:
        harness = slow.harness
        await asyncio.sleep(3)  # what listens has connected
        for bot, opening in (("bot1", PLAIN), ("bot2", WITH_CODE)):
            for name in (opening, *(f"{bot}Joins{number}" for number in range(TRIAGES))):
                runs += 1
                await _fire(harness, name, bot)
                milliseconds, code = await _triaged(harness, runs=runs)
                (first if name == opening else took[code]).append(milliseconds)
                await asyncio.sleep(0.3)
        slow.loki.seconds = 3600
        await _fire(harness, "WhileLokiHangs", "bot1")
        hanging, _ = await _triaged(harness, runs=runs + 1)
        await harness.slack.message(lambda m: "no answer within" in json.dumps(m.blocks), what="the summary")
    plain, with_code = took[False], took[True]
    return [
        Figure("triage_sources_300_ms_first", max(first), "ms", FIRST_LIMIT_MS),
        Figure("triage_sources_300_ms", statistics.median(plain), "ms", LIMIT_MS),
        Figure("triage_sources_300_ms_with_code", statistics.median(with_code), "ms", LIMIT_MS),
        Figure("triage_sources_300_ms_slowest", max(plain + with_code), "ms"),
        Figure("triage_one_source_hanging", hanging, "ms", HANGING_LIMIT_MS),
    ]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_figures())))
