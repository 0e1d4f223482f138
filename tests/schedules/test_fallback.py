"""What Slack has not taken in time goes out over the fallback channels: once, tried again, told in the thread."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.store import SqlStore
from schedules import fallback
from schedules.fallback import FallbackJob
from schedules.table import Job, running
from tests.fakes.breaking import FAULTS
from tests.triage.incidents.desk_story import Story
from triage.clock_jumps import remember
from triage.errors import FallbackFailure, PartlySent
from triage.model import Severity, TimelineKind
from triage.paging import notices
from triage.ports.fallback import Notice
from triage.ports.store import MessageKind


class Channel:
    """A channel that remembers, and fails as often as it is told."""

    def __init__(self, name: str, failures: int = 0) -> None:
        self.name, self.failures = name, failures
        self.sent: list[Notice] = []
        self.tried: list[str] = []
        self.left_out = ""

    async def send(self, notice: Notice) -> str:
        """Take it, or fail."""
        self.tried.append(notice.id)
        if len(self.tried) <= self.failures:
            raise FallbackFailure("answered 503 Service Unavailable")
        self.sent.append(notice)
        return self.left_out

    async def examine(self) -> str:
        """All is well."""
        return "answers"


class Refusing(Channel):
    """A channel whose receiver answers the same each time."""

    def __init__(self, failure: FallbackFailure) -> None:
        super().__init__("webhook")
        self.failure = failure

    async def send(self, notice: Notice) -> str:
        """Refuse it."""
        self.tried.append(notice.id)
        raise self.failure


class Greylisting(Channel):
    """Mail of which one recipient is refused for now, as often as it is told."""

    def __init__(self, times: int) -> None:
        super().__init__("e-mail")
        self.times = times
        self.only: list[tuple[str, ...]] = []

    async def send(self, notice: Notice) -> str:
        """Take it for the one, and in the end for the other."""
        self.only.append(notice.only)
        if len(self.only) == 1:
            raise PartlySent("not taken for b@desk.example: 450 later", ("b@desk.example",))
        if len(self.only) <= self.times:
            raise FallbackFailure("does not take mail for b@desk.example: 450 later")
        return ""


class Broken(Channel):
    """A channel with a fault."""

    async def send(self, notice: Notice) -> str:
        """Fail as nobody foresaw."""
        raise RuntimeError(notice.id)


class Hanging(Channel):
    """A channel that never answers."""

    async def send(self, notice: Notice) -> str:
        """Wait for ever."""
        self.tried.append(notice.id)
        await asyncio.Event().wait()
        return ""


class Outage:
    """A desk whose Slack takes nothing; every look is of a process that has just started."""

    def __init__(self, store: SqlStore, *channels: Channel) -> None:
        self.store, self.story = store, Story(store)
        self.channels = {channel.name: channel for channel in channels}

    async def passes(self, seconds: float, every: float = 3) -> None:
        """Let time pass, looking every so many seconds."""
        for _ in range(int(seconds / every)):
            self.story.clock.move(every)
            job = FallbackJob(
                store=self.store,
                desk=self.story.desk,
                clock=self.story.clock,
                channels=self.channels,
                wake_sender=lambda: None,
            )
            await job.owe_due()
            for name in self.channels:
                await job.send_over(name)

    async def clock_is_set(self, **by: float) -> None:
        """Somebody sets the wall clock, and the clock's watch sees it."""
        before = self.story.clock.now()
        seconds = (self.story.clock.jump(timedelta(**by)) - before).total_seconds()
        await self.store.write(lambda tx: remember(tx, before, seconds))

    async def slack_takes(self, incident: int) -> None:
        """Slack is back and has the card."""
        now = self.story.clock.now()

        card = await self.store.read(lambda tx: tx.outbox.find(MessageKind.CARD, str(incident)))
        assert card is not None
        await self.store.write(
            lambda tx: tx.outbox.posted(
                card.id, post_id=f"1700000000.{incident:06}", channel_id="C1", revision=1, now=now
            )
        )


async def test_a_sev1_that_slack_has_not_taken_goes_out_once(sqlite_store: SqlStore) -> None:
    """After 60 s, over every channel, and never again."""
    webhook, mail = Channel("webhook"), Channel("e-mail")
    outage = Outage(sqlite_store, webhook, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(57)
    assert not webhook.sent
    await outage.passes(3)
    await outage.passes(300, every=15)
    assert [notice.incidents for notice in webhook.sent] == [("INC-1",)]
    assert len(mail.sent) == 1
    assert webhook.sent[0].severity is Severity.SEV1
    assert "Slack has not taken this for 60 s" in webhook.sent[0].text
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert [line.in_thread for line in lines] == [True]
    assert "webhook sent" in lines[0].text


async def test_what_slack_took_or_is_mild_stays_in_slack(sqlite_store: SqlStore) -> None:
    """A card that is posted, a Sev-2, and what was resolved before the time."""
    webhook = Channel("webhook")
    outage = Outage(sqlite_store, webhook)
    await outage.story.fire("BotHardStopActive", "bot1", severity=Severity.SEV1)
    await outage.slack_takes(1)
    await outage.story.fire("BotSoftPauseTooLong", "bot2", severity=Severity.SEV2)
    await outage.story.fire("OrderBookStale", "bot3", severity=Severity.SEV1)
    await outage.passes(30)
    await outage.story.clear("OrderBookStale", "bot3")
    await outage.passes(300, every=15)
    assert not webhook.tried


async def test_what_becomes_grave_or_comes_back_while_slack_is_away_goes_out(sqlite_store: SqlStore) -> None:
    """Slack has the card of a mild incident, and is never told that it is a Sev-1 now."""
    webhook = Channel("webhook")
    outage = Outage(sqlite_store, webhook)
    await outage.story.fire("BotSoftPauseTooLong", "bot1", severity=Severity.SEV2)
    await outage.slack_takes(1)
    await outage.story.fire("BotHardStopActive", "bot1", severity=Severity.SEV1)
    await outage.passes(57)
    assert not webhook.sent
    await outage.passes(300, every=15)
    assert [notice.incidents for notice in webhook.sent] == [("INC-1",)]


async def test_a_fault_in_one_channel_keeps_no_other_from_being_told(sqlite_store: SqlStore) -> None:
    """What nobody foresaw is recorded as a failure, and tried again."""
    broken, mail = Broken("webhook"), Channel("e-mail")
    outage = Outage(sqlite_store, broken, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(90)
    assert len(mail.sent) == 1
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert "webhook not sent: a fault of ours (RuntimeError)" in lines[0].text


async def test_what_fails_is_tried_again_under_the_same_id(sqlite_store: SqlStore) -> None:
    """The receiver can know a repeat; the other channel is not sent twice."""
    webhook, mail = Channel("webhook", failures=3), Channel("e-mail")
    outage = Outage(sqlite_store, webhook, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(400, every=10)
    assert len(webhook.sent) == 1
    assert len(set(webhook.tried)) == 1
    assert len(webhook.tried) == 4
    assert len(mail.sent) == 1
    assert await sqlite_store.read(notices.pending) == []
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert "e-mail sent" in lines[0].text
    assert "webhook not sent: answered 503 Service Unavailable (it is tried again)" in lines[0].text
    assert "went out over the fallback channels: webhook sent" in lines[1].text
    assert lines[1].text.endswith(" at try 4")
    assert len(lines) == 2


async def test_whom_a_channel_did_not_reach_is_said_and_nobody_gets_it_twice(sqlite_store: SqlStore) -> None:
    """One of two recipients was refused: the other has it, and is not told again."""
    mail = Channel("e-mail")
    mail.left_out = "not taken for b@desk.example"
    outage = Outage(sqlite_store, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(400, every=10)
    assert len(mail.tried) == 1
    [line] = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert line.text.endswith(" (not taken for b@desk.example)")


async def test_a_recipient_who_is_refused_for_now_is_tried_again_alone(sqlite_store: SqlStore) -> None:
    """The thread is told at once who lacks it, and again when all have it, or when it is given up."""
    mail = Greylisting(times=3)
    outage = Outage(sqlite_store, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(400, every=10)
    assert mail.only == [(), *[("b@desk.example",)] * 3]
    first, last = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert first.text.endswith(" (not taken for b@desk.example: 450 later; it is tried again)")
    assert last.text.endswith(" at try 4")
    assert await sqlite_store.read(notices.pending) == []


async def test_a_recipient_who_is_never_taken_is_given_up_and_said(sqlite_store: SqlStore) -> None:
    """What the others have stays sent."""
    outage = Outage(sqlite_store, Greylisting(times=99))
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(3000, every=30)
    _, last = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert last.text.startswith("went out over the fallback channels: e-mail sent ")
    assert last.text.endswith("; given up after 12 tries)")
    assert await sqlite_store.read(notices.pending) == []


async def test_a_clock_that_is_set_back_keeps_no_notice_in(sqlite_store: SqlStore) -> None:
    """An hour back, once while a channel waits for its next try, once while Slack has not taken the next incident."""
    webhook = Channel("webhook", failures=1)
    outage = Outage(sqlite_store, webhook)
    await outage.story.fire("BotHardStopActive", "bot1", severity=Severity.SEV1)
    await outage.passes(62, every=2)
    assert (len(webhook.tried), len(webhook.sent)) == (1, 0)
    await outage.clock_is_set(hours=-1)
    await outage.passes(6)
    assert len(webhook.sent) == 1
    await outage.story.fire("OrderBookStale", "bot2", severity=Severity.SEV1)
    await outage.passes(30)
    await outage.clock_is_set(hours=-1)
    await outage.passes(33)
    assert [notice.incidents for notice in webhook.sent] == [("INC-1",), ("INC-2",)]
    assert "Slack has not taken this for 60 s" in webhook.sent[1].text


async def test_what_went_out_nowhere_is_not_said_to_have(sqlite_store: SqlStore) -> None:
    """The first tries of both failed; what comes later is told when it comes."""
    outage = Outage(sqlite_store, Channel("webhook", failures=2), Channel("push", failures=10_000))
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(63)
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert [line.text.partition(":")[0] for line in lines] == ["did not go out over the fallback channels"]


async def test_a_channel_whose_setting_is_gone_ends_what_it_was_owed(sqlite_store: SqlStore) -> None:
    """Nothing stays pending for ever."""
    outage = Outage(sqlite_store, Channel("webhook"), Channel("push", failures=10_000))
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(63)
    del outage.channels["push"]
    await outage.passes(6000, every=60)
    assert await sqlite_store.read(notices.pending) == []
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert "push not sent: its setting is gone (given up" in lines[-1].text


async def test_a_channel_that_hangs_holds_up_nothing_but_itself(sqlite_store: SqlStore) -> None:
    """Two incidents go out over the webhook while the mail server says nothing."""
    webhook, mail = Channel("webhook"), Hanging("e-mail")
    outage = Outage(sqlite_store, webhook, mail)
    job = FallbackJob(
        store=sqlite_store,
        desk=outage.story.desk,
        clock=outage.story.clock,
        channels=outage.channels,
        wake_sender=lambda: None,
    )
    table = [
        Job("owe", job.owe_due, seconds=0.05),
        Job("webhook", partial(job.send_over, "webhook"), seconds=0.05),
        Job("mail", partial(job.send_over, "e-mail"), seconds=0.05),
    ]
    async with running(table, beat=lambda _: None, failed=lambda *_: None), asyncio.timeout(10):
        for number in (1, 2):
            await outage.story.fire(f"Alert{number}", f"bot{number}", severity=Severity.SEV1)
            outage.story.clock.move(120)
            while len(webhook.sent) < number:  # noqa: ASYNC110 - the scheduler does it
                await asyncio.sleep(0.02)
    assert [notice.incidents for notice in webhook.sent] == [("INC-1",), ("INC-2",)]
    # A first look that comes late finds both owed, and tries both at once; none of them twice.
    assert len(mail.tried) == len(set(mail.tried)) >= 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_notice_whose_end_we_fail_to_tell_is_not_sent_again(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """The receiver had got it again and again, each time its turn came."""
    webhook = Channel("webhook")
    outage = Outage(sqlite_store, webhook)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)

    def fails(*_: object) -> None:
        raise fault

    monkeypatch.setattr(fallback, "tell_line", fails)
    await outage.passes(600, every=15)
    assert len(webhook.sent) == 1


async def test_what_is_refused_for_good_is_tried_once_and_said(sqlite_store: SqlStore) -> None:
    """The same notice is as large the next time; the other channel has it, and nothing stays pending."""
    webhook, mail = Refusing(FallbackFailure("answered 413", for_good=True)), Channel("e-mail")
    outage = Outage(sqlite_store, webhook, mail)
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(400, every=10)
    assert (len(webhook.tried), len(mail.sent)) == (1, 1)
    assert await sqlite_store.read(notices.pending) == []
    [line] = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert "webhook not sent: answered 413 (refused for good, it is not tried again)" in line.text


async def test_a_wait_that_the_receiver_asks_for_is_kept_up_to_the_longest_of_ours(
    sqlite_store: SqlStore,
) -> None:
    """90 s are waited; a day is not, for the incident is now."""
    webhook = Refusing(FallbackFailure("answered 429", wait_seconds=90))
    patient = Outage(sqlite_store, webhook)
    await patient.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await patient.passes(62 + 80)
    assert len(webhook.tried) == 1
    await patient.passes(15)
    assert len(webhook.tried) == 2
    webhook.failure = FallbackFailure("answered 429", wait_seconds=86_400)
    await patient.passes(90)
    assert len(webhook.tried) == 3
    await patient.passes(310, every=10)
    assert len(webhook.tried) == 4


async def test_a_channel_that_never_works_is_given_up_and_said(sqlite_store: SqlStore) -> None:
    """It does not hold the others, and the thread says what came of it."""
    webhook = Channel("webhook", failures=10_000)
    outage = Outage(sqlite_store, webhook, Channel("e-mail"))
    await outage.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await outage.passes(6000, every=60)
    assert len(webhook.tried) == notices.MOST_ATTEMPTS
    lines = await sqlite_store.read(lambda tx: tx.timeline.of(1, TimelineKind.FALLBACK))
    assert "webhook not sent: answered 503 Service Unavailable (it is tried again)" in lines[0].text
    assert [line.text.partition(" (")[2] for line in lines[1:]] == ["given up after 12 tries)"]
    assert lines[1].text.startswith("did not go out over the fallback channels: webhook not sent")


async def test_many_at_once_are_gathered(sqlite_store: SqlStore) -> None:
    """The first one at once, all that come in the next minute together."""
    webhook = Channel("webhook")
    outage = Outage(sqlite_store, webhook)
    for number in range(1, 9):
        await outage.story.fire(f"Alert{number}", f"hbot-service{number}", severity=Severity.SEV1)
        await outage.passes(6)
    await outage.passes(300, every=15)
    assert sum(len(notice.incidents) for notice in webhook.sent) == 8
    assert len(webhook.sent) <= 3


async def test_an_attempt_that_died_is_made_again_and_only_by_one(sqlite_store: SqlStore) -> None:
    """A claim without an end waits for its lease; two processes that ask at once get it once."""
    now = datetime(2026, 2, 20, tzinfo=UTC)
    notice = Notice(
        id="n1", kind="incident", title="T", text="text", severity=Severity.SEV1, incidents=("INC-1",)
    )
    document = await sqlite_store.write(lambda tx: notices.owe(tx, notice, ("webhook",), now))
    first = await sqlite_store.write(lambda tx: notices.claim(tx, document, now, lambda _: True))
    second = await sqlite_store.write(lambda tx: notices.claim(tx, document, now, lambda _: True))
    assert [len(first), len(second)] == [1, 0]
    again = await sqlite_store.write(
        lambda tx: notices.claim(tx, document, now + notices.LEASE, lambda _: True)
    )
    assert [(one.number, one.notice.id) for one in again] == [(2, "n1")]
