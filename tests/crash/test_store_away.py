"""PostgreSQL stands still, then is away, under the running service: one clear line, a 503 in time, and back by itself."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.slack import SlackServer
from tests.crash.test_replica_kills import DESK, replica
from tests.flows.harness import Bot
from tests.handlers.posting import webhook
from tests.servers.cutting_proxy import cutting_proxy
from tests.servers.process import eventually


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Run a workspace."""
    async with SlackServer() as server:
        yield server


async def store_says(service: Bot) -> str:
    """Return what ``/readyz`` says of the store; empty where it is well."""
    answer = json.loads((await service.get("/readyz")).text)["dependencies"]["store"]
    return "" if answer["ok"] else str(answer["why"])


@pytest.mark.timeout(300)
async def test_a_database_that_stands_still_and_goes_away_is_said_once_and_comes_back(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """No traceback, one line for each change, webhooks answered 503 within 6 s; afterwards the same webhook is taken."""
    async with cutting_proxy(postgres_copy_url) as proxy:
        service = replica(slack, tmp_path / "one", proxy.url, DESK)
        try:
            await service.start()
            proxy.frozen = True
            began = time.monotonic()
            assert (await service.post(webhook())).status_code == 503
            assert time.monotonic() - began < 6

            async def noticed() -> bool:
                return await store_says(service) != ""

            await eventually(noticed, "a store that is said to be away", within=40)
            proxy.refusing = True
            assert (await service.post(webhook())).status_code == 503
            proxy.frozen = proxy.refusing = False

            async def back() -> bool:
                return await store_says(service) == ""

            await eventually(back, "a store that is back", within=60)
            assert (await service.post(webhook())).status_code == 200
        finally:
            await service.stop()
    log = service.log()
    assert "Traceback" not in log
    away = [line for line in log.splitlines() if "the store cannot commit" in line and "ERROR" in line]
    assert 1 <= len(away) <= 3, "one line a change, not one a loop and second"
    assert "the store commits again" in log


async def test_a_start_without_the_database_is_one_line(slack: SlackServer, tmp_path: Path) -> None:
    """The setting, and what was met."""
    service = replica(slack, tmp_path / "one", "postgresql://triage@127.0.0.1:1/none", DESK)
    service.process.start()

    async def ended() -> bool:
        return not service.process.running

    await eventually(ended, "its end", within=60)
    [line] = [line for line in service.log().splitlines() if line.strip()]
    assert line.startswith("hbot-triage: the store cannot be opened at TRIAGE_DATABASE_URL")
