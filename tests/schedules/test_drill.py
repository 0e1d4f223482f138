"""The weekly drill is fired once a period; the drill itself says at which hop it stopped."""

import asyncio

import pytest

from bot.slack.client import posted_at
from bot.store import SqlStore
from schedules.drill import DrillJob
from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeAlerts
from triage.desk import Desk
from triage.errors import FallbackFailure, SourceUnreachable
from triage.paging import notices
from triage.ports.store import Document, Tx
from triage.reports.drill import follow
from triage.reports.drill.follow import Drills, last_success

WEEKLY = "0 9 * * 1"
"""Monday, as cron counts."""


def drills(store: SqlStore, clock: ManualClock, alerts: FakeAlerts, channels: tuple[str, ...] = ()) -> Drills:
    """Return the drills of a desk."""
    return Drills(
        store=store,
        desk=Desk(),
        alerts=alerts,
        clock=clock,
        wake_sender=lambda: None,
        posted_at=posted_at,
        channels=channels,
    )


async def report(store: SqlStore) -> str:
    """Return the newest report."""

    def read(tx: Tx) -> list[Document]:
        found = (tx.notes.document(number) for number in range(1, 20))
        return [document for document in found if document is not None]

    return str((await store.read(read))[-1].data["answer"])


async def test_the_weekly_drill_is_fired_on_its_day_once(sqlite_store: SqlStore) -> None:
    """Monday at nine, not on Tuesday, and not because the service started."""
    clock, alerts = ManualClock(), FakeAlerts()
    desk = Desk.model_validate({"schedules": {"drill": WEEKLY}})
    job = DrillJob(sqlite_store, desk, clock, drills(sqlite_store, clock, alerts))
    fired = []
    for _ in range(14 * 24):
        if await job.run():
            fired.append(f"{clock.now():%A %H:%M}")
        clock.move(hours=1)
    assert fired == ["Monday 09:00", "Monday 09:00"]


async def test_a_drill_that_alertmanager_does_not_take_fails_at_once(sqlite_store: SqlStore) -> None:
    """The first hop names the source's reason and the mend."""
    clock = ManualClock()
    alerts = FakeAlerts(error=SourceUnreachable("Alertmanager", "cannot connect"))
    answer = await drills(sqlite_store, clock, alerts).fire("U0ANA00001")
    assert "stopped before “Alertmanager took the test alert”" in answer.title
    assert "Alertmanager: cannot connect" in await report(sqlite_store)
    assert "ALERTMANAGER_URL" in await report(sqlite_store)


async def test_a_drill_whose_webhook_never_comes_fails_there_with_the_mend(sqlite_store: SqlStore) -> None:
    """Alertmanager holds the alert, nothing is stored: the route is what has to be mended."""
    clock, alerts = ManualClock(), FakeAlerts()
    running = drills(sqlite_store, clock, alerts)
    await running.fire("U0ANA00001")
    alerts.hold(**alerts.fired[0])
    assert await running.follow() == 1
    clock.move(200)
    assert await running.follow() == 0
    text = await report(sqlite_store)
    assert "its webhook reached us and was stored" in text
    assert "failed: it did not happen" in text
    assert "check the route and the receiver" in text
    assert "not reached" in text
    assert await sqlite_store.read(last_success) is None


async def test_a_restart_goes_on_where_the_drill_was(sqlite_store: SqlStore) -> None:
    """What is followed is in the store, not in the process."""
    clock, alerts = ManualClock(), FakeAlerts()
    await drills(sqlite_store, clock, alerts).fire("U0ANA00001")
    after_the_restart = drills(sqlite_store, clock, alerts)
    assert await after_the_restart.follow() == 1
    clock.move(200)
    assert await after_the_restart.follow() == 0


async def test_nothing_is_read_while_no_drill_runs(sqlite_store: SqlStore) -> None:
    """A second's job must cost nothing when there is nothing to follow."""
    clock, alerts = ManualClock(), FakeAlerts()
    running = drills(sqlite_store, clock, alerts)
    assert await running.follow() == 0
    clock.move(1)
    assert await running.follow() == 0
    assert alerts.asked == []


async def test_a_drill_goes_over_the_fallback_channels_too(sqlite_store: SqlStore) -> None:
    """They are told apart from a real incident, and the report says what came of each."""
    clock, alerts = ManualClock(), FakeAlerts()
    running = drills(sqlite_store, clock, alerts, ("webhook", "e-mail"))
    await running.fire("U0ANA00001")
    [document] = await sqlite_store.read(notices.pending)
    attempts = await sqlite_store.write(lambda tx: notices.claim(tx, document, clock.now(), lambda _: True))
    assert {attempt.notice.kind for attempt in attempts} == {"drill"}
    await sqlite_store.write(lambda tx: notices.ended(tx, attempts[0], clock.now()))
    refused = FallbackFailure("answered 550")
    await sqlite_store.write(lambda tx: notices.ended(tx, attempts[1], clock.now(), failure=refused))
    await running.follow()
    text = await report(sqlite_store)
    assert "webhook sent" in text
    assert "e-mail not sent: answered 550" in text


async def test_a_drill_whose_process_is_killed_before_its_alert_is_fired_by_another(
    sqlite_store: SqlStore,
) -> None:
    """The period is claimed and the drill begun in one commit, and whoever looks next fires it, once."""
    clock, alerts = ManualClock(), FakeAlerts()
    await sqlite_store.write(lambda tx: drills(sqlite_store, clock, alerts).begin(tx, "schedule"))
    another = drills(sqlite_store, clock, alerts)
    assert await another.follow() == 1
    assert alerts.fired == [], "the one who began it may be about to fire it"
    clock.move(6)
    assert await another.follow() == 1
    assert len(alerts.fired) == 1
    assert await another.follow() == 1
    assert len(alerts.fired) == 1


async def test_two_replicas_that_follow_a_drill_end_it_once(sqlite_store: SqlStore) -> None:
    """Both see that it is over; the audit trail says so once."""
    clock, alerts = ManualClock(), FakeAlerts()
    await drills(sqlite_store, clock, alerts).fire("U0ANA00001")
    clock.move(200)
    one, two = (drills(sqlite_store, clock, alerts) for _ in range(2))
    await asyncio.gather(one.follow(), two.follow())
    events = [entry.event for entry in await sqlite_store.read(lambda tx: tx.audit.entries())]
    assert events == ["drill.fired", "drill.failed"]


async def test_a_drill_whose_report_cannot_be_made_ends_all_the_same(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its report says how it ended, the trail has it once, and nothing of it is left to be followed."""

    def broken(*_: object) -> object:
        raise ZeroDivisionError

    clock, alerts = ManualClock(), FakeAlerts()
    following = drills(sqlite_store, clock, alerts)
    await following.fire("U0ANA00001")
    monkeypatch.setattr(follow, "drill_answer", broken)
    clock.move(200)
    assert await following.follow() == 0
    events = [entry.event for entry in await sqlite_store.read(lambda tx: tx.audit.entries())]
    assert events == ["drill.fired", "drill.failed"]
    assert "stopped: It stopped before" in await report(sqlite_store)
    assert "under way" not in await report(sqlite_store)
    clock.move(200)
    assert await following.follow() == 0
