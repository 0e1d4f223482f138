"""How long a triage takes when its sources are slow: ``python -m bench.triage``.

The simulated desk stands still; its Prometheus, Loki, Alertmanager, Docker Engine and Redis each answer every
question 300 ms late (a relay in front of each holds back what it says). Alerts of one bot arrive one after the
other, so that each brings a triage with its own playbook. A triage's time is the one the service recorded, from
claiming the run to having its verdict. Then Loki hangs: the triage must end with the deadline of its checks, and
its summary must be in the thread.
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
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from bench.figures import Figure, tell
from bench.house import TOKEN, House, running_house
from bench.load import alert, webhook
from bench.slow import SlowRelay
from demo.desk.clock import SimClock
from demo.desk.desk import Desk, DeskOptions
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.loki import LokiServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target

SLOW_SECONDS, DEADLINE_SECONDS = 0.3, 5.0
LIMIT_MS, HANGING_LIMIT_MS = 450.0, (DEADLINE_SECONDS + 0.15) * 1000
RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "desk-rules.yml"
ROUTES = "route: {receiver: none}\nreceivers: [{name: none}]\n"
ALERTS = (
    "BotHardStopActive",
    "BotSoftPauseTooLong",
    "BotLogErrorSpike",
    "BotFeeSourceFallback",
    "BotFrozen",
    "BotNegativeEdgePersistent",
    "BotDailyPnlDrawdown",
    "SomethingNobodyKnows",
)


@dataclass(frozen=True, slots=True)
class _Slow:
    house: House
    loki: SlowRelay


@asynccontextmanager
async def _slow_house() -> AsyncIterator[_Slow]:
    async with AsyncExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="hbot-triage-desk-")))
        clock = SimClock(1, datetime.now(UTC).timestamp())
        loki = await stack.enter_async_context(LokiServer(clock))
        desk = await stack.enter_async_context(Desk(root, clock, (), DeskOptions(past_hours=1, redis="fake")))
        alertmanager = await stack.enter_async_context(AlertmanagerServer(ROUTES, clock))
        targets = [Target(job, f"{job}:1", page) for job, page in desk.scrapes.items()]
        config = PrometheusConfig(targets=targets, rule_files=[RULES])
        prometheus = await stack.enter_async_context(PrometheusServer(config, clock))
        await prometheus.tick()

        async def late(relay: SlowRelay) -> int:
            stack.push_async_callback(relay.close)
            return await relay.listen()

        def of(url: str) -> SlowRelay:
            return SlowRelay.tcp(urlsplit(url).port or 0, SLOW_SECONDS)

        loki_relay = of(loki.url)
        docker = SlowRelay.unix(desk.docker_socket, SLOW_SECONDS)
        sources = {
            "PROMETHEUS_URL": f"http://127.0.0.1:{await late(of(prometheus.url))}",
            "LOKI_URL": f"http://127.0.0.1:{await late(loki_relay)}",
            "ALERTMANAGER_URL": f"http://127.0.0.1:{await late(of(alertmanager.url))}",
            "DOCKER_HOST": f"tcp://127.0.0.1:{await late(docker)}",
            "REDIS_URL": f"redis://127.0.0.1:{await late(of(desk.redis_url))}/0",
        }
        house = await stack.enter_async_context(running_house(sources=sources))
        yield _Slow(house, loki_relay)


async def _fire(house: House, name: str) -> None:
    body = json.dumps(webhook(alert(name, {"alertname": name, "bot": "bot1", "severity": "critical"})))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        answer = await http.post(f"{house.bot.url}/webhooks/alertmanager", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def _triaged(house: House, *, runs: int, within: float = 20) -> list[float]:
    """Wait until there are so many finished runs; return how long each took in ms."""
    deadline = time.monotonic() + within
    while True:
        with sqlite3.connect(f"file:{house.folder}/triage.db?mode=ro", uri=True) as database:
            query = "SELECT finished_at - started_at FROM triage_runs WHERE status = 'done' ORDER BY id"
            took = [row[0] / 1000 for row in database.execute(query)]
        if len(took) >= runs:
            return took
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(took)} of {runs} triages\n{house.bot.log()[-3000:]}")
        await asyncio.sleep(0.02)


async def _figures() -> list[Figure]:
    async with _slow_house() as slow:
        house = slow.house
        await asyncio.sleep(3)  # what listens has connected
        for number, name in enumerate(ALERTS, 1):
            await _fire(house, name)
            took = await _triaged(house, runs=number)
            await asyncio.sleep(0.3)
        slow.loki.seconds = 3600
        await _fire(house, "OrderBookStale")
        hanging = (await _triaged(house, runs=len(ALERTS) + 1))[-1]
        await house.slack.message(lambda m: "no answer within" in json.dumps(m.blocks), what="the summary")
    return [
        Figure("triage_sources_300_ms", statistics.median(took), "ms", LIMIT_MS),
        Figure("triage_sources_300_ms_slowest", max(took), "ms"),
        Figure("triage_sources_300_ms_first", took[0], "ms"),
        Figure("triage_one_source_hanging", hanging, "ms", HANGING_LIMIT_MS),
    ]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_figures())))
