"""Two services on one PostgreSQL, killed in turn: what was accepted is told once, and the other takes over in time.

The short form kills a few times; ``make campaign`` a hundred.
"""

import asyncio
import json
import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.store import SqlStore, open_store, tables
from demo.slack import SlackServer
from tests.crash.books import balanced, figure
from tests.flows.harness import TOKEN, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.http import plain_client
from tests.servers.process import eventually
from triage.model import TimelineKind

LONG = bool(os.environ.get("CAMPAIGN"))
KILLS = int(os.environ.get("KILLS", "100")) if LONG else 2
POSTED_SECONDS = 60.0
"""With Slack's pace of a message a second; how soon a thing in hand is taken over, ``test_takeover.py`` says."""
SEED = 20_260_221
DESK = {
    "correlation": {"storm_incidents": 100_000, "reconcile_seconds": 3600},
    "triage": {"deadline_seconds": 1},
    "schedules": {"digest": "", "drill": "", "checklists": "", "snapshots": ""},
}


def replica(
    slack: SlackServer,
    directory: Path,
    url: str,
    desk: dict[str, Any],
    **settings: str,
) -> Bot:
    """Prepare one service of several; ``SHIFTED_BY``: so many seconds is its machine's clock ahead."""
    directory.mkdir()
    file = directory / "desk.yaml"
    file.write_text(json.dumps(desk))
    return Bot(
        directory,
        {
            "SLACK_BOT_TOKEN": slack.app.bot_token,
            "SLACK_APP_TOKEN": slack.app.app_token,
            "SLACK_API_URL": slack.api_url,
            "TRIAGE_CHANNEL": "C0TRIAGE01",
            "TRIAGE_DATABASE_URL": url,
            "TRIAGE_DESK": str(file),
            **settings,
        },
        module="tests.crash.shifted_clock_child" if "SHIFTED_BY" in settings else "bot.cli",
    )


async def posted(services: list[Bot], number: int, severity: str = "critical") -> str:
    """Post one alert to whichever service takes it, as Alertmanager behind a balancer does. Returns its fingerprint."""
    labels = {"alertname": f"Broken host-{number}", "instance": f"host-{number}", "severity": severity}
    body = webhook(alert(labels=labels, fingerprint=f"number-{number}"))
    async with plain_client(timeout=6) as http:
        while True:
            for service in services:
                try:
                    answer = await http.post(
                        f"{service.url}/webhooks/alertmanager",
                        json=body,
                        headers={"Authorization": f"Bearer {TOKEN}"},
                    )
                except httpx.TransportError:
                    continue
                if answer.status_code == 200:
                    return f"number-{number}"
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "names", [("one", "two"), pytest.param(("one", "two", "three"), marks=pytest.mark.campaign)]
)
@pytest.mark.timeout(3600 if LONG else 300)
async def test_what_either_accepted_is_told_once_whoever_is_killed(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """One of them is killed in the middle of its work, again and again; those that live take its work over."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    services = [replica(slack, tmp_path / name, postgres_copy_url, DESK) for name in names]
    accepted: list[str] = []
    seconds: list[float] = []
    try:
        for service in services:
            await service.start()
        for kill in range(KILLS):
            victim = services[kill % len(services)]
            others = [service for service in services if service is not victim]
            for _ in range(3):
                accepted.append(await posted([victim, *others], len(accepted)))
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            victim.kill()
            accepted.append(await posted(others, len(accepted)))
            if kill % 4 == 0:  # what the dead one held is taken over and told by the others alone
                seconds.append(await balanced(postgres_copy_url, slack, accepted, within=POSTED_SECONDS))
            await victim.start()
        seconds.append(await balanced(postgres_copy_url, slack, accepted, within=90))
    finally:
        for service in services:
            await service.stop()
    figure(
        f"{KILLS} kills of {len(names)} services on PostgreSQL: {len(accepted)} alerts, "
        f"settled {max(seconds):.0f} s after a kill at the most, {median(seconds):.0f} s in the middle"
    )
    assert set(slack.deliveries().values()) == {1}, "no message is told twice"
    assert not any("Traceback" in service.log() for service in services)


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_reminders_and_steps_are_told_once_by_two(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """Degraded mode since 31 min, a Sev-1 that nobody acknowledges: one reminder, each step once, of two processes."""
    steps = [{"after_minutes": minutes, "mention": ["U0ANA00001"]} for minutes in (0.05, 0.3)]
    desk = {**DESK, "escalation": {"steps": steps, "gather_minutes": 0}}
    services = [replica(slack, tmp_path / name, postgres_copy_url, desk) for name in ("one", "two")]
    since = (datetime.now(UTC) - timedelta(minutes=31)).isoformat()
    async with open_store(postgres_copy_url) as store:
        state = json.dumps({"since": since, "action": 0, "sure": True})
        await store.write(lambda tx: tx.notes.put("degraded_mode", state))
        try:
            for service in services:
                await service.start()
            await posted(services, 1, "sev1")

            async def told() -> bool:
                steps = await store.read(lambda tx: tx.timeline.of(1, TimelineKind.ESCALATED))
                return len(steps) == 2 and len(await reminders(store)) == 1

            await eventually(told, "two steps and a reminder", within=120)
            await asyncio.sleep(8)  # long enough for the other one to say it too
            assert await told()
        finally:
            for service in services:
                await service.stop()
    assert set(slack.deliveries().values()) == {1}


async def reminders(store: SqlStore) -> list[int]:
    """Return the ids of the reminders of degraded mode that were made."""
    query = sa.select(tables.documents.c.id).where(tables.documents.c.kind == "degraded_reminder")
    return await store.read(lambda tx: list(tx.notes._connection.execute(query).scalars()))  # type: ignore[attr-defined]


@pytest.mark.campaign
@pytest.mark.timeout(400)
async def test_what_the_clock_starts_is_done_once_by_two(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """Digest, checklists and drill each minute, two processes: each minute has one of each."""
    every = {"digest": "* * * * *", "drill": "* * * * *", "checklists": "* * * * *", "snapshots": ""}
    desk = {**DESK, "schedules": every}
    services = [replica(slack, tmp_path / name, postgres_copy_url, desk) for name in ("one", "two")]
    try:
        for service in services:
            await service.start()
        began = datetime.now(UTC)
        await asyncio.sleep(135)
        async with open_store(postgres_copy_url) as store:
            rows = await store.read(
                lambda tx: tx.notes._connection.exec_driver_sql("SELECT kind, made_at FROM documents").all()  # type: ignore[attr-defined]
            )
    finally:
        for service in services:
            await service.stop()
    made = Counter((str(kind), int(at) // 60_000_000) for kind, at in rows)
    doubled = {key: count for key, count in made.items() if count > 1 and "picture" not in key[0]}
    assert made, f"nothing was made since {began}"
    assert set(slack.deliveries().values()) <= {1}
    assert doubled == {}
