"""A storm, the same storm again, and a slow one, with kills meanwhile: every alert is told, once, and none stays open."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_late_slack_campaign import post
from tests.crash.test_replica_kills import replica
from tests.flows.harness import Bot
from tests.handlers.posting import alert

GROUPS, OF_GROUP, STORM_SECONDS = 200, 5, 10.0
SLOW, EVERY_SECONDS = 50, 6.0
SETTLED_SECONDS = 60.0
SEED = 20_260_223
DESK: dict[str, Any] = {
    "correlation": {"reconcile_seconds": 3600},
    "triage": {"deadline_seconds": 1},
    "schedules": {"digest": "", "drill": "", "checklists": "", "snapshots": ""},
}


@pytest.fixture
async def slow_slack() -> SlackServer:
    """Prepare a workspace that takes a message a second a channel, as Slack does."""
    return SlackServer(rate_limits=True)


def of_group(group: int, *, turn: int = 0, resolved: bool = False) -> list[dict[str, Any]]:
    """Return the alerts of one group, firing or resolved; each ``turn`` begins later."""
    began = f"2026-02-20T0{turn + 1}:00:00Z"
    ends = {"status": "resolved", "endsAt": f"2026-02-20T0{turn + 1}:30:00Z"} if resolved else {}
    return [
        alert(
            labels={
                "alertname": f"Storm{group:03}",
                "severity": "warning" if group % 20 else "critical",
                ("bot", "name", "instance")[group % 3]: f"thing-{group}-{each}",
            },
            fingerprint=f"storm-{group}-{each}",
            startsAt=began,
            **ends,
        )
        for each in range(OF_GROUP)
    ]


async def blown(service: Bot, *, turn: int, resolved: bool = False) -> list[str]:
    """Send every group once, evenly over the storm's time. Returns the fingerprints."""
    began = time.monotonic()
    fingerprints = []
    for group in range(GROUPS):
        await asyncio.sleep(max(0.0, began + group * STORM_SECONDS / GROUPS - time.monotonic()))
        alerts = of_group(group, turn=turn, resolved=resolved)
        await post([service], *alerts)
        fingerprints += [one["fingerprint"] for one in alerts]
    return fingerprints


def posts(slack: SlackServer) -> int:
    """Return how many messages Slack has taken so far."""
    return len(slack.calls.of("chat.postMessage", ok=True))


async def killed_soon(service: Bot, dice: random.Random) -> None:
    """Kill a service once, in the middle of what it does, and start it again."""
    await asyncio.sleep(dice.uniform(1.0, STORM_SECONDS))
    service.kill()
    await service.start()


@asynccontextmanager
async def served(slack: SlackServer, folder: Path, url: str) -> AsyncIterator[Bot]:
    """Run the service and its workspace; nothing of it may have ended with a traceback."""
    async with slack:
        service = replica(slack, folder, url, DESK)
        try:
            await service.start()
            yield service
        finally:
            await service.stop()
    assert "Traceback" not in service.log()


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_a_storm_twice_is_told_and_ended_twice(
    slow_slack: SlackServer, tmp_path: Path, sqlite_url: str
) -> None:
    """1,000 alerts in 10 s, all resolved, and the same again; the service is killed once in each of the four."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    accepted: list[str] = []
    async with served(slow_slack, tmp_path / "one", sqlite_url) as service:
        for turn in range(2):
            for resolved in (False, True):
                async with asyncio.TaskGroup() as group:
                    group.create_task(killed_soon(service, dice))
                    blowing = group.create_task(blown(service, turn=turn, resolved=resolved))
                accepted += [] if resolved else blowing.result()
                seconds = await balanced(sqlite_url, slow_slack, accepted, within=SETTLED_SECONDS)
                what = "resolved" if resolved else "told"
                figure(
                    f"storm {turn + 1}, {what}: settled after {seconds:.0f} s, {posts(slow_slack)} posts in all"
                )


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_a_slow_storm_is_told_incident_by_incident(
    slow_slack: SlackServer, tmp_path: Path, sqlite_url: str
) -> None:
    """Another incident every 6 s for 5 min, a kill each minute; then all of them end."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    accepted: list[str] = []
    async with served(slow_slack, tmp_path / "one", sqlite_url) as service:
        for number in range(SLOW):
            began = time.monotonic()
            [one, *_] = of_group(number)
            await post([service], one)
            accepted.append(one["fingerprint"])
            if number % 10 == 9:
                await asyncio.sleep(dice.uniform(0.0, 1.0))
                service.kill()
                await service.start()
            await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.monotonic()))
        seconds = await balanced(sqlite_url, slow_slack, accepted, within=SETTLED_SECONDS)
        for number in range(SLOW):
            await post([service], of_group(number, resolved=True)[0])
        ended = await balanced(sqlite_url, slow_slack, accepted, within=SETTLED_SECONDS)
    figure(f"slow storm: settled {seconds:.0f} s after its last alert, {ended:.0f} s after the last resolve")
