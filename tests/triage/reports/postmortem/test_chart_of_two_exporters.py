"""Two exporters show one bot: the chart draws the one with the newest snapshot, on a real Prometheus."""

import asyncio
import time
from pathlib import Path

from bot.sources.opening import open_sources
from tests.flows.exporter import Exporter
from tests.servers.fixtures import Require
from tests.servers.prometheus import PrometheusConfig, running_prometheus
from triage.ports.charts import IncidentChart, Track
from triage.reports.postmortem.chart import measured


async def test_the_exporter_with_the_newest_snapshot_is_drawn(require: Require, tmp_path: Path) -> None:
    """Neither their mean nor the states of both."""
    async with Exporter("bot1") as new, Exporter("bot1") as old:
        new.set("bot1", net_edge=0.0004, state="hard_stop", errors=3)
        old.set("bot1", net_edge=0.0100, state="running", errors=90, age=900)
        config = PrometheusConfig(targets={"bots": [new.address, old.address]})
        async with running_prometheus(require("prometheus"), tmp_path, config) as server:
            await server.until("count(hbot_bot_net_edge_pct) == 2")
            both = time.time()
            await asyncio.sleep(1.2)
            chart = IncidentChart(
                number="INC-1",
                title="bot1 stopped",
                start=both,
                end=time.time(),
                step=0.5,
                tracks=(Track("bot1"),),
            )
            async with open_sources(prometheus_url=server.url) as sources:
                [track] = (await measured(chart, sources.metrics, 180)).tracks
    assert {round(value, 6) for _, value in track.edge} == {0.04}
    assert {value for _, value in track.errors} == {3}
    assert {state for _, _, state in track.states} <= {"hard_stop"}
