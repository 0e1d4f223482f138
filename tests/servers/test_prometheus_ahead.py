"""A Prometheus that was started ahead costs nothing while it waits, and scrapes at once when it is taken."""

import shutil
import time

import pytest

from tests.flows.exporter import Exporter
from tests.flows.harness import HARD_STOP
from tests.servers.fixtures import Require
from tests.servers.process import eventually
from tests.servers.prometheus_ahead import _Starting

pytestmark = pytest.mark.slow
SOONER = 4.0
"""Seconds: one that was just started scrapes nothing for five."""


async def stands_still(pid: int) -> bool:
    """Say whether a process was stopped."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: ASYNC230, PTH123 - it is no disk that answers
        return file.read().rpartition(")")[2].split()[0] == "T"


async def test_one_that_waited_scrapes_and_evaluates_at_once(require: Require) -> None:
    """It stands still once it knows its target; no series of the time before is there."""
    waiting = _Starting(require("prometheus"), [HARD_STOP])
    try:
        process = waiting.server.process
        await eventually(lambda: stands_still(process.pid), "its standing still", within=60)
        taken = time.monotonic()
        ahead = waiting.take()
        async with Exporter("bot1", port=ahead.target_port) as exporter:
            exporter.set("bot1", state="hard_stop")
            [alert, *_] = await ahead.server.until("ALERTS", within=SOONER)
        assert alert["metric"]["bot"] == "bot1"
        assert time.monotonic() - taken < SOONER
        for name in ("hbot_bot_state", "ALERTS"):
            assert not await ahead.server.query(f"{name} offset {SOONER:.0f}s")
    finally:
        waiting.server.process.kill()
        shutil.rmtree(waiting.folder)


async def test_one_that_nobody_takes_is_ended(require: Require) -> None:
    """With its folder, and the ports are free again."""
    waiting = _Starting(require("prometheus"), [HARD_STOP])
    waiting.end()
    assert not waiting.server.process.running
    assert not waiting.folder.exists()
