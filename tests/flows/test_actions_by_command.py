"""Every action of the catalogue by `/triage do`: modal → confirm → effect on real containers → the message says it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.doing import PLAN, confirm, do, left, messages, modal
from tests.flows.harness import Harness, running_harness
from tests.servers.desk import Desk

Require = Callable[..., Path]
EXTERNAL = {"signal-service", "risk-service", "coordination-service", "redis"}


@pytest.fixture
async def harness(require: Require, desk: Desk, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness beside a whole desk that is well."""
    await desk.up()
    settings: dict[str, Any] = {
        "bots": [{"name": "bot1"}, {"name": "bot2"}],
        "paths": {
            "compose": str(desk.compose_folder),
            "env": str(desk.env_file),
            "data": str(desk.data),
            "backups": str(desk.backups),
        },
        "compose": {"command": desk.compose_command},
        "triage": {"verify_after_seconds": 0, "health_watch_seconds": 0, "deadline_seconds": 2},
    }
    environment = {"DOCKER_HOST": desk.engine.host, "REDIS_URL": desk.redis_url}
    async with running_harness(
        require, tmp_path / "harness", bots=("bot1", "bot2"), desk=settings, environment=environment
    ) as harness:
        yield harness


@pytest.mark.timeout(400)
async def test_each_action_does_what_its_plan_says(harness: Harness, desk: Desk) -> None:
    """Restart, recreate, paper off, degraded mode and its way out, stop and start: one after the other."""
    first = await desk.container("bot1")
    body = await do(harness, "restart bot1", "Restart on bot1")
    assert "restart bot1" in body
    restarted = await desk.container("bot1")
    assert restarted["Id"] == first["Id"]
    assert restarted["State"]["StartedAt"] != first["State"]["StartedAt"]

    await do(harness, "recreate bot1", "Recreate on bot1")
    assert (await desk.container("bot1"))["Id"] != first["Id"]

    body = await do(harness, "disable_internal_paper bot1", "Internal paper off on bot1")
    assert "internal_paper_enabled: true → false" in body
    text = (desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml").read_text()
    assert "internal_paper_enabled: false" in text

    await desk.engine.docker("stop", "-t", "1", "hbot-redis")
    body = await do(harness, "degraded_mode desk", "Degraded mode")
    assert "up -d --no-recreate" in body
    assert not EXTERNAL & await desk.running()
    assert {"bot1", "bot2"} <= await desk.running()

    await _exit(harness, desk)
    assert await desk.running() >= EXTERNAL

    await do(harness, "stop_desk desk", "Stop desk")
    assert await desk.running() == set()
    await do(harness, "start_desk desk", "Start desk")
    assert {"bot1", "bot2", "grafana", *EXTERNAL} <= await desk.running()


async def _exit(harness: Harness, desk: Desk) -> None:
    """Leave degraded mode while the producers publish as soon as Redis takes it."""
    ana = harness.slack.member("ana")
    [message] = [
        one for one in messages(harness, "Degraded mode") if "action.exit_degraded_mode" in str(one.blocks)
    ][-1:]
    await ana.click(message, "action.exit_degraded_mode")
    await modal(harness, "ana", PLAN)
    await confirm(harness, "ana", "Redis is well")

    await left(harness, desk, "Succeeded")
