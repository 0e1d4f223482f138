"""What removes old things believes the clock no further than time is known to have passed."""

from datetime import UTC, datetime, timedelta

import pytest

from triage.memory.believed_clock import AHEAD, BELIEVED_AFTER, Believed, judged

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
