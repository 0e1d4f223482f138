"""Two troubles at once: replicas are killed while PostgreSQL stands still, the disk is full in the middle of a storm."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_late_slack_campaign import post
from tests.crash.test_replica_kills import DESK, posted, replica
from tests.crash.test_shared_work import tell_all
from tests.crash.test_storm_campaign import DESK as STORM_DESK
from tests.crash.test_storm_campaign import of_group
from tests.flows.harness import Bot
from tests.servers.fixtures import Require
from tests.servers.postgres import running_postgres
from tests.servers.small_disk import fill, mounted

KILLS = min(int(os.environ.get("KILLS", "8")), 20)
GROUPS = 60
SEED = 20_261_130
SETTLED_SECONDS = 90.0


async def flood(services: list[Bot], accepted: list[str], stop: asyncio.Event) -> None:
    """Post alerts to whichever service takes them until told to stop."""
    while not stop.is_set():
        accepted.append(await posted(services, len(accepted)))
        await asyncio.sleep(0.05)


@pytest.mark.campaign
@pytest.mark.timeout(1800)
async def test_replicas_that_are_killed_while_the_database_stands_still_lose_and_double_nothing(
    slack: SlackServer, require: Require, tmp_path: Path
) -> None:
    """All of PostgreSQL stands still for some seconds; one of two, each fourth time both, is killed meanwhile."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    accepted: list[str] = []
    longest = 0.0
    async with running_postgres(require("postgres")) as cluster, cluster.database() as url:
        services = [replica(slack, tmp_path / name, url, DESK) for name in ("one", "two")]
        try:
            for service in services:
                await service.start()
            for kill in range(KILLS):
                victims = services if kill % 4 == 3 else [services[kill % 2]]
                stop = asyncio.Event()
                flooding = asyncio.create_task(flood(services, accepted, stop))
                await asyncio.sleep(dice.uniform(0.2, 1.0))
                tell_all(cluster, signal.SIGSTOP)
                await asyncio.sleep(dice.uniform(0.0, 3.0))
                for service in victims:
                    service.kill()
                await asyncio.sleep(dice.uniform(0.0, 7.0))
                tell_all(cluster, signal.SIGCONT)
                again = time.monotonic()
                for service in victims[1:]:
                    await service.start()
                stop.set()
                await flooding
                await balanced(url, slack, accepted, within=SETTLED_SECONDS)
                longest = max(longest, time.monotonic() - again)
                await victims[0].start()
            await balanced(url, slack, accepted, within=SETTLED_SECONDS)
        finally:
            tell_all(cluster, signal.SIGCONT)
            for service in services:
                await service.stop()
    figure(
        f"PostgreSQL stood still under {KILLS} kills: {len(accepted)} alerts, settled {longest:.0f} s after"
    )
    assert set(slack.deliveries().values()) == {1}
    assert not any("Traceback" in service.log() for service in services)


async def stormed(service: Bot, accepted: list[str], *, resolved: bool) -> None:
    """Post a storm, or its end, each webhook until it is taken."""
    for group in range(GROUPS):
        alerts = of_group(group, resolved=resolved)
        await post([service], *alerts)
        if not resolved:
            accepted += [one["fingerprint"] for one in alerts]
        await asyncio.sleep(0.05)


@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kill", [False, True], ids=["alive", "killed"])
async def test_a_disk_that_fills_in_the_middle_of_a_storm_loses_and_doubles_nothing(
    slack: SlackServer,
    tmp_path: Path,
    kill: bool,  # noqa: FBT001 - a table
) -> None:
    """Full for 5 s in the storm and in its end; killed then, the service starts once there is room."""
    accepted: list[str] = []
    with mounted(tmp_path / "disk", "12m") as disk:
        url = f"sqlite:///{disk}/triage.db"
        service, ballast = replica(slack, tmp_path / "one", url, STORM_DESK), disk / "ballast"
        try:
            await service.start()
            for resolved in (False, True):
                storm = asyncio.create_task(stormed(service, accepted, resolved=resolved))
                await asyncio.sleep(1)
                await asyncio.to_thread(fill, ballast)
                await asyncio.sleep(5)
                if kill:
                    service.kill()
                ballast.unlink()
                if kill:
                    await service.start()
                await storm
                seconds = await balanced(url, slack, accepted, within=SETTLED_SECONDS)
                what = "its end" if resolved else "a storm"
                figure(
                    f"disk full in {what} ({'killed' if kill else 'alive'}): settled after {seconds:.0f} s"
                )
        finally:
            await service.stop()
    assert set(slack.deliveries().values()) == {1}
    assert "Traceback" not in service.log()
