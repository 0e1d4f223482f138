"""The service killed again and again while alerts come in: what was answered with 200 is told, and told once."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.store import open_store
from demo.slack import SlackServer
from tests.crash.books import figure
from tests.flows.harness import CHANNEL, TOKEN, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.http import plain_client
from tests.servers.process import eventually
from tests.servers.prometheus import answers_ok
from triage.model import Episode, Incident

LONG = bool(os.environ.get("CAMPAIGN"))
_MANY = int(os.environ.get("KILLS", "300"))
KILLS, AT_LEAST, SECONDS = (_MANY, _MANY, 0.0) if LONG else (25, 8, 20.0)
"""So many kills, or as many as there is time for: a busy machine needs a second for each start."""
SEED = 20_260_220
DESK = {
    "correlation": {"storm_incidents": 100_000, "reconcile_seconds": 3600},
    "triage": {"deadline_seconds": 1},
    "schedules": {"digest": "", "drill": "", "checklists": "", "snapshots": ""},
}


@pytest.fixture
def service(slack: SlackServer, tmp_path: Path) -> Bot:
    """Prepare the service with nothing but Slack to talk to."""
    desk = tmp_path / "desk.yaml"
    desk.write_text(json.dumps(DESK))
    return Bot(
        tmp_path,
        {
            "SLACK_BOT_TOKEN": slack.app.bot_token,
            "SLACK_APP_TOKEN": slack.app.app_token,
            "SLACK_API_URL": slack.api_url,
            "TRIAGE_CHANNEL": "C0TRIAGE01",
            "TRIAGE_DESK": str(desk),
        },
    )


class Poster:
    """Posts numbered alerts, two to a webhook, each webhook until it is answered with 200, as Alertmanager does.

    The first of the two is about the newest host, the other about an older one: it joins that one's incident.
    """

    def __init__(self, service: Bot) -> None:
        self._service = service
        self._dice = random.Random(SEED)  # noqa: S311 - the same hosts each time
        self.newest = 0
        self.accepted: dict[str, str] = {}
        """The host of every alert that was answered with 200, by the alert's fingerprint."""
        self.broken = 0
        """Posts that broke off: what they held may be stored or not."""
        self.refused = 0
        """Posts that were answered with 503: on a machine that is too busy to commit in time."""
        self.met: set[str] = set()
        """The hosts of posts that a service listened to, whether it lived on to answer or not."""
        self.stop = False

    async def has_met(self, host: str) -> bool:
        """Whether a post that names a host has met a service, whatever came of it then."""
        return host in self.met

    async def run(self) -> None:
        """Post until told to stop."""
        async with plain_client(timeout=5) as http:
            while not self.stop:
                hosts = (f"host-{self.newest}", f"host-{self._dice.randint(0, self.newest)}")
                number = len(self.accepted)
                alerts = [self._alert(number + index, host) for index, host in enumerate(hosts)]
                await self._post(http, webhook(*alerts))
                self.accepted |= {str(one["fingerprint"]): one["labels"]["instance"] for one in alerts}
                await asyncio.sleep(0.03)

    @staticmethod
    def _alert(number: int, host: str) -> dict[str, Any]:
        labels = {
            "alertname": f"Broken {host}",
            "instance": host,
            "severity": "critical",
            "disk": f"{number}",
        }
        return alert(labels=labels, fingerprint=f"number-{number}")

    async def _post(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        url, headers = f"{self._service.url}/webhooks/alertmanager", {"Authorization": f"Bearer {TOKEN}"}
        hosts = {one["labels"]["instance"] for one in body["alerts"]}
        while True:
            try:
                answer = await http.post(url, json=body, headers=headers)
            except httpx.ConnectError:
                pass  # nobody listens
            except httpx.TransportError:
                self.broken += 1
                self.met |= hosts
            else:
                self.met |= hosts
                if answer.status_code != 503:
                    assert (answer.status_code, answer.json()) == (200, {"accepted": len(body["alerts"])})
                    return
                self.refused += 1
            await asyncio.sleep(0.02)


async def _campaign(service: Bot, poster: Poster) -> int:
    """Kill and start the service; each of its lives has a host of its own that breaks. Returns the kills."""
    dice = random.Random(SEED)  # noqa: S311 - the same moments each time
    began, life = time.monotonic(), 0
    enough = False
    while life < KILLS and not enough:
        poster.newest = life
        service.process.start()
        # Some die while they start, most of them in the middle of their work.
        if dice.random() > 0.15:
            await service.process.ready(lambda: answers_ok(f"{service.url}/livez"))
            # However slow the machine is, most of them begin to work.
            await eventually(partial(poster.has_met, f"host-{life}"), "a post that meets a service")
        await asyncio.sleep(dice.uniform(0.0, 0.6))
        assert service.process.running, service.log()[-3000:]
        service.kill()
        life += 1
        enough = life >= AT_LEAST and poster.broken > 0 and time.monotonic() - began > SECONDS
    return life


async def _drained(service: Bot, slack: SlackServer) -> None:
    """Wait until nothing is left to sort and to send, and every card has its triage."""
    async with asyncio.timeout(900 if LONG else 180):
        while True:
            page = (await service.get("/metrics")).text
            numbers = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("triage_"))
            owed = float(numbers["triage_inbox_pending"]) + float(numbers["triage_outbox_pending"])
            if not owed and all(slack.thread(card) for card in slack.messages(CHANNEL)):
                return
            await asyncio.sleep(0.3)


async def _kept(directory: Path) -> tuple[list[Incident], list[Episode], list[str]]:
    """Return the incidents, the episodes in them, and the target of every opening that was audited."""
    async with open_store(f"sqlite:///{directory}/triage.db") as store:
        incidents = await store.read(lambda tx: tx.incidents.open())
        episodes = await store.read(lambda tx: tx.incidents.episodes([one.id for one in incidents]))
        audit = await store.read(lambda tx: tx.audit.entries())
    return incidents, episodes, [entry.target for entry in audit if entry.event == "incident.open"]


@pytest.mark.timeout(3600 if LONG else 300)
async def test_every_accepted_alert_is_in_one_incident_with_one_card(
    service: Bot, slack: SlackServer, tmp_path: Path
) -> None:
    """Kill -9 at random in the middle of webhooks, sorting, triage and sending; afterwards nothing is lost or doubled."""
    poster = Poster(service)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(poster.run())
            kills = await _campaign(service, poster)
            await service.start()
            poster.stop = True
        await _drained(service, slack)
        assert "Traceback" not in service.log()
    finally:
        await service.stop()
    incidents, episodes, openings = await _kept(tmp_path)
    alerts = f"{len(poster.accepted)} alerts, {len(incidents)} incidents"
    figure(
        f"{kills} kills on SQLite: {alerts}, {poster.broken} posts that broke off, {poster.refused} refused"
    )
    by_host = {incident.subject.name: incident for incident in incidents}
    assert len(by_host) == len(incidents), "one incident a host"
    assert sorted(openings) == sorted(incident.number for incident in incidents)

    held = Counter(episode.fingerprint for episode in episodes)
    assert held == Counter(poster.accepted.keys()), "every accepted alert, once"
    misplaced = [one for one in episodes if one.incident_id != by_host[poster.accepted[one.fingerprint]].id]
    assert misplaced == []

    cards = Counter(
        card.metadata["event_payload"]["incident_id"] for card in slack.messages(CHANNEL) if card.metadata
    )
    assert cards == Counter(incident.id for incident in incidents), "one card an incident"
    assert set(slack.deliveries().values()) == {1}, "no message is told twice"
    assert poster.broken > 0, "some died in the middle of a webhook"
    assert len(incidents) > kills // 2, "most lives take a webhook"
