"""A real Prometheus and the stand-in scrape the same exporter and follow the same rules: both must say the same."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target
from tests.demo.servers.processes import free_port, prometheus, running
from tests.servers.http import plain_client

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not on PATH")

RULES = """
groups:
  - name: desk
    interval: 1s
    rules:
      - alert: HardStop
        expr: max by (bot) (hbot_state{state="hard_stop"}) == 1
        for: 2s
        labels: {severity: critical, copy: "{{ $labels.bot }}"}
        annotations:
          plain: 'bot {{ $labels.bot }} {{$value}} {{ $labels.nothing }}!'
          piped: '{{ $value | printf "%.2f" }} {{ printf "%s has %5.1f%%" $labels.bot $value }}'
      - alert: Numbers
        expr: hbot_number
        annotations:
          raw: '{{ $value }}'
          human: '{{ $value | humanize }} {{ $value | humanize1024 }}'
          percent: '{{ $value | humanizePercentage }}'
          duration: '{{ humanizeDuration $value }}'
          digits: '{{ printf "%.3f" $value }} {{ printf "%e" $value }} {{ printf "%g" $value }} {{ printf "%v" $value }}'
      - alert: NeverTrue
        expr: hbot_state > 5
        for: 1h
      - record: bot:state:sum
        expr: sum by (bot) (hbot_state)
        labels: {made: here}
"""
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{desk: hbot}}}}
rule_files: ["{folder}/rules.yml"]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs:
  - {{job_name: bot-metrics, static_configs: [{{targets: ["{target}"], labels: {{role: desk}}}}]}}
"""
AM_CONFIG = "{route: {receiver: none}, receivers: [{name: none}]}"
NUMBERS = (
    0,
    1,
    -2.5,
    0.000123,
    1234.5678,
    98_765_432.1,
    1e15,
    86_461,
    3_725.4,
    59.99,
    0.25,
    1e-7,
    1024,
    -90_061,
)
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(slots=True)
class Exporter:
    """The desk's metrics, to be flipped by a test."""

    hard_stop: int = 0
    down: bool = False
    url: str = ""

    async def metrics(self, _request: web.Request) -> web.Response:
        """Answer a scrape."""
        if self.down:
            return web.Response(status=503)
        lines = [
            "# HELP hbot_state State, one-hot.",
            "# TYPE hbot_state gauge",
            f'hbot_state{{bot="bot1",state="hard_stop",job="mine"}} {self.hard_stop}',
            f'hbot_state{{bot="bot1",state="running"}} {1 - self.hard_stop}',
            'hbot_state{bot="bot2",state="hard_stop",empty=""} 0',
            "# TYPE hbot_fills_total counter",
            'hbot_fills_total{bot="we\\"ird\\\\"} 5',
            "# TYPE hbot_number gauge",
            *(f'hbot_number{{n="{n}"}} {value}' for n, value in enumerate(NUMBERS)),
            "# TYPE hbot_tick_seconds histogram",
            'hbot_tick_seconds_bucket{le="1.0"} 3',
            'hbot_tick_seconds_bucket{le="+Inf"} 4',
            "hbot_tick_seconds_sum 2.5",
            "hbot_tick_seconds_count 4",
        ]
        return web.Response(text="\n".join([*lines, ""]))


@dataclass(frozen=True, slots=True)
class Side:
    """A Prometheus and the Alertmanager it tells."""

    http: httpx.AsyncClient
    told: AlertmanagerServer

    async def get(self, path: str, **params: str) -> Any:  # noqa: ANN401 (a JSON answer)
        """Ask the API; returns `data`."""
        return (await self.http.get(path, params=params)).json()["data"]

    async def query(self, query: str) -> list[Any]:
        """Ask an instant query; returns labels and values in a fixed order."""
        result = (await self.get("/api/v1/query", query=query))["result"]
        return sorted((sorted(r["metric"].items()), r["value"][1]) for r in result)


@dataclass(frozen=True, slots=True)
class World:
    """Both sides and what they watch."""

    real: Side
    ours: Side
    exporter: Exporter

    async def agree(self, ask: Callable[[Side], Awaitable[Any]], when: Callable[[Any], bool]) -> Any:  # noqa: ANN401
        """Wait until the real one's answer is as wanted and ours is the same; returns it."""
        real = ours = None
        for _ in range(60):
            real, ours = await ask(self.real), await ask(self.ours)
            if when(real) and ours == real:
                return ours
            await asyncio.sleep(0.25)
        assert ours == real
        raise AssertionError(f"both say {real}")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Give both sides at work over one exporter."""
    exporter = Exporter()
    app = web.Application()
    app.add_routes([web.get("/metrics", exporter.metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target = f"127.0.0.1:{runner.addresses[0][1]}"
    (tmp_path / "rules.yml").write_text(RULES)
    managers = AlertmanagerServer(AM_CONFIG), AlertmanagerServer(AM_CONFIG)
    async with managers[0], managers[1]:
        config = CONFIG.format(
            folder=tmp_path, alertmanager=managers[0].url.removeprefix("http://"), target=target
        )
        port = free_port()
        ours = PrometheusServer(
            PrometheusConfig(
                targets=[Target("bot-metrics", target, f"http://{target}/metrics", {"role": "desk"})],
                rule_files=[tmp_path / "rules.yml"],
                alertmanager_url=managers[1].url,
                scrape_interval=1,
                evaluation_interval=1,
                external_labels={"desk": "hbot"},
            )
        )
        command = prometheus(tmp_path, config, port)
        async with (
            running(command, f"http://127.0.0.1:{port}", tmp_path / "log") as url,
            ours,
            plain_client(url, timeout=5) as real_http,
            plain_client(ours.url, timeout=5) as ours_http,
        ):
            working = asyncio.create_task(ours.run())
            yield World(Side(real_http, managers[0]), Side(ours_http, managers[1]), exporter)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    await runner.cleanup()


def comparable(value: object, url: httpx.URL) -> Any:  # noqa: ANN401 (JSON of any shape)
    """Put a word for times, durations and the server's own address."""
    text = _TIME.sub("<time>", json.dumps(value, sort_keys=True))
    text = re.sub(r'"(evaluationTime|lastScrapeDuration)": [\d.e-]+', r'"\1": 0', text)
    text = re.sub(r"http://[\w.:-]+(/graph\?)", r"<url>\1", text)
    return json.loads(text.replace(str(url).rstrip("/"), "<url>"))


async def rules(side: Side) -> Any:  # noqa: ANN401 (JSON of any shape)
    """Give the rules, their alerts in a fixed order."""
    data = comparable(await side.get("/api/v1/rules"), side.http.base_url)
    for rule in data["groups"][0]["rules"]:
        rule.get("alerts", []).sort(key=json.dumps)
    return data


async def told(side: Side) -> Any:  # noqa: ANN401 (JSON of any shape)
    """Give what the Alertmanager of a side was told, resolved alerts too."""
    alerts = side.told.dispatcher.alerts.values()
    now = side.told.now_ns()
    return sorted(
        (
            sorted(a.labels.items()),
            sorted(a.annotations.items()),
            a.generator_url.split("/graph")[1],
            a.resolved(now),
        )
        for a in alerts
    )


async def test_scraped_series_and_targets_agree(world: World) -> None:
    """Labels of the target and of the exposition, `up` and `scrape_*`, metadata, a target that goes down."""
    await world.agree(lambda s: s.query("up"), lambda rows: bool(rows) and rows[0][1] == "1")
    everything = '{__name__=~"hbot_.*|up|scrape_samples.*|bot:.*"}'
    rows = await world.agree(
        lambda s: s.query(everything), lambda rows: any("made" in dict(r[0]) for r in rows)
    )
    assert any(("exported_job", "mine") in labels for labels, _ in rows)

    async def scraped_names(side: Side) -> list[str]:
        names = await side.get("/api/v1/label/__name__/values")
        return [name for name in names if not name.startswith("prometheus_")]

    names = await world.agree(scraped_names, lambda names: "up" in names)
    assert "scrape_series_added" in names
    assert await world.ours.get("/api/v1/metadata", metric="hbot_state") == await world.real.get(
        "/api/v1/metadata", metric="hbot_state"
    )

    async def targets(side: Side) -> Any:  # noqa: ANN401 (JSON of any shape)
        data = comparable(await side.get("/api/v1/targets"), side.http.base_url)
        for target in data["activeTargets"]:
            target["globalUrl"] = re.sub(r"//[^:]+:", "//host:", target["globalUrl"])
            target["discoveredLabels"].pop("role", None)
            target["scrapeTimeout"] = target["discoveredLabels"]["__scrape_timeout__"]
        return data

    up = await world.agree(targets, lambda data: data["activeTargets"][0]["health"] == "up")
    assert up["activeTargets"][0]["labels"]["role"] == "desk"
    world.exporter.down = True
    down = await world.agree(targets, lambda data: data["activeTargets"][0]["health"] == "down")
    assert down["activeTargets"][0]["lastError"] == "server returned HTTP status 503 Service Unavailable"
    await world.agree(lambda s: s.query("up"), lambda rows: rows[0][1] == "0")
    await world.agree(lambda s: s.query("hbot_state"), lambda rows: rows == [])


async def test_alerts_agree_from_pending_to_resolved(world: World) -> None:
    """States, values, templates, ALERTS, and what Alertmanager is told."""
    world.exporter.hard_stop = 1

    def states(data: Any) -> dict[str, str]:  # noqa: ANN401 (JSON of any shape)
        return {rule["name"]: rule.get("state", "") for rule in data["groups"][0]["rules"]}

    firing = await world.agree(rules, lambda data: states(data)["HardStop"] == "firing")
    assert states(firing)["NeverTrue"] == "inactive"
    await world.agree(lambda s: s.query("ALERTS"), lambda rows: len(rows) == len(NUMBERS) + 1)

    def fired(rows: list[Any]) -> bool:
        return any(("alertname", "HardStop") in labels and not resolved for labels, _, _, resolved in rows)

    rows = await world.agree(told, fired)
    assert any(("desk", "hbot") in labels for labels, *_ in rows)
    world.exporter.hard_stop = 0
    await world.agree(
        told,
        lambda rows: any(resolved and ("alertname", "HardStop") in labels for labels, _, _, resolved in rows),
    )
    await world.agree(lambda s: s.query('ALERTS{alertname="HardStop"}'), lambda rows: rows == [])


async def test_status_pages_have_the_same_fields(world: World) -> None:
    """Build and runtime information, readiness, and the empty answers."""
    for path in ("/api/v1/status/buildinfo", "/api/v1/status/runtimeinfo"):
        real, ours = await world.real.get(path), await world.ours.get(path)
        assert set(real) - {"timeSeriesCount"} <= set(ours) | {"GODEBUG"}
    for path in ("/-/ready", "/-/healthy"):
        real_text, ours_text = (await world.real.http.get(path)).text, (await world.ours.http.get(path)).text
        assert ours_text == real_text
    own = await world.ours.query("prometheus_config_last_reload_successful")
    assert [value for _, value in own] == ["1"]
