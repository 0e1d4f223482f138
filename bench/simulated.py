"""The simulated desk with its clock stopped, its sources of evidence and its compose command.

It runs in a process of its own (``python -m bench.simulated``, until its standard input ends): what it takes to
answer a query must not hold up the clock of who measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demo.clock import SimClock
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.loki import LokiServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target

RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "desk-rules.yml"
ROUTES = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@dataclass(frozen=True, slots=True)
class Simulated:
    """``sources``: the settings that name the desk's sources, as URLs. ``settings``: its part of desk.yaml."""

    sources: dict[str, str]
    settings: dict[str, Any]
    docker_socket: str


@asynccontextmanager
async def simulated_desk() -> AsyncIterator[Simulated]:
    """Run the simulated desk in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.simulated", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        yield Simulated(**json.loads(line))
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


@asynccontextmanager
async def _running() -> AsyncIterator[Simulated]:
    """Run the desk's stand-ins for Prometheus, Loki, Alertmanager, Docker and Redis; an hour of history."""
    async with AsyncExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="hbot-triage-desk-")))
        clock = SimClock(1, datetime.now(UTC).timestamp())
        loki = await stack.enter_async_context(LokiServer(clock))
        desk = await stack.enter_async_context(
            SimulatedDesk(root, clock, (), DeskOptions(past_hours=1, redis="fake"))
        )
        alertmanager = await stack.enter_async_context(AlertmanagerServer(ROUTES, clock))
        targets = [Target(job, f"{job}:1", page) for job, page in desk.scrapes.items()]
        config = PrometheusConfig(targets=targets, rule_files=[RULES])
        prometheus = await stack.enter_async_context(PrometheusServer(config, clock))
        await prometheus.tick()
        sources = {
            "PROMETHEUS_URL": prometheus.url,
            "LOKI_URL": loki.url,
            "ALERTMANAGER_URL": alertmanager.url,
            "DOCKER_HOST": f"unix://{desk.docker_socket}",
            "REDIS_URL": desk.redis_url,
        }
        layout = desk.world.layout
        paths = {"compose": layout.compose, "env": layout.env, "data": layout.data, "backups": layout.backups}
        needs = desk.compose_environment
        settings = {
            "paths": {name: str(path) for name, path in paths.items()},
            "compose": {
                # A program of the service inherits next to nothing, so the line itself says what it needs.
                "command": [
                    "env",
                    *(f"{name}={value}" for name, value in needs.items()),
                    *desk.compose_command,
                ],
                "profiles": ["multi", "external", "test"],
            },
        }
        yield Simulated(sources, settings, str(desk.docker_socket))


async def _main() -> None:
    async with _running() as desk:
        print(json.dumps(asdict(desk)), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
