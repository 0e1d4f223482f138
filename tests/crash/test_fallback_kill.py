"""A process is killed when the webhook has its notice and the mail server has not answered: each gets it once."""

import asyncio
import sys
from datetime import timedelta

from bot.fallback.email.address import read_mail_url
from bot.fallback.email.channel import EmailChannel
from bot.fallback.webhook.channel import WebhookChannel
from bot.store import SqlStore
from schedules.fallback import FallbackJob
from tests.crash import fallback_child
from tests.servers.process import LOOPBACK
from tests.servers.receivers import receiving, relaying
from tests.servers.tcp import tcp_server
from tests.triage.incidents.desk_story import Story
from triage.model import Severity, TimelineKind
from triage.paging.notices import LEASE
from triage.ports.fallback import FallbackChannel
from triage.ports.store import Tx


def _mail(port: int) -> str:
    return f"smtp://{LOOPBACK}:{port}?from=bot@desk.example&to=ops@desk.example&tls=off"


async def _read_only(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await reader.read()


async def _webhook_is_recorded(store: SqlStore) -> None:
    def recorded(tx: Tx) -> bool:
        document = tx.notes.document(1)
        return document is not None and bool(document.data["channels"]["webhook"]["sent_at"])

    async with asyncio.timeout(60):
        while not await store.read(recorded):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.05)


async def test_a_kill_between_two_channels_sends_each_once(sqlite_url: str, sqlite_store: SqlStore) -> None:
    """The next process leaves the webhook alone, mails when the lease is over, and tells the thread of both."""
    story = Story(sqlite_store)
    await story.fire("BotHardStopActive", severity=Severity.SEV1)
    async with receiving() as receiver, relaying() as (box, mail_port):
        async with tcp_server(_read_only) as silent:
            command = [sys.executable, "-m", fallback_child.__name__, sqlite_url, receiver.url, _mail(silent)]
            child = await asyncio.create_subprocess_exec(*command)
            try:
                await _webhook_is_recorded(sqlite_store)
            finally:
                child.kill()
                await child.wait()
        channels: dict[str, FallbackChannel] = {
            "webhook": WebhookChannel(receiver.url),
            "e-mail": EmailChannel(read_mail_url(_mail(mail_port))),
        }
        job = FallbackJob(
            store=sqlite_store,
            desk=story.desk,
            clock=story.clock,
            channels=channels,
            wake_sender=lambda: None,
        )
        story.clock.move(120)
        assert [await job.send_over(name) for name in channels] == [0, 0]
        story.clock.moment += LEASE + timedelta(seconds=1)
        await job.owe_due()
        assert [await job.send_over(name) for name in channels] == [0, 1]
        assert [await job.send_over(name) for name in channels] == [0, 0]
    assert (len(receiver.requests), len(box.mails)) == (1, 1)
    [line] = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert line.text.startswith("went out over the fallback channels: webhook sent ")
    assert "e-mail sent" in line.text
