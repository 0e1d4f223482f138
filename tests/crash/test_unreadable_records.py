"""One record of every kind cannot be read: it costs only what it is about, everything else goes on, and it is said."""

# ruff: noqa: S608, ISC004 - statements of our own, which spoil a database of our own

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message, SlackServer
from tests.crash.scene import LONG
from tests.crash.test_webhook_kills import DESK
from tests.flows.harness import CHANNEL, Bot
from tests.handlers.posting import alert, webhook
from tests.servers.process import eventually

NOW = 1_900_000_000_000_000
EVENT = (
    "INSERT INTO events (key, source, at, recorded_at, subject_kind, subject_name, gravity, category, reason, text, "
    "correlation_id, change, raised, data) SELECT 'audit/e1', 'audit', opened_at, opened_at, 'bot', 'bot1', 'warning', "
    "'risk', '', 'a text', '', 0, 1, '{oops' FROM incidents"
)
ACTION = (
    "INSERT INTO actions (handle, kind, target, status, proposed_at, expires_at, owner, verify_at, incident_id, record) "
    "SELECT 'h', 'restart', 'bot1', 'confirmed', opened_at, opened_at, '', opened_at, id, '{oops' FROM incidents"
)
SILENT = "INSERT INTO notes (key, value) VALUES ('{}', '{{oops') ON CONFLICT (key) DO UPDATE SET value = excluded.value"
NOTES = (
    "containers/cursor", "clock_jumps", "degraded_mode", "oncall/override", "snapshot/bot1.tar.gz",
    "trading_now", "watchdog", "schedule/digest", "checklist/startup", "escalation/spoke/0", "fallback/spoke",
    "drill/running/x", "drill/last_success", "standing/streams/lag", "changes/env", "changes/compose", "replicas",
    "believed_clock",
)  # fmt: skip
KINDS: dict[str, tuple[str, ...]] = {
    "signals": ("UPDATE signals SET labels = '{oops'",),
    "incidents": ("UPDATE incidents SET subjects = '{oops'",),
    "incidents' severities": ("UPDATE incidents SET severity = 'Sev-x'",),
    "episodes": ("UPDATE episodes SET annotations = '{oops'",),
    "episodes' labels": ("UPDATE episodes SET labels = '{oops'",),
    "timeline": ("UPDATE timeline SET data = '{oops'",),
    "timeline's kinds": ("UPDATE timeline SET kind = 'nonsense'",),
    "runs that are done": ("UPDATE triage_runs SET verdict = '{oops'",),
    "runs that wait": ("UPDATE triage_runs SET status = 'queued', verdict = '{oops', not_before = 0",),
    "runs of no date": (
        f"UPDATE triage_runs SET status = 'running', lease_until = 0, requested_at = {NOW}000000",
    ),
    "findings": ("UPDATE findings SET status = 'nonsense'",),
    "evidence": ("UPDATE triage_evidence SET content = x'00'",),
    "messages": ("UPDATE messages SET kind = 'nonsense' || id, wanted_revision = sent_revision + 1 WHERE kind <> 'card'",),
    "cards": ("UPDATE messages SET wanted_revision = sent_revision + 1, data = '{oops' WHERE kind = 'card'",),
    "messages in doubt": ("UPDATE messages SET confirm_at = 0, data = '{oops' WHERE kind = 'card'",),
    "answers": (
        "INSERT INTO cause_answers (incident_id, run_id, at, actor, right, said, strength, cause, text) "
        f"SELECT id, 1, {NOW}000000, 'U1', 1, '', '', '', '' FROM incidents",
    ),
    "actions": (ACTION,),
    "plans and steps": (
        ACTION,
        "INSERT INTO action_plans (action_id, digest, plan) SELECT id, 'd', '{oops' FROM actions",
        "INSERT INTO action_steps (action_id, number, title, shown, status, output, note) "
        "SELECT id, 1, '', '', 'nonsense', '', '' FROM actions",
    ),
    "events": (EVENT,),
    "documents": (
        f"INSERT INTO documents (kind, made_at, data, content) VALUES ('fallback_notice', {NOW}, '{{oops', x'')",
        "INSERT INTO notes (key, value) SELECT 'fallback/pending/' || id, 'pending' FROM documents",
        "INSERT INTO messages (delivery_id, kind, ref, channel, wanted_revision, sent_revision, post_id, channel_id, "
        "urgency, attempts, next_at, created_at, wanted_at, lease_owner, last_error, data) "
        "SELECT 'dd', 'document', id, 'incidents', 1, 0, '', '', 1, 0, 0, 0, 0, '', '', '{}' FROM documents",
    ),
    "notes": tuple(SILENT.format(name) for name in NOTES),
}  # fmt: skip


UNSEEN = {"signals", "timeline", "timeline's kinds", "evidence", "messages", "answers"}
"""What nothing of an alert's way reads: it is met, and said, when somebody asks for it."""


@pytest.fixture
def service(slack: SlackServer, tmp_path: Path) -> Bot:
    """Prepare the service with a desk whose checklists run each minute."""
    desk = tmp_path / "desk.yaml"
    schedules = {"digest": "", "drill": "", "checklists": "* * * * *", "snapshots": ""}
    desk.write_text(json.dumps({**DESK, "schedules": schedules}))
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


def fires(host: str, disk: str = "a") -> dict[str, Any]:
    """Return an alert about a host."""
    labels = {"alertname": f"Broken {host}", "instance": host, "severity": "critical", "disk": disk}
    return alert(labels=labels, fingerprint=f"{host}-{disk}")


def told_and_triaged(slack: SlackServer, host: str) -> Message | None:
    """Return the card about a host, once its thread has a triage."""
    cards = [card for card in slack.messages(CHANNEL) if host in card.text]
    return next(
        (card for card in cards if any(m.text.startswith("Triage ·") for m in slack.thread(card))), None
    )


async def seen(slack: SlackServer, host: str) -> None:
    """Wait until a host's alert is told and triaged."""

    async def met() -> bool:
        return told_and_triaged(slack, host) is not None

    await eventually(met, f"{host} told and triaged", within=30)


def spoil(database: Path, orders: Sequence[str]) -> None:
    """Write what cannot be read."""
    with sqlite3.connect(database) as connection:
        for order in orders:
            connection.execute(order)
    connection.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["everything", *(KINDS if LONG else ())])
async def test_what_cannot_be_read_costs_only_itself(
    service: Bot, slack: SlackServer, tmp_path: Path, kind: str
) -> None:
    """An alert is told and triaged as ever beside it, no loop fails or stands still, and ``/readyz`` names it."""
    orders = (
        KINDS[kind]
        if kind in KINDS
        else tuple(dict.fromkeys(order for one in KINDS.values() for order in one))
    )
    try:
        await service.start()
        assert (await service.post(webhook(fires("host-1")))).status_code == 200
        await seen(slack, "host-1")
        await service.stop()
        spoil(tmp_path / "triage.db", orders)
        await service.start()
        assert (await service.post(webhook(fires("host-1", "b"), fires("host-2")))).status_code == 200
        await seen(slack, "host-2")
        await asyncio.sleep(6 if LONG else 3)  # each loop has met it by then
        ready = (await service.get("/readyz")).json()
        page = (await service.get("/metrics")).text
    finally:
        await service.stop()
    wrong = {name: one["why"] for name, one in ready["dependencies"].items() if not one["ok"]}
    assert ready["ready"]
    for name in ready["dependencies"].keys() - {"outbox", "agent"}:
        assert f'triage_trouble{{name="{name}"}}' in page
    assert set(wrong) <= {"records", "triage"}, "an incident that cannot be read cannot be triaged"
    if kind not in UNSEEN:
        assert "cannot be read" in wrong["records"]
        assert 'triage_trouble{name="records"} 1.0' in page
