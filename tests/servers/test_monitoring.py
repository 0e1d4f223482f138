import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.servers.alertmanager import AlertmanagerServer, webhook_config
from tests.servers.fixtures import Require
from tests.servers.process import LOOPBACK, ServerProcess, accepts, free_port
from tests.servers.prometheus import PrometheusServer

RULE = {
    "alert": "BotHardStopActive",
    "expr": 'hbot_bot_state{state="hard_stop"} == 1',
    "labels": {"severity": "critical"},
}


class Receiver:
    """A webhook that keeps what it was sent, and an exporter whose one metric a test sets."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.authorization: str | None = None
        self.hard_stop = 0

    async def hook(self, request: web.Request) -> web.Response:
        """Keep a notification."""
        self.authorization = request.headers.get("Authorization")
        await self.calls.put(json.loads(await request.text()))
        return web.Response()

    async def metrics(self, _: web.Request) -> web.Response:
        """Show the metric as it is now."""
        return web.Response(text=f'hbot_bot_state{{bot="bot1",state="hard_stop"}} {self.hard_stop}\n')


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """Run a receiver; give it and its address, host:port."""
    receiver, port = Receiver(), free_port()
    app = web.Application()
    app.add_routes([web.post("/hook", receiver.hook), web.get("/metrics", receiver.metrics)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    yield receiver, f"{LOOPBACK}:{port}"
    await runner.cleanup()


async def test_a_metric_becomes_a_webhook_call_and_its_resolve(
    receiver: tuple[Receiver, str],
    prometheus_server: PrometheusServer,
    alertmanager_server: AlertmanagerServer,
) -> None:
    """Prometheus scrapes, its rule fires, Alertmanager notifies with the token; the way back too."""
    hook, address = receiver
    hook.hard_stop = 1
    assert await alertmanager_server.reload(webhook_config(f"http://{address}/hook", token="t0k")) == 200
    prometheus_server.config.targets = {"bot-metrics": [address]}
    prometheus_server.config.rules = [{"name": "desk", "rules": [RULE]}]
    prometheus_server.config.alertmanager = alertmanager_server.address
    assert await prometheus_server.reload() == 200

    fired = await asyncio.wait_for(hook.calls.get(), 15)
    assert fired["status"] == "firing"
    assert fired["alerts"][0]["labels"]["bot"] == "bot1"
    assert hook.authorization == "Bearer t0k"
    assert (await prometheus_server.until('ALERTS{alertstate="firing"}'))[0]["metric"]["bot"] == "bot1"
    assert [alert["labels"]["alertname"] for alert in await alertmanager_server.alerts()] == [RULE["alert"]]

    hook.hard_stop = 0
    async with asyncio.timeout(15):
        while (await hook.calls.get())["status"] != "resolved":
            pass


async def test_a_wrong_rule_file_is_refused(prometheus_server: PrometheusServer) -> None:
    """A reload with a rule that does not parse answers 500 and the old configuration stays."""
    prometheus_server.config.rules = [{"name": "bad", "rules": [{"alert": "X", "expr": "((("}]}]
    assert await prometheus_server.reload() == 500
    assert await prometheus_server.query("vector(1)")


async def test_an_alert_can_be_fired_without_prometheus(alertmanager_server: AlertmanagerServer) -> None:
    """The API takes an alert, and Alertmanager keeps its silences apart."""
    await alertmanager_server.fire({"labels": {"alertname": "Drill", "severity": "info"}})
    assert [alert["labels"]["alertname"] for alert in await alertmanager_server.alerts()] == ["Drill"]
    assert await alertmanager_server.silences() == []


async def test_node_exporter_starts_and_ends_by_pid(require: Require, tmp_path: Path) -> None:
    """Any server can be run by ServerProcess alone, and is gone after stop."""
    port = free_port()
    argv = [str(require("node-exporter")), f"--web.listen-address={LOOPBACK}:{port}"]
    process = ServerProcess("node-exporter", argv, log=tmp_path / "log")
    process.start()
    await process.ready(lambda: accepts(port))
    await process.stop()
    assert not process.running
    assert not await accepts(port)
