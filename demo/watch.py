"""What watches the desk in a usual demo: stand-ins for Prometheus and Alertmanager, on the desk's own clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from demo.desk.desk import SimulatedDesk
from demo.desk.past import Past
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.scraping import Target

SHIPPED = Path(__file__).parent / "shipped"
"""Links to files of ``deploy/``, so that a wheel holds them too."""
RULES = SHIPPED / "desk-rules.yml"
ROUTES = SHIPPED / "alertmanager.yml"
INSTANCES = {
    "bot-metrics": "bot-metrics-exporter:9400",
    "node-exporter": "node-exporter:9100",
    "cadvisor": "cadvisor:8080",
}
SCRAPE_SECONDS = 15.0
LOOKS_PER_SCRAPE = 4
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Where Prometheus and Alertmanager are, what keeps them and the desk going, and which servers are real."""

    prometheus_url: str
    alertmanager_url: str
    run: Callable[[], Coroutine[None, None, None]]
    real: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        """The bot's settings for it."""
        return {"PROMETHEUS_URL": self.prometheus_url, "ALERTMANAGER_URL": self.alertmanager_url}


def routes(webhook: str, token: str, *, waits: Mapping[str, str] | None = None) -> str:
    """Return the shipped alertmanager.yml (as JSON, which is YAML) with our webhook; ``waits`` replaces its waits."""
    config = YAML(typ="safe", pure=True).load(ROUTES.read_text())
    for receiver in config["receivers"]:
        for hook in receiver["webhook_configs"]:
            hook["url"] = webhook
            hook["http_config"]["authorization"] = {"type": "Bearer", "credentials": token}
    for route in (config["route"], *config["route"]["routes"]):
        route.update({name: wait for name, wait in (waits or {}).items() if name in route})
    return json.dumps(config)


@asynccontextmanager
async def simulated(desk: SimulatedDesk, past: Past, config: str) -> AsyncIterator[Watch]:
    """Serve both stand-ins. ``config`` is Alertmanager's; ``past`` becomes Prometheus' memory."""
    async with AlertmanagerServer(config, desk.clock) as alertmanager:
        targets = [Target(job, INSTANCES[job], page) for job, page in desk.scrapes.items()]
        wanted = PrometheusConfig(targets, [RULES], alertmanager.url, scrape_interval=SCRAPE_SECONDS)
        async with PrometheusServer(wanted, desk.clock) as prometheus:
            for at, texts in past.pages:
                for target in targets:
                    prometheus.scraper.backfill(target, texts[target.job], at)

            async def run() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(alertmanager.run(), name="alertmanager")
                    group.create_task(_keep_going(desk, prometheus), name="desk")

            yield Watch(prometheus.url, alertmanager.url, run)


async def _keep_going(desk: SimulatedDesk, prometheus: PrometheusServer) -> None:
    """Let the clock drive the desk, its Redis and Prometheus in step, at any speed, until cancelled."""
    task = asyncio.current_task()
    while True:
        desk.catch_up()
        await desk.bus.sync()
        await prometheus.tick()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # a zero timeout inside redis-py can lose the first one
        pause = SCRAPE_SECONDS / LOOKS_PER_SCRAPE / max(desk.clock.speed, 1.0)
        await asyncio.sleep(min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE))
