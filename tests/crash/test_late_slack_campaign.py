"""Slack does calls 5 to 60 s late, in real time, beside kills: one of each, the latest truth, soon after the last one."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.slack import Fault, SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, replica
from tests.flows.harness import TOKEN, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.http import plain_client

LATE = (5, 7, 9, 12, 20, 45, 60)
"""Seconds after its call at which Slack does it; the client gives up after 8."""
SETTLED_SECONDS = 60.0
SEED = 20_260_222


def of_host(number: int) -> dict[str, Any]:
    """Return the alert of a host."""
    labels = {"alertname": f"Broken host-{number}x", "instance": f"host-{number}x", "severity": "critical"}
    return alert(labels=labels, fingerprint=f"number-{number}")


async def post(services: list[Bot], *alerts: dict[str, Any]) -> None:
    """Post a webhook to whichever service takes it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with plain_client(timeout=6) as http:
        while True:
            for service in services:
                try:
                    url = f"{service.url}/webhooks/alertmanager"
                    if (await http.post(url, json=webhook(*alerts), headers=headers)).status_code == 200:
                        return
                except httpx.TransportError:
                    continue
            await asyncio.sleep(0.05)


def late(method: str, number: int, seconds: float) -> Fault:
    """Let Slack do the next call of a method that is about a host late."""
    fault = Fault.late(method, seconds)
    fault.where = lambda args: f"host-{number}x" in json.dumps(args, default=str)
    return fault


async def killed_at_times(services: list[Bot], dice: random.Random, seconds: float) -> int:
    """Kill one service after the other for so long, each a moment after its start. Returns the kills."""
    until, kills = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        victim = services[kills % len(services)]
        await asyncio.sleep(dice.uniform(1.0, 9.0))
        victim.kill()
        kills += 1
        await victim.start()
    return kills


@pytest.mark.campaign
@pytest.mark.parametrize("kills", [False, True], ids=["alive", "killed"])
@pytest.mark.timeout(900)
async def test_what_slack_does_late_leaves_one_of_each_and_the_latest_truth(
    slack: SlackServer,
    tmp_path: Path,
    store_url: str,
    kills: bool,  # noqa: FBT001 - a table
) -> None:
    """First posts, then lines and edits, each late by another time; each incident resolves meanwhile."""
    url, names = store_url, ["one"] if store_url.startswith("sqlite") else ["one", "two"]
    services = [replica(slack, tmp_path / name, url, DESK) for name in names]
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    alerts = [of_host(number) for number in range(2 * len(LATE))]
    killed = 0
    try:
        for service in services:
            await service.start()
        for number, one in enumerate(alerts):
            slack.faults.add(late("chat.postMessage", number, LATE[number // 2]))
            if number % 2:  # every other one is late twice: its thread's first line too
                slack.faults.add(late("chat.postMessage", number, LATE[-1 - number // 2]))
            await post(services, one)
        if kills:
            killed += await killed_at_times(services, dice, 25)
        else:
            await asyncio.sleep(25)
        for number, one in enumerate(alerts):
            slack.faults.add(late("chat.update", number, LATE[number // 2]))
            await post(services, one | {"status": "resolved", "endsAt": "2026-02-20T03:30:00Z"})
        if kills:
            killed += await killed_at_times(services, dice, 25)
        while slack.faults.late:  # noqa: ASYNC110 - Slack's own time
            await asyncio.sleep(0.1)
        seconds = await balanced(url, slack, [one["fingerprint"] for one in alerts], within=SETTLED_SECONDS)
        await asyncio.sleep(20)  # and so it stays
        await balanced(url, slack, [one["fingerprint"] for one in alerts], within=1)
    finally:
        for service in services:
            await service.stop()
    figure(
        f"late Slack, {len(names)} services: {killed} kills, settled {seconds:.0f} s after the last late call"
    )
    assert not any("Traceback" in service.log() for service in services)
