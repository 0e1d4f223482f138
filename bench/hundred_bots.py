"""A desk of a hundred bots: a triage of all of them, and ``status``: ``python -m bench.hundred_bots``.

Prometheus, the Docker Engine, Alertmanager and Loki (with a tenant's limits as Loki 2.9 has them, and ten lines a bot an
hour) each answer every question after 300 ms, from a process of their own. Measured is what a triage asks and
makes of it, by the adapters that the service uses: first without and then with the baseline remembered.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bench.figures import Figure, tell
from bot.sources.opening import open_sources
from demo.servers.loki import LokiServer
from demo.servers.loki_limits import LokiLimits
from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.runner import run_checks
from triage.model import Finding
from triage.playbooks.lookup import playbook_for
from triage.playbooks.model import Playbook
from triage.ports.clock import SystemClock
from triage.ports.sources import Sources
from triage.reports.answers.status import CHECKS as STATUS_CHECKS

SLOW_SECONDS = 0.3
TRIAGE_LIMIT_MS, STATUS_LIMIT_MS = 1500.0, 1000.0
BOTS = tuple(f"bot{number}" for number in range(1, 101))
ROUNDS = 3


def _sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [time.time(), str(value)]}


def _series(query: str) -> list[dict[str, Any]]:  # noqa: PLR0911 - a row a kind of question
    """Answer the questions of the checks for every bot; what is not known here has no data."""
    if "__name__=~" in query:
        named = {"hbot_bot_net_edge_pct": 0.0002, "hbot_bot_orders_active": 4, "hbot_bot_cancel_per_min": 3}
        return [
            sample
            for bot in BOTS
            for sample in (
                _sample(1, __name__="hbot_bot_state", bot=bot, state="running", regime="calm"),
                *(_sample(value, __name__=name, bot=bot) for name, value in named.items()),
            )
        ]
    if "hbot_bot_fee_source_info" in query:
        return [_sample(1, bot=bot, source="api:bitget:user_fee_query") for bot in BOTS]
    if "(hbot_bot_state)" in query:
        return [_sample(1, bot=bot, state="running") for bot in BOTS]
    if "snapshot" in query:
        return [_sample(20, bot=bot) for bot in BOTS]
    if "fee_pct" in query or "net_edge" in query:
        return [_sample(0.0002, bot=bot) for bot in BOTS]
    if "container_last_seen" in query:
        return [_sample(5, name=f"hbot-{bot}") for bot in BOTS]
    return [_sample(0.4, instance="node-1", mountpoint="/")] if "node_" in query else []


async def _prometheus(request: web.Request) -> web.Response:
    path = request.path.rpartition("/")[2]
    data: dict[str, Any] = {
        "groups": [],
        "alerts": [],
        "activeTargets": [],
        "resultType": "vector",
        "result": [],
    }
    if path == "query":
        asked = await request.post() if request.method == "POST" else request.query
        data["result"] = _series(str(asked["query"]))
    elif path == "query_range":
        now = time.time()
        points = [[now - 60 * n, "1"] for n in range(360, 0, -1)]
        data |= {
            "resultType": "matrix",
            "result": [{"metric": {"bot": bot, "state": "running"}, "values": points} for bot in BOTS],
        }
    return web.json_response({"status": "success", "data": data})


def _container(name: str) -> dict[str, Any]:
    since = (datetime.now(UTC) - timedelta(days=3)).isoformat().replace("+00:00", "Z")
    state = {
        "Status": "running",
        "StartedAt": since,
        "FinishedAt": "0001-01-01T00:00:00Z",
        "ExitCode": 0,
        "OOMKilled": False,
    }
    return {
        "Name": f"/{name}", "Id": f"{hash(name) & 0xFFFFFFFF:064x}", "State": state, "Image": "sha256:1",
        "Created": since, "Config": {"Image": "bot:1", "Labels": {}}, "RestartCount": 0,
    }  # fmt: skip


async def _docker(request: web.Request) -> web.Response:
    if request.path.endswith("/archive"):
        return web.json_response({"message": "Could not find the file in container"}, status=404)
    if request.path == "/containers/json":
        listed = [
            {
                "Id": "1",
                "Names": [f"/hbot-{bot}"],
                "State": "running",
                "Status": "Up 3 days",
                "Image": "bot:1",
                "Created": 1,
            }
            for bot in BOTS
        ]
        return web.json_response(listed)
    if request.path.startswith("/containers/"):
        return web.json_response(_container(request.path.split("/")[2]))
    return web.Response(text="")


async def _alertmanager(request: web.Request) -> web.Response:
    return web.json_response([] if "alerts" in request.path or "silences" in request.path else {})


async def _listen(handler: Any) -> str:  # noqa: ANN401 - a handler of aiohttp
    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(SLOW_SECONDS)
        answer: web.StreamResponse = await handler(request)
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", late)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return f"127.0.0.1:{runner.addresses[0][1]}"


async def _serve() -> None:
    loki = LokiServer(limits=LokiLimits(busy=SLOW_SECONDS))
    now = time.time()
    for bot in BOTS:
        labels = {"job": "bot_logs", "bot": bot}
        for n in range(240):
            at = now - 360 * n - 5
            stamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S},000"
            level = "ERROR" if n % 20 == 0 else "WARNING" if n % 5 == 0 else "INFO"
            loki.add(
                labels, f"{stamp} - 12 - hummingbot.connector - {level} - Order {n} of {bot} refused", at
            )
    async with loki:
        addresses = {
            "loki_url": loki.url,
            "prometheus_url": f"http://{await _listen(_prometheus)}",
            "alertmanager_url": f"http://{await _listen(_alertmanager)}",
            "docker_host": f"tcp://{await _listen(_docker)}",
        }
        print(json.dumps(addresses), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _sources() -> AsyncIterator[Sources]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.hundred_bots", "serve",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        addresses = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        async with open_sources(**addresses) as sources:
            yield sources
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


async def _took(playbook: Playbook, sources: Sources, *, quick: bool) -> tuple[float, tuple[Finding, ...]]:
    desk = Desk(bots=tuple(Bot(name=name) for name in BOTS))
    now = datetime.now(UTC)
    ctx = CheckContext(
        desk=desk, sources=sources, now=now, since=now, bots=BOTS,
        containers=tuple(desk.container_of(bot) for bot in BOTS), single_bot=False, quick=quick,
    )  # fmt: skip
    began = time.monotonic()
    findings = await run_checks(playbook, ctx, SystemClock())
    return (time.monotonic() - began) * 1000, findings


def _finding_lines(findings: tuple[Finding, ...]) -> str:
    return "\n".join(
        f"# {each.name}: {each.seconds:.2f} s {each.status} {each.headline[:80]} {each.why[:120]}"
        for each in findings
    )


async def _figures() -> list[Figure]:
    playbook = playbook_for(Desk(), "BotHardStopActive")
    status = Playbook("asked", "{subject}", None, STATUS_CHECKS)
    first: list[float] = []
    for _ in range(ROUNDS):
        async with _sources() as sources:
            took, findings = await _took(playbook, sources, quick=False)
            first.append(took)
            errors = next(each for each in findings if each.name == "error_logs")
            assert len(errors.data.get("bots", ())) == len(BOTS), _finding_lines(findings)
            again = [(await _took(playbook, sources, quick=False))[0] for _ in range(2)]
            glances = [(await _took(status, sources, quick=True))[0] for _ in range(2)]
    print(_finding_lines(findings), file=sys.stderr)
    return [
        Figure("hundred_bots_triage", statistics.median(first), "ms", TRIAGE_LIMIT_MS),
        Figure("hundred_bots_triage_baseline_known", statistics.median(again), "ms", TRIAGE_LIMIT_MS),
        Figure("hundred_bots_status", statistics.median(glances), "ms", STATUS_LIMIT_MS),
    ]


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        sys.exit(tell(asyncio.run(_figures())))
