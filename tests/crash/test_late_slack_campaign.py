"""Slack does calls 5 to 60 s late, in real time, beside kills: one of each, the latest truth, soon after the last one."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.store import open_store, tables
from demo.slack import Fault, SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, replica
from tests.flows.harness import TOKEN, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.http import plain_client
from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.ports.store import MessageKind, Tx

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
    names = ["one"] if store_url.startswith("sqlite") else ["one", "two"]
    services = [replica(slack, tmp_path / name, store_url, DESK) for name in names]
    try:
        for service in services:
            await service.start()
        killed, seconds = await late_story(slack, services, store_url, kills=kills)
    finally:
        for service in services:
            await service.stop()
    figure(
        f"late Slack, {len(names)} services: {killed} kills, settled {seconds:.0f} s after the last late call"
    )
    assert not any("Traceback" in service.log() for service in services)


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_machines_whose_clocks_are_hours_apart_leave_one_of_each_too(
    slack: SlackServer, tmp_path: Path, postgres_copy_url: str
) -> None:
    """One is 10 min ahead, the other 2 h behind: one card each, one digest a minute, by the database's clock."""
    every = {"digest": "* * * * *", "drill": "", "checklists": "", "snapshots": ""}
    desk = {**DESK, "schedules": every}
    services = [
        replica(slack, tmp_path / name, postgres_copy_url, desk, SHIFTED_BY=shift)
        for name, shift in (("one", "600"), ("two", "-7200"))
    ]
    began = datetime.now(UTC)
    try:
        for service in services:
            await service.start()
        killed, seconds = await late_story(slack, services, postgres_copy_url, kills=True)
        said = [(await service.get("/readyz")).text for service in services]
        async with open_store(postgres_copy_url) as store:
            digests = await store.read(_digests)
    finally:
        for service in services:
            await service.stop()
    figure(
        f"late Slack, clocks 10 min and 2 h off: {killed} kills, settled {seconds:.0f} s after the last late call"
    )
    assert "clock is 10 min ahead of the database's" in said[0]
    assert "clock is 2 h behind the database's" in said[1]
    assert len(digests) == len({made.replace(second=0, microsecond=0) for made in digests}) > 1
    assert all(began <= made <= datetime.now(UTC) for made in digests), digests
    assert not any("Traceback" in service.log() for service in services)


def _digests(tx: Tx) -> list[datetime]:
    query = sa.select(tables.documents.c.made_at).where(tables.documents.c.kind == "digest")
    return list(tx.notes._connection.execute(query).scalars())  # type: ignore[attr-defined]


async def late_story(slack: SlackServer, services: list[Bot], url: str, *, kills: bool) -> tuple[int, float]:
    """Let alerts come and end while Slack is late; returns the kills, and after how many seconds all was settled."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    alerts = [of_host(number) for number in range(2 * len(LATE))]
    killed = 0
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
    return killed, seconds


@pytest.mark.campaign
@pytest.mark.timeout(900)
async def test_files_that_slack_shares_late_are_there_once_beside_kills(
    slack: SlackServer, tmp_path: Path, postgres_copy_url: str
) -> None:
    """Fourteen charts of an incident, in its thread and in the channel, each shared late; two services, killed in turn."""
    services = [replica(slack, tmp_path / name, postgres_copy_url, DESK) for name in ("one", "two")]
    dice, names = random.Random(SEED), [f"chart-{number}.png" for number in range(2 * len(LATE))]  # noqa: S311 - as above
    try:
        for service in services:
            await service.start()
        await post(services, of_host(1))
        await balanced(postgres_copy_url, slack, ["number-1"], within=SETTLED_SECONDS)
        for seconds in LATE:
            slack.faults.add(Fault.late("files.completeUploadExternal", seconds, 2))
        async with open_store(postgres_copy_url) as store:
            await store.write(lambda tx: _owe_files(tx, names))
        killed = await killed_at_times(services, dice, 40)
        slack.faults.clear()
        while slack.faults.late:  # noqa: ASYNC110 - Slack's own time
            await asyncio.sleep(0.1)
        settled = await balanced(postgres_copy_url, slack, ["number-1"], within=SETTLED_SECONDS)
        await asyncio.sleep(60)  # longer than what a copy is looked for the second time
        await balanced(postgres_copy_url, slack, ["number-1"], within=SETTLED_SECONDS)
    finally:
        for service in services:
            await service.stop()
    figure(f"late files, 2 services: {killed} kills, settled {settled:.0f} s after the last late call")
    shared = Counter(file["name"] for message in slack.workspace.all_messages() for file in message.files)
    assert shared == Counter(names)
    assert not any("Traceback" in service.log() for service in services)


def _owe_files(tx: Tx, names: Sequence[str]) -> None:
    now = datetime.now(UTC)
    for number, name in enumerate(names):
        document = tx.notes.save_document("chart", {"name": name}, made_at=now, content=b"x" * 64)
        tx.outbox.want(
            MessageKind.FILE,
            str(document),
            channel=INCIDENT_CHANNEL,
            now=now,
            incident_id=1,
            in_thread=number % 2 == 0,
            urgency=4,
        )
