"""Six sources, each in eight bad ways, under the running service: every alert is told and triaged all the same."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from demo.servers.local_server import Fault as SourceFault
from demo.servers.local_server import LocalServer
from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_late_slack_campaign import post
from tests.crash.test_replica_kills import DESK, replica
from tests.flows.harness import Bot
from tests.handlers.posting import alert
from tests.servers.process import LOOPBACK, free_port
from tests.servers.tcp import Talks

WAYS = ("delay", "hang", "status", "garbage", "empty", "huge", "reset", "refused")
OVER_HTTP = ("PROMETHEUS_URL", "LOKI_URL", "ALERTMANAGER_URL", "GRAFANA_URL", "DOCKER_HOST")
HUGE = 64 * 1024 * 1024
RSS_MB = 250.0
POSTED_SECONDS = 60.0
EDIT_SECONDS = 1.2
"""What Slack lets one edit take: once alerting is blind, the card of every open incident says so."""
CALM = {
    **DESK,
    "correlation": {"storm_incidents": 1_000_000, "wide_window_seconds": 0, "reconcile_seconds": 5},
}


class HttpSource(LocalServer):
    """A source over HTTP that fails as told, and else knows nothing."""

    def routes(self) -> list[web.RouteDef]:
        """None: it answers 404."""
        return []

    async def turn(self, way: str) -> None:
        """Fail in a way from now on."""
        self.faults.clear()
        await self.stop()
        if way == "refused":
            return
        await self.start()
        if way:
            self.faults.add(SourceFault(way, seconds=3.0))  # type: ignore[arg-type] # one of WAYS


class RedisSource:
    """A Redis that fails as told."""

    def __init__(self) -> None:
        self.port, self._way = free_port(), ""
        self._server: asyncio.Server | None = None
        self._talks = Talks(self._serve)

    async def turn(self, way: str) -> None:
        """Fail in a way from now on."""
        self._way = way
        await self.stop()
        if way != "refused":
            self._server = await asyncio.start_server(self._talks.serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await self._talks.end()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536) and self._way != "reset":
                await self._answer(writer)
        except OSError:
            pass  # whoever asked has gone

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if self._way in {"hang", "delay"}:
            await asyncio.sleep(600 if self._way == "hang" else 3)
        if self._way == "huge":
            writer.write(b"$%d\r\n" % HUGE)
            for _ in range(HUGE // 65_536):
                writer.write(b" " * 65_536)
                await writer.drain()
        answers = {"status": b"-ERR broken\r\n", "garbage": b"<html>no\r\n", "empty": b"", "huge": b"\r\n"}
        writer.write(answers.get(self._way, b"-NOAUTH Authentication required.\r\n"))
        await writer.drain()


Source = HttpSource | RedisSource


@asynccontextmanager
async def six_sources() -> AsyncIterator[dict[str, Source]]:
    """Run them, each answering that it knows nothing."""
    found: dict[str, Source] = {}
    async with AsyncExitStack() as stack:
        for name in OVER_HTTP:
            found[name] = http = HttpSource(free_port())
            stack.push_async_callback(http.stop)
            await http.turn("")
        found["REDIS_URL"] = redis = RedisSource()
        stack.push_async_callback(redis.stop)
        await redis.turn("")
        yield found


def address(source: Source, name: str) -> str:
    """Return the address of a source as its setting takes it."""
    if isinstance(source, RedisSource):
        return f"redis://{LOOPBACK}:{source.port}/0"
    return source.url.replace("http://", "tcp://") if name == "DOCKER_HOST" else source.url


async def told(service: Bot, slack: SlackServer, url: str, accepted: list[str]) -> tuple[float, float]:
    """Post an alert of another bot; returns the seconds to its card and until everything about it is said."""
    number = len(accepted)
    labels = {"alertname": "BotHardStopActive", "bot": f"bot{number}", "severity": "critical"}
    began = time.monotonic()
    await post([service], alert(labels=labels, fingerprint=f"of-bot-{number}"))
    accepted.append(f"of-bot-{number}")
    async with asyncio.timeout(20):
        while not any(f"bot{number} " in card.text for card in slack.messages("desk-alerts")):  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.02)
    card = time.monotonic() - began
    await balanced(url, slack, accepted, within=POSTED_SECONDS + EDIT_SECONDS * len(accepted))
    return card, time.monotonic() - began


@pytest.mark.campaign
@pytest.mark.timeout(1800)
async def test_every_alert_is_told_and_triaged_whatever_a_source_does(
    slack: SlackServer, tmp_path: Path, sqlite_url: str
) -> None:
    """One source fails at a time, then all of them in each way; memory stays bounded."""
    accepted: list[str] = []
    cards, all_said, memory = [], [], 0.0
    async with six_sources() as sources:
        settings = {name: address(source, name) for name, source in sources.items()}
        service = replica(slack, tmp_path / "one", sqlite_url, CALM, **settings)
        try:
            await service.start()
            for way in WAYS:
                for failing in [*([name] for name in sources), list(sources)]:
                    for name in failing:
                        await sources[name].turn(way)
                    card, said = await told(service, slack, sqlite_url, accepted)
                    cards.append(card)
                    all_said.append(said)
                    memory = max(memory, psutil.Process(service.process.pid).memory_info().rss / 1e6)
                    for name in failing:
                        await sources[name].turn("")
        finally:
            await service.stop()
    figure(
        f"6 sources x 8 ways, and all at once: card after {max(cards):.1f} s at the most, all said after "
        f"{max(all_said):.1f} s, RSS {memory:.0f} MB"
    )
    assert "Traceback" not in service.log()
    assert memory <= RSS_MB
