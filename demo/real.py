"""``REAL=1``: the servers of this machine in place of the stand-ins, with their waits shortened for a demo.

Prometheus and Alertmanager keep the machine's own time, so the desk's clock must run at speed 1.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any

import aiohttp
from ruamel.yaml import YAML

from demo.desk.desk import SimulatedDesk
from demo.ports import free_port
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.go_text import parse_duration
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target
from demo.watch import INSTANCES, RULES, Watch, routes
from triage.errors import SettingError

PROMETHEUS, ALERTMANAGER, REDIS = "prometheus", "prometheus-alertmanager", "redis-server"
SHORTER, SHORTEST_SECONDS = 20.0, 5.0
"""A rule that waits for twenty minutes waits for one; none waits less than five seconds."""
WAITS = {"group_wait": "1s", "group_interval": "10s"}
STARTS_WITHIN, ENDS_WITHIN = 20.0, 5.0
SCRAPE_SECONDS = 5.0


@asynccontextmanager
async def installed(folder: Path, desk: SimulatedDesk, webhook: str, token: str) -> AsyncIterator[Watch]:
    """Run what is on PATH, stand-ins for the rest; they end with the block, whatever happened."""
    real = [name for name in (PROMETHEUS, ALERTMANAGER, REDIS) if shutil.which(name)]
    rules = folder / "rules.yml"
    rules.write_text(json.dumps(shorter_rules()))
    config = routes(webhook, token, waits=WAITS)
    async with AsyncExitStack() as stack:
        tasks: list[AlertmanagerServer | PrometheusServer] = []
        if ALERTMANAGER in real:
            alertmanager = await stack.enter_async_context(_alertmanager(folder, config))
        else:
            stand_in = await stack.enter_async_context(AlertmanagerServer(config, desk.clock))
            tasks.append(stand_in)
            alertmanager = stand_in.url
        if PROMETHEUS in real:
            prometheus = await stack.enter_async_context(_prometheus(folder, desk, rules, alertmanager))
        else:
            other = await stack.enter_async_context(_stand_in(desk, rules, alertmanager))
            tasks.append(other)
            prometheus = other.url

        async def run() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(desk.run(), name="desk")
                for one in tasks:
                    group.create_task(one.run(), name=type(one).__name__)

        yield Watch(prometheus, alertmanager, run, tuple(real))


def shorter_rules() -> dict[str, Any]:
    """Return the shipped rules with ``for`` cut to a twentieth."""
    rules: dict[str, Any] = YAML(typ="safe", pure=True).load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                seconds = max(parse_duration(str(rule["for"])) / SHORTER, SHORTEST_SECONDS)
                rule["for"] = f"{seconds:.0f}s"
    return rules


def _stand_in(desk: SimulatedDesk, rules: Path, alertmanager: str) -> PrometheusServer:
    targets = [Target(job, INSTANCES[job], page) for job, page in desk.scrapes.items()]
    config = PrometheusConfig(
        targets=targets,
        rule_files=[rules],
        alertmanager_url=alertmanager,
        scrape_interval=SCRAPE_SECONDS,
        evaluation_interval=SCRAPE_SECONDS,
    )
    return PrometheusServer(config, desk.clock)


@asynccontextmanager
async def _prometheus(
    folder: Path, desk: SimulatedDesk, rules: Path, alertmanager: str
) -> AsyncIterator[str]:
    pace = f"{SCRAPE_SECONDS:.0f}s"
    scrapes = [
        {
            "job_name": job,
            "metrics_path": f"/{job}/metrics",
            "static_configs": [
                {"targets": [f"127.0.0.1:{desk.exporter.port}"], "labels": {"instance": INSTANCES[job]}}
            ],
        }
        for job in desk.scrapes
    ]
    config = {
        "global": {"scrape_interval": pace, "scrape_timeout": pace, "evaluation_interval": pace},
        "rule_files": [str(rules)],
        "scrape_configs": scrapes,
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]
        },
    }
    options = (f"--storage.tsdb.path={folder / 'prometheus'}", "--rules.alert.resend-delay=10s")
    async with _configured(folder, PROMETHEUS, json.dumps(config), *options) as url:
        yield url


@asynccontextmanager
async def _alertmanager(folder: Path, config: str) -> AsyncIterator[str]:
    options = (f"--storage.path={folder / 'alertmanager'}", "--cluster.listen-address=")
    async with _configured(folder, ALERTMANAGER, config, *options) as url:
        yield url


@asynccontextmanager
async def _configured(folder: Path, program: str, config: str, *options: str) -> AsyncIterator[str]:
    """Run a server with a configuration file, on a free port of loopback."""
    name, port = Path(program).name, free_port()
    file = folder / f"{name}.yml"
    file.write_text(config)
    listen = f"--web.listen-address=127.0.0.1:{port}"
    argv = [program, f"--config.file={file}", listen, "--log.level=warn", *options]
    async with _server(argv, f"http://127.0.0.1:{port}", folder / f"{name}.log") as url:
        yield url


@asynccontextmanager
async def _server(argv: Sequence[str], url: str, log: Path) -> AsyncIterator[str]:
    """Run a server until the block ends. Raises SettingError with the end of its log when it does not start."""
    with _log(log) as output:
        process = await asyncio.create_subprocess_exec(*argv, stdout=output, stderr=output)
        try:
            await _ready(process, url, log)
            yield url
        finally:
            await _end(process)


def _log(path: Path) -> IO[bytes]:
    return path.open("wb")


async def _ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as session:
            while process.returncode is None:
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{url}/-/ready") as answer:
                        if answer.ok:
                            return
                await asyncio.sleep(0.05)
    raise SettingError(f"REAL=1: {url} did not become ready: {_end_of(log)}; run the demo without REAL=1")


def _end_of(log: Path) -> str:
    return " ".join(log.read_text(errors="replace").split())[-300:]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), ENDS_WITHIN)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
