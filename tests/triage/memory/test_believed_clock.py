"""What removes old things believes the clock no further than time is known to have passed."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.store import SqlStore
from tests.fakes.clock import ManualClock
from triage.memory.believed_clock import AHEAD, BELIEVED_AFTER, Believed, BelievedClock, judged

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 86_400.0


@pytest.mark.parametrize(
    ("since", "ran", "believed"),
    [
        (timedelta(minutes=5), 300.0, True),
        (AHEAD, 0.0, True),
        (timedelta(days=90), 90 * DAY, True),
        (-timedelta(days=400), 300.0, True),
        (AHEAD + timedelta(minutes=6), 300.0, False),
        (timedelta(days=365), 3600.0, False),
    ],
    ids=["a look later", "we were down", "we have run so long", "set back", "set ahead", "a year ahead"],
)
def test_the_clock_is_believed_as_far_as_time_has_passed(
    since: timedelta,
    ran: float,
    believed: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """And a little beyond, for which the service may have been down."""
    found = judged(Believed(AT), AT + since, ran)
    assert (found.at == AT + since) is believed


def test_what_stands_for_days_of_running_is_believed() -> None:
    """The service was down for a month: it takes days until old things go again, not for ever."""
    found, hours = Believed(AT), 0
    while hours < 1000:
        hours += 1
        now = AT + timedelta(days=30, hours=hours)
        found = judged(found, now, 3600.0)
        if found.at == now:
            break
    assert timedelta(hours=hours) == BELIEVED_AFTER


@pytest.mark.parametrize("apart", [0, 7, 900], ids=["same clock", "some seconds", "a quarter of an hour"])
@pytest.mark.parametrize("replicas", [1, 2, 5])
def test_several_replicas_wait_as_long_as_one(replicas: int, apart: int) -> None:
    """Each looks every hour, some minutes after the other; their clocks differ a little."""
    found, minutes = Believed(AT), 0
    while minutes < 60 * 1000:
        minutes += 1
        who = minutes % 60
        if who >= replicas:
            continue
        now = AT + timedelta(days=30, minutes=minutes, seconds=who * apart)
        found = judged(found, now, 3600.0)
        if found.at == now:
            break
    assert abs(timedelta(minutes=minutes) - BELIEVED_AFTER) <= timedelta(hours=2)


def test_what_was_counted_by_a_clock_that_was_set_again_holds_nothing_up() -> None:
    """It stood in 2038 for a minute: the waiting goes on from the time that it says now."""
    found = judged(Believed(AT), AT + timedelta(days=4000), 60.0)
    for hour in range(3):
        found = judged(found, AT + timedelta(days=30, hours=hour), 3600.0)
    assert found.waited == 60.0 + 2 * 3600.0


async def test_what_is_counted_is_kept(sqlite_store: SqlStore) -> None:
    """Two services on one store, in turn: half an hour of each is half an hour."""
    clock = ManualClock()
    first, second = BelievedClock(sqlite_store, clock), BelievedClock(sqlite_store, clock)
    await first.now()
    clock.jump(timedelta(days=365))
    for _ in range(2):
        clock.move(hours=24)
        assert await first.now() is None
        assert await second.now() is None
    assert "believed after 24 h more" in second.trouble
