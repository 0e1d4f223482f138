"""The three fallback channels as the settings name them, on real servers: a drill goes over each, doctor asks each."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest

from bot.doctor.examine import fallback_questions
from bot.doctor.report import DependencyReport
from bot.fallback.registry import open_channels
from bot.settings import Settings, load_settings
from bot.slack.client import posted_at
from bot.store import SqlStore
from schedules.fallback import FallbackJob
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeAlerts
from tests.servers.process import LOOPBACK, free_port
from tests.servers.receivers import Mailbox, Receiver, receiving, relaying
from triage.desk import Desk
from triage.ports.store import Tx
from triage.reports.drill.follow import Drills

pytestmark = pytest.mark.slow
NAMES = ["e-mail", "push", "webhook"]


@dataclass
class Channels:
    """What takes the notices, and the settings that lead there."""

    webhook: Receiver
    push: Receiver
    box: Mailbox
    settings: Settings


def settings_for(folder: Path, webhook: str, mail_port: int, push: str) -> Settings:
    """Return settings with every fallback channel."""
    mail = f"smtp://{LOOPBACK}:{mail_port}?from=bot@desk.example&to=ops@desk.example&tls=off"
    environment = {
        "SLACK_BOT_TOKEN": "xoxb-test",
        "SLACK_APP_TOKEN": "xapp-test",
        "TRIAGE_CHANNEL": "desk-alerts",
        "TRIAGE_WEBHOOK_TOKEN": "hook-token",
        "TRIAGE_FALLBACK_WEBHOOK": webhook,
        "TRIAGE_FALLBACK_WEBHOOK_SECRET": "topsecret",
        "TRIAGE_FALLBACK_SMTP": mail,
        "TRIAGE_FALLBACK_PUSH": push,
    }
    return load_settings(environment, folder=folder)


@pytest.fixture
async def channels(tmp_path: Path) -> AsyncIterator[Channels]:
    """Run an HTTP receiver for the webhook, one for the push, and an SMTP relay."""
    async with AsyncExitStack() as stack:
        webhook = await stack.enter_async_context(receiving())
        push = await stack.enter_async_context(receiving())
        box, port = await stack.enter_async_context(relaying())
        yield Channels(webhook, push, box, settings_for(tmp_path, webhook.url, port, push.url))


async def asked(settings: Settings) -> list[DependencyReport]:
    """Return what doctor says of the fallback channels."""
    return [await question() for _, question in fallback_questions(settings)]


async def test_a_drill_goes_over_every_channel_once_and_its_report_says_so(
    channels: Channels, sqlite_store: SqlStore
) -> None:
    """Webhook, mail and push each have the notice, marked as a drill; a second round sends nothing."""
    clock, opened = ManualClock(), open_channels(channels.settings)
    assert list(opened) == NAMES
    drills = Drills(
        store=sqlite_store,
        desk=Desk(),
        alerts=FakeAlerts(),
        clock=clock,
        wake_sender=lambda: None,
        posted_at=posted_at,
        channels=tuple(opened),
    )
    job = FallbackJob(store=sqlite_store, desk=Desk(), clock=clock, channels=opened, wake_sender=lambda: None)
    await drills.fire("U0ANA00001")
    assert [await job.send_over(name) for name in opened] == [1, 1, 1]
    assert [await job.send_over(name) for name in opened] == [0, 0, 0]
    [(method, headers, body)] = channels.webhook.requests
    notice = json.loads(body)
    assert (method, notice["kind"], notice["incidents"]) == ("POST", "drill", [])
    assert headers["X-Triage-Signature"].startswith("sha256=")
    [(recipients, mail)] = channels.box.mails
    assert recipients == ["ops@desk.example"]
    assert message_from_bytes(mail)["Message-ID"] == f"<{notice['id']}@hbot-triage>"
    [(_, _, pushed)] = channels.push.requests
    assert "This is a test of the fallback channels" in pushed.decode()
    await drills.follow()

    def report(tx: Tx) -> str:
        found = tx.notes.document(1), tx.notes.document(2)
        return " ".join(str(document.data) for document in found if document is not None)

    text = await sqlite_store.read(report)
    assert all(f"{name} sent" in text for name in NAMES)


async def test_doctor_asks_each_channel_and_wakes_nobody(channels: Channels) -> None:
    """Nothing is mailed or pushed; the webhook takes a notice whose kind is ``test``."""
    answers = await asked(channels.settings)
    assert [(answer.name, answer.state) for answer in answers] == [(name, "ok") for name in NAMES]
    assert channels.box.mails == []
    assert [method for method, _, _ in channels.push.requests] == ["HEAD"]
    [(_, _, body)] = channels.webhook.requests
    assert json.loads(body)["kind"] == "test"


async def test_doctor_names_the_setting_of_each_channel_that_is_down(tmp_path: Path) -> None:
    """Nothing listens at any of the three."""
    nowhere = f"http://{LOOPBACK}:{free_port()}/hook"
    answers = await asked(settings_for(tmp_path, nowhere, free_port(), nowhere))
    assert [answer.state for answer in answers] == ["failed"] * 3
    settings = ("TRIAGE_FALLBACK_SMTP", "TRIAGE_FALLBACK_PUSH", "TRIAGE_FALLBACK_WEBHOOK")
    assert all(setting in answer.mend for setting, answer in zip(settings, answers, strict=True))
