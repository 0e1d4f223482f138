"""A storm, ours beside Alertmanager's own: ``python -m bench.storm``.

A real Alertmanager gets 1,000 alerts in 200 groups within 10 s and notifies two receivers of each group: our webhook, and
its own ``slack_configs``. Each posts to a channel that takes one message a second, as Slack's does. An alert is told once
its name and what it is about stand in the channel or in a thread of it. Ten groups are labelled ``critical`` or ``page``:
people must notice those: a card in the channel or a line that is broadcast to it counts, an edit does not. An operator
clicks twice a second meanwhile. Then all of it resolves.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from aiohttp import web

from bench.figures import Figure, p99, tell
from bench.harness import DESK, TOKEN, Harness, running_service
from demo.slack import Message
from demo.slack.pace import POST, Pace
from tests.servers import programs
from tests.servers.alertmanager import AlertmanagerServer, running_alertmanager, webhook_config

GROUPS, OF_GROUP, SECONDS, URGENT_EVERY = 200, 5, 10.0, 20
POSTED_SECONDS, POSTS, HEARD_SECONDS, CLICK_MS, RSS_MB = 15.0, 20, 3.0, 100.0, 160.0
WAIT_SECONDS = 120.0
"""How long we wait for what a limit says should come much sooner."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group of alerts: ``name`` is the alert, ``urgent`` whether its label asks for a person."""

    name: str
    word: str
    where: tuple[str, ...]
    label: str

    @property
    def urgent(self) -> bool:
        """Whether its label asks for a person at once."""
        return self.word in {"critical", "page"}

    def alerts(self) -> list[dict[str, Any]]:
        """Return its alerts as Prometheus posts them."""
        return [
            {"labels": {"alertname": self.name, "severity": self.word, self.label: where}}
            for where in self.where
        ]


def groups() -> list[Group]:
    """Return the groups: of bots, containers and hosts, every twentieth one urgent."""
    made = []
    for number in range(GROUPS):
        label = ("bot", "name", "instance")[number % 3]
        word = "warning" if number % URGENT_EVERY else ("critical", "page")[number // URGENT_EVERY % 2]
        where = tuple(f"{label}-{number:03}-{each}" for each in range(OF_GROUP))
        made.append(Group(f"Storm{number:03}", word, where, label))
    return made


@dataclass(slots=True)
class Hook:
    """Slack's incoming webhook as Alertmanager uses it: one message a second. Keeps when which text came."""

    pace: Pace = field(default_factory=lambda: Pace(enabled=True))
    posts: list[tuple[float, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take a message, or ask to wait."""
        text = await request.text()
        if wait := self.pace.wait_for(("hook",), POST):
            return web.Response(status=429, headers={"Retry-After": str(wait)}, text="rate_limited")
        self.posts.append((time.monotonic(), text))
        return web.Response(text="ok")


@asynccontextmanager
async def running_hook() -> AsyncIterator[tuple[Hook, str]]:
    """Serve an incoming webhook; gives its address."""
    hook, application = Hook(), web.Application()
    application.router.add_post("/services/storm", hook.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield hook, f"http://127.0.0.1:{runner.addresses[0][1]}/services/storm"
    finally:
        await runner.cleanup()


def config(ours: str, theirs: str) -> dict[str, Any]:
    """Return Alertmanager's configuration with both receivers for every group."""
    made = webhook_config(ours, token=TOKEN, group_wait="100ms", group_interval="1s")
    text = "{{ range .Alerts }}{{ .Labels.alertname }} {{ .Labels.bot }}{{ .Labels.name }}{{ .Labels.instance }}\n{{ end }}"
    slack = {"api_url": theirs, "channel": "#theirs", "send_resolved": True, "text": text}
    made["receivers"].append({"name": "theirs", "slack_configs": [slack]})
    top = made["route"]
    route = {key: value for key, value in top.items() if key != "receiver"}
    top["routes"] = [
        {**route, "receiver": "hbot-triage", "continue": True},
        {**route, "receiver": "theirs"},
    ]
    return made


@dataclass(slots=True)
class Storm:
    """What was sent, and when (monotonic)."""

    groups: list[Group]
    sent: dict[str, float] = field(default_factory=dict)
    clicks: list[float] = field(default_factory=list)
    rss: float = 0.0

    async def send_all(self, alertmanager: AlertmanagerServer) -> None:
        """Send all groups, evenly over the time."""
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            for number, group in enumerate(self.groups):
                await asyncio.sleep(max(0.0, began + number * SECONDS / GROUPS - time.monotonic()))
                self.sent[group.name] = time.monotonic()
                answer = await http.post(f"{alertmanager.url}/api/v2/alerts", json=group.alerts())
                answer.raise_for_status()

    async def click(self, harness: Harness) -> None:
        """Press a button twice a second until cancelled."""
        ana = harness.slack.member("ana")
        card = await harness.slack.message(lambda message: bool(message.blocks and message.bot_id))
        while True:
            buttons = [e for block in card.blocks if block["type"] == "actions" for e in block["elements"]]
            acknowledge = next((e for e in buttons if e["action_id"] == "incident.acknowledge"), None)
            button = acknowledge or next((e for e in buttons if e["action_id"] == "incident.silence"), None)
            if button is not None:
                outcome = await ana.click(card, button["action_id"])
                assert outcome.acked, outcome
                self.clicks.append(outcome.seconds * 1000)
                if ana.modal is not None:
                    await ana.close(cleared=True)
            self.rss = max(self.rss, harness.rss_mb())
            await asyncio.sleep(0.5)


def text_of(messages: Iterable[Message]) -> str:
    """Return all that stands in messages."""
    return "\n".join(f"{message.text} {json.dumps(message.blocks)}" for message in messages)


def missing(groups: list[Group], text: str) -> list[str]:
    """Return what is not told: by name or by what it is about."""
    return [where for group in groups for where in group.where if where not in text or group.name not in text]


async def all_posted(harness: Harness, storm: Storm) -> tuple[float, int, list[str]]:
    """Wait until every alert is told; returns when (monotonic), in how many posts, and what never was."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        messages = harness.slack.messages("C0TRIAGE01", replies=True)
        now, left = time.monotonic(), missing(storm.groups, text_of(messages))
        if not left or now > deadline:
            return now, len(messages), left
        await asyncio.sleep(0.5)


def first_post(harness: Harness, storm: Storm, offset: float) -> dict[str, float]:
    """Return the seconds from sending each urgent group until a post in the channel names it."""
    posts = [m for m in harness.slack.messages("C0TRIAGE01", replies=True) if not m.is_reply or m.broadcast]
    late = {}
    for group in storm.groups:
        if group.urgent:
            times = [float(m.ts) - offset for m in posts if group.name in f"{m.text} {json.dumps(m.blocks)}"]
            late[group.name] = min(times, default=float("inf")) - storm.sent[group.name]
    return late


async def over(harness: Harness) -> float:
    """Wait until every incident is resolved and its card, lines and pages say so; returns when (monotonic)."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{harness.folder}/triage.db?mode=ro", uri=True) as database:
            open_ones = database.execute(
                "SELECT count(*) FROM incidents WHERE status <> 'resolved'"
            ).fetchone()
            owed = database.execute(
                "SELECT count(*) FROM messages WHERE sent_revision < wanted_revision "
                "AND kind IN ('card', 'line', 'roll')"
            )
            if not open_ones[0] and not owed.fetchone()[0]:
                break
        await asyncio.sleep(0.25)
    return time.monotonic()


async def _measured(harness: Harness, alertmanager: AlertmanagerServer, hook: Hook) -> AsyncIterator[Figure]:
    storm, offset = Storm(groups()), time.time() - time.monotonic()
    clicking = asyncio.create_task(storm.click(harness))
    await storm.send_all(alertmanager)
    last = max(storm.sent.values())
    at, posts, left = await all_posted(harness, storm)
    # The list may have told the last of them before the channel does.
    await asyncio.sleep(max(0.0, last + HEARD_SECONDS - time.monotonic()))
    first_post_after = first_post(harness, storm, offset)
    yield Figure("storm_not_told", len(left), "alerts", 0)
    yield Figure("storm_told_after", at - last, "s", POSTED_SECONDS)
    yield Figure("storm_posts", posts, "posts", POSTS)
    yield Figure("storm_grave_first_post_after", max(first_post_after.values()), "s", HEARD_SECONDS)
    clicking.cancel()
    await asyncio.wait({clicking})
    if not clicking.cancelled():
        clicking.result()
    yield Figure("storm_click_p99", p99(storm.clicks), "ms", CLICK_MS)
    yield Figure("storm_rss", storm.rss, "MB", RSS_MB)
    began = time.monotonic()
    end = datetime.now(UTC).isoformat()  # to the microsecond: what ends before it began is another alert
    ended = [{**alert, "endsAt": end} for group in storm.groups for alert in group.alerts()]
    await alertmanager.fire(*ended)
    yield Figure("storm_resolves_told_after", await over(harness) - began, "s", POSTED_SECONDS)
    texts = "\n".join(text for _, text in hook.posts)
    yield Figure("storm_alertmanager_posts", len(hook.posts), "posts")
    yield Figure(
        "storm_alertmanager_groups_not_told", len({g.name for g in storm.groups if g.name not in texts}), ""
    )


async def _figures(desk: Mapping[str, Any] = DESK) -> AsyncIterator[Figure]:
    program = programs.find("alertmanager")
    if program is None:
        raise SystemExit(programs.why_missing("alertmanager"))
    with TemporaryDirectory(prefix="hbot-triage-bench-") as name:
        async with running_service(desk=desk) as harness, running_hook() as (hook, theirs):
            harness.slack.pace.enabled = True
            made = config(f"{harness.bot.url}/webhooks/alertmanager", theirs)
            async with running_alertmanager(program, Path(name), made) as alertmanager:
                async for figure in _measured(harness, alertmanager, hook):
                    yield figure


async def _all() -> list[Figure]:
    return [figure async for figure in _figures()]


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_all())))
