"""Old things go, the audit trail stays; on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.store import SqlStore
from bot.store.audit import broken_links
from schedules.retention import RetentionJob
from tests.contracts.store_samples import incident, line
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.incidents import unsortable
from triage.incidents.intake import Intake
from triage.memory.believed_clock import BelievedClock
from triage.model import (
    Finding,
    FindingStatus,
    IncidentStatus,
    RunStatus,
    Severity,
    Signal,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
    Verdict,
)
from triage.ports.store import MessageKind, Tx


def signal(clock: ManualClock, bot: str, status: SignalStatus = SignalStatus.FIRING) -> Signal:
    """Return a signal about a bot, now."""
    now = clock.now()
    return Signal(
        source=Source.ALERTMANAGER,
        episode=f"{bot}/1",
        status=status,
        name="BotFrozen",
        subject=Subject(SubjectKind.BOT, bot),
        severity=Severity.SEV2,
        starts_at=now,
        received_at=now,
        ends_at=now if status is SignalStatus.RESOLVED else None,
    )


def fill(tx: Tx, clock: ManualClock) -> None:
    """Store an ended incident (1), an open one (2), their findings, documents, and audit lines."""
    now, intake = clock.now(), Intake(Desk(), lambda one: one.name)
    tx.signals.add([signal(clock, "bot1")])
    intake.sort_inbox(tx, now)
    tx.signals.add([signal(clock, "bot1", SignalStatus.RESOLVED)])
    intake.sort_inbox(tx, now)
    clock.move(hours=1)
    tx.signals.add([signal(clock, "bot2")])
    intake.sort_inbox(tx, clock.now())
    for incident_id in (1, 2):
        run = tx.runs.latest(incident_id)
        assert run is not None
        finding = Finding("host", FindingStatus.OK, "fine", "test")

        tx.runs.finish(
            replace(run, status=RunStatus.DONE, finished_at=now, findings=(finding,), verdict=Verdict())
        )
    sent = tx.notes.save_document("picture", {}, made_at=now, content=b"sent")
    message = tx.outbox.want(MessageKind.FILE, str(sent), channel="digests", now=now)
    tx.outbox.posted(message, post_id="F1", channel_id="C1", revision=1, now=now)
    owed = tx.notes.save_document("picture", {}, made_at=now, content=b"owed")
    tx.outbox.want(MessageKind.FILE, str(owed), channel="digests", now=now)
    tx.notes.once("slack_event", "Ev1", now)
    for number in range(5):
        tx.audit.append(at=now, actor="U0ANA00001", event="denied", target=f"INC-{number}")


async def test_what_was_put_aside_goes_with_its_incident_and_not_before(store: SqlStore) -> None:
    """While its card is open it is tried again at each start; a resolve without a card goes by its age."""
    clock = ManualClock()

    def put_aside(tx: Tx) -> int:
        tx.signals.add([signal(clock, "bot1"), signal(clock, "bot2", SignalStatus.RESOLVED)])
        for signal_id in tx.signals.waiting_ids(9):
            unsortable.put_aside(tx, Desk(), signal_id, "no title", clock.now(), plain=True)
        return tx.incidents.open()[0].id

    shown = await store.write(put_aside)
    retention = RetentionJob(store, Desk(), BelievedClock(store, clock))
    clock.move(days=191)
    assert (await retention.run())["signals"] == 1
    assert await store.write(unsortable.take_up) == 1

    def over(tx: Tx) -> None:
        for signal_id in tx.signals.waiting_ids(9):
            unsortable.keep_aside(tx, signal_id, shown, "no title")
        open_one = tx.incidents.get(shown)
        assert open_one is not None
        tx.incidents.save(replace(open_one, status=IncidentStatus.RESOLVED, changed_at=clock.now()))
        card = tx.outbox.find(MessageKind.CARD, str(shown))
        assert card is not None
        for message in (card, *tx.outbox.unposted_in_thread(card.id)):
            tx.outbox.posted(
                message.id, post_id=f"{message.id}.1", channel_id="C1", revision=99, now=clock.now()
            )

    await store.write(over)
    clock.move(days=191)
    assert (await retention.run())["signals"] == 1
    assert await store.write(unsortable.take_up) == 0


async def test_old_signals_findings_and_documents_go_and_the_trail_stays(store: SqlStore) -> None:
    """What is young, open or still owed stays; the trail is whole."""
    clock = ManualClock()
    await store.write(lambda tx: fill(tx, clock))
    trail = await store.read(lambda tx: tx.audit.entries())
    retention = RetentionJob(store, Desk(), BelievedClock(store, clock))
    assert await retention.run() == {
        "incidents": 0,
        "signals": 0,
        "findings": 0,
        "documents": 0,
        "periods": 0,
    }
    clock.move(days=91)
    assert await retention.run() == {
        "incidents": 0,
        "signals": 0,
        "findings": 0,
        "documents": 1,
        "periods": 1,
    }
    clock.move(days=100)
    gone = await retention.run()
    assert (gone["signals"], gone["findings"]) == (2, 1)

    def left(tx: Tx) -> None:
        assert tx.signals.of(1) == []
        assert len(tx.signals.of(2)) == 1
        run = tx.runs.latest(2)
        assert run is not None
        assert len(run.findings) == 1
        assert tx.notes.document(1) is None
        assert tx.notes.document(2) is not None
        entries = tx.audit.entries()
        assert entries == trail
        assert broken_links(entries) == []

    await store.read(left)


async def test_the_ages_are_settings(store: SqlStore) -> None:
    """Retention of desk.yaml decides."""
    clock = ManualClock()
    await store.write(lambda tx: fill(tx, clock))
    desk = Desk.model_validate({"retention": {"signals_days": 1, "findings_days": 1, "documents_days": 1}})
    clock.moment += timedelta(days=2)
    assert await RetentionJob(store, desk, BelievedClock(store, clock)).run() == {
        "incidents": 0,
        "signals": 2,
        "findings": 1,
        "documents": 1,
        "periods": 1,
    }


async def test_a_resolved_incident_goes_with_all_that_belongs_to_it_and_the_space_comes_back(
    store: SqlStore,
) -> None:
    """In small bites; open incidents, what is still owed to Slack, and the audit trail stay."""
    clock = ManualClock()
    await store.write(lambda tx: fill(tx, clock))
    trail = len(await store.read(lambda tx: tx.audit.entries()))

    def settle(tx: Tx) -> None:
        for message in tx.outbox.claim(clock.now(), owner="me", lease_seconds=30, limit=50):
            if message.incident_id == 1:
                tx.outbox.posted(
                    message.id,
                    post_id=f"{message.id}.1",
                    channel_id="C1",
                    revision=message.wanted_revision,
                    now=clock.now(),
                )

    desk = Desk.model_validate({"retention": {"incidents_days": 30}})
    retention = RetentionJob(store, desk, BelievedClock(store, clock))
    clock.move(days=31)
    assert (await retention.run())["incidents"] == 0, "its messages are still owed"
    for _ in range(5):  # a thread's messages are claimed one behind the other
        await store.write(settle)
    gone = await retention.run()
    assert gone["incidents"] > 3
    assert await store.read(lambda tx: tx.incidents.get(1)) is None
    assert await store.read(lambda tx: tx.timeline.of(1)) == []
    assert await store.read(lambda tx: tx.signals.of(1)) == []
    assert await store.read(lambda tx: tx.incidents.get(2)) is not None
    assert await store.read(lambda tx: tx.timeline.of(2)) != []
    assert len(await store.read(lambda tx: tx.audit.entries())) == trail
    assert await store.write(lambda tx: tx.aging.give_back(1)) == 0
    assert (await retention.run())["incidents"] == 0


async def test_space_that_a_killed_run_had_freed_is_given_back_by_the_next(sqlite_store: SqlStore) -> None:
    """It ended between what it removed and what it would have given back, and nothing more is old by now."""
    clock = ManualClock()
    content = bytes(2_000_000)
    await sqlite_store.write(
        lambda tx: tx.notes.save_document("picture", {}, made_at=clock.now(), content=content)
    )
    later = clock.move(days=31)
    assert await sqlite_store.write(lambda tx: tx.aging.forget_documents(later, 10)) == 1
    retention = RetentionJob(sqlite_store, Desk(), BelievedClock(sqlite_store, clock))
    assert set((await retention.run()).values()) == {0}
    assert await sqlite_store.write(lambda tx: tx.aging.give_back(0)) == 0


@pytest.mark.parametrize("down", [False, True])
async def test_a_clock_set_a_year_ahead_makes_nothing_forgotten(store: SqlStore, down: bool) -> None:  # noqa: FBT001
    """Set while the service runs, or while it was down: all stays, it is said, and goes on once the clock is right."""
    clock = ManualClock()
    await store.write(lambda tx: fill(tx, clock))
    believed = BelievedClock(store, clock)
    await RetentionJob(store, Desk(), believed).run()
    clock.jump(timedelta(days=365))
    if down:
        believed = BelievedClock(store, clock)
    retention = RetentionJob(store, Desk(), believed)
    for _ in range(2):
        clock.move(hours=1)
        await store.write(lambda tx: tx.signals.add([signal(clock, "bot3")]))
        assert await retention.run() == {}
    assert "nothing old is removed" in believed.trouble
    assert len(await store.read(lambda tx: tx.signals.of(1))) == 2
    clock.jump(-timedelta(days=365))
    assert set((await retention.run()).values()) == {0}
    assert not believed.trouble


async def test_a_storm_of_thousands_goes_bite_by_bite(store: SqlStore) -> None:
    """One incident with more rows than one commit removes: no commit is larger, and at the end all of it is gone."""
    clock = ManualClock()

    def storm(tx: Tx) -> None:
        one = tx.incidents.save(incident(status=IncidentStatus.RESOLVED, changed_at=clock.now()))
        tx.timeline.add_all([line(one.id, key=f"line {n}") for n in range(1000)])

    await store.write(storm)
    before = clock.move(days=1)
    bites = []
    while gone := await store.write(lambda tx: tx.aging.forget_incidents(before, 300)):
        bites.append(gone)
    assert max(bites) <= 300 + 100
    assert sum(bites) == 1001
    assert await store.read(lambda tx: tx.incidents.get(1)) is None
