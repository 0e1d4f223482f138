"""Two services on one PostgreSQL, killed in turn: what was accepted is told once, and the other takes over in time.

The short form kills a few times; ``make campaign`` a hundred.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.store import open_store
from demo.slack import SlackServer
from tests.flows.house import CHANNEL, TOKEN, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.forked import Mother
from triage.model import Incident, RunStatus
from triage.ports.store import Tx

LONG = bool(os.environ.get("CAMPAIGN"))
KILLS = 100 if LONG else 2
TOLD_SECONDS = 45.0
"""A message that the dead one had claimed is taken over when its lease of 30 s ends, a triage after 9 s."""
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
    mother: Mother | None = None,
    **settings: str,
) -> Bot:
    """Prepare one service of several."""
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
        mother=mother,
    )


async def posted(services: list[Bot], number: int) -> str:
    """Post one alert to whichever service takes it, as Alertmanager behind a balancer does. Returns its fingerprint."""
    labels = {"alertname": f"Broken host-{number}", "instance": f"host-{number}", "severity": "critical"}
    body = webhook(alert(labels=labels, fingerprint=f"number-{number}"))
    async with httpx.AsyncClient(timeout=6, trust_env=False) as http:
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


async def all_told(url: str, within: float) -> tuple[list[Incident], float]:
    """Wait until nothing waits to be sorted, triaged or sent; returns the incidents and how long it took."""

    def look(tx: Tx) -> tuple[bool, list[Incident]]:
        incidents = tx.incidents.open()
        latest = [tx.runs.latest(one.id) for one in incidents]
        triaged = all(run is not None and run.status is RunStatus.DONE for run in latest)
        return triaged and not tx.signals.waiting() and not tx.outbox.state().pending, incidents

    began = time.monotonic()
    async with open_store(url) as store, asyncio.timeout(within):
        while True:
            settled, incidents = await store.read(look)
            if settled:
                return incidents, time.monotonic() - began
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    "names", [("one", "two"), pytest.param(("one", "two", "three"), marks=pytest.mark.campaign)]
)
@pytest.mark.timeout(3600 if LONG else 300)
async def test_what_either_accepted_is_told_once_whoever_is_killed(
    slack: SlackServer, postgres_copy_url: str, mother: Mother, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """One of them is killed in the middle of its work, again and again; those that live take its work over."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    services = [replica(slack, tmp_path / name, postgres_copy_url, DESK, mother) for name in names]
    accepted: list[str] = []
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
                _, seconds = await all_told(postgres_copy_url, 60)
                assert seconds < TOLD_SECONDS, "its leases end, and what it held is told"
            await victim.start()
        incidents, _ = await all_told(postgres_copy_url, 90)
    finally:
        for service in services:
            await service.stop()
    assert len(incidents) == len(accepted)
    cards = Counter(
        card.metadata["event_payload"]["incident_id"] for card in slack.messages(CHANNEL) if card.metadata
    )
    assert cards == Counter(incident.id for incident in incidents), "one card an incident"
    assert set(slack.deliveries().values()) == {1}, "no message is told twice"
    assert not any("Traceback" in service.log() for service in services)


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
