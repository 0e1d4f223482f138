"""The wall clock is set by an hour, forth or back: what waits goes on waiting for as long as it would have."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.store import SqlStore
from schedules.clock_watch import ClockWatch, real_seconds_of
from tests.bot.slack.workbench import new_incident
from tests.fakes.clock import ManualClock
from tests.schedules.test_escalation import Watch
from triage.clock_jumps import Jump, moved
from triage.incidents.notifications import tell_card
from triage.model import Severity
from triage.ports.store import MessageKind, Tx

HOUR = timedelta(hours=1)
NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)


def watch_of(watch: Watch) -> ClockWatch:
    """Return a watch on the clock of an escalation test."""
    return ClockWatch(watch.store, watch.story.clock, watch.story.clock.monotonic)


@pytest.mark.parametrize("by", [HOUR, -HOUR, timedelta(seconds=-40)])
async def test_a_step_of_escalation_comes_when_it_would_have_come(
    sqlite_store: SqlStore, by: timedelta
) -> None:
    """Steps after 5, 10 and 15 min; the clock is set after 3: none at once, none an hour late."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    clock_watch = watch_of(watch)
    await clock_watch.run()
    await watch.passes(3)
    await clock_watch.run()
    watch.story.clock.jump(by)
    assert await clock_watch.run() == by.total_seconds()
    await watch.passes(1)
    assert await watch.lines() == []
    await watch.passes(1.5)
    assert len(await watch.lines()) == 1
    await watch.passes(4.5)
    assert len(await watch.lines()) == 2
    assert "for 10 min" in (await watch.lines())[1].text
    assert await clock_watch.run() == 0


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_the_steps_of_what_became_grave_only_later_move_with_the_clock(
    sqlite_store: SqlStore, by: timedelta
) -> None:
    """It counts from when it became a Sev-1, and that time was stored by the clock of before."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotSoftPauseTooLong", severity=Severity.SEV3)
    await watch.passes(30)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    clock_watch = watch_of(watch)
    await clock_watch.run()
    watch.story.clock.jump(by)
    await clock_watch.run()
    await watch.passes(4.5)
    assert await watch.lines() == []
    await watch.passes(1)
    assert len(await watch.lines()) == 1


async def test_what_opens_after_the_jump_counts_by_the_new_clock(sqlite_store: SqlStore) -> None:
    """The clock was wrong before, not now."""
    watch = Watch(sqlite_store)
    clock_watch = watch_of(watch)
    await clock_watch.run()
    watch.story.clock.jump(-HOUR)
    await clock_watch.run()
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    await watch.passes(4)
    assert await watch.lines() == []
    await watch.passes(2)
    assert len(await watch.lines()) == 1


async def test_two_replicas_on_one_machine_tell_of_one_jump_once(sqlite_store: SqlStore) -> None:
    """Else everything would be moved twice."""
    watch = Watch(sqlite_store)
    await watch.story.fire("BotHardStopActive", severity=Severity.SEV1)
    one, two = watch_of(watch), watch_of(watch)
    await one.run()
    await two.run()
    watch.story.clock.jump(HOUR)
    await one.run()
    watch.story.clock.move(1)
    await two.run()
    await watch.passes(4)
    assert await watch.lines() == []


async def test_it_is_said_for_a_while(sqlite_store: SqlStore) -> None:
    """``/readyz`` names it: times on cards from before are an hour off."""
    clock = ManualClock(NOW)
    watch = ClockWatch(sqlite_store, clock, clock.monotonic)
    await watch.run()
    clock.jump(HOUR)
    await watch.run()
    assert watch.trouble == "the machine's clock was set by +3600 s when it said 12:00:00 UTC"
    clock.move(700)
    assert watch.trouble == ""


def test_only_what_is_older_than_a_jump_is_moved() -> None:
    """By the ids: after a jump back the times of what came later lie before it."""
    jump = Jump(before=NOW, seconds=-3600, incident=7, action=0)
    opened = NOW - timedelta(minutes=30)
    assert moved(opened, [jump], incident=7) == opened - HOUR
    assert moved(opened, [jump], incident=8) == opened
    assert moved(opened, [jump], action=1) == opened


async def test_what_is_owed_does_not_wait_for_an_hour_that_was_taken_back(store: SqlStore) -> None:
    """A message put off by seconds, and a lease of a dead process, from before the clock was set back by an hour."""

    def owe(tx: Tx) -> None:
        incident = tx.incidents.save(new_incident())
        tell_card(tx, incident, NOW)
        tx.runs.queue(incident.id, "opened", NOW)
        assert tx.runs.take(NOW, owner="dead", lease_seconds=9) is not None
        [card] = tx.outbox.claim(NOW, owner="dead", lease_seconds=30, limit=1)
        tx.outbox.defer(card.id, until=NOW + timedelta(seconds=8))

    await store.write(owe)
    back = NOW - HOUR

    def look(tx: Tx) -> tuple[int, bool]:
        claimed = tx.outbox.claim(back, owner="alive", lease_seconds=30, limit=5)
        return len(claimed), tx.runs.take(back, owner="alive", lease_seconds=9) is not None

    assert await store.write(look) == (1, True)
    assert await store.read(lambda tx: tx.outbox.find(MessageKind.CARD, "1")) is not None


async def test_a_clock_that_runs_faster_than_the_machine_was_not_set(sqlite_store: SqlStore) -> None:
    """The demo's desk lives a minute a second: that is no jump."""
    clock = ManualClock()
    watch = ClockWatch(sqlite_store, clock, real_seconds_of(clock))
    await watch.run()
    clock.move(seconds=120)
    assert await watch.run() == 0
    assert not watch.trouble
