"""Cron expressions: what cron means by them, in every time zone, when the clocks change."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.cron import Cron

BERLIN, NEW_YORK, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")


def utc(text: str) -> datetime:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(text: str, zone: ZoneInfo, start: str, end: str) -> list[str]:
    """Return the times between two UTC times, as UTC without seconds."""
    found = Cron.parse(text).between(utc(start), utc(end), zone)
    return [f"{at:%m-%d %H:%M}" for at in found]


def test_zero_and_seven_are_sunday_and_one_is_monday() -> None:
    """Cron counts the week from Sunday, whatever a library may do."""
    sunday, monday = datetime(2026, 2, 22, 9, 0, tzinfo=UTC), datetime(2026, 2, 23, 9, 0, tzinfo=UTC)
    start = datetime(2026, 2, 21, 9, 0, tzinfo=UTC)
    for text, expected in (("0 9 * * 0", sunday), ("0 9 * * 7", sunday), ("0 9 * * sun", sunday)):
        assert Cron.parse(text).after(start, LONDON) == expected
    for text in ("0 9 * * 1", "0 9 * * mon", "0 9 * * MON"):
        assert Cron.parse(text).after(start, LONDON) == monday


def test_a_range_may_end_on_seven() -> None:
    """5-7 is Friday to Sunday."""
    found = Cron.parse("0 0 * * 5-7").between(utc("2026-02-16T00:00"), utc("2026-02-23T00:00"), LONDON)
    assert [f"{at:%a}" for at in found] == ["Fri", "Sat", "Sun"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", ["02-20 00:15", "02-20 00:30", "02-20 00:45", "02-20 01:00"]),
        ("5,35 0 * * *", ["02-20 00:05", "02-20 00:35"]),
        ("10-12 0 * * *", ["02-20 00:10", "02-20 00:11", "02-20 00:12"]),
        ("50/5 0 * * *", ["02-20 00:50", "02-20 00:55"]),
        ("@hourly", ["02-20 01:00"]),
        ("0 0 1 * *", []),
    ],
)
def test_fields_mean_what_cron_means(text: str, expected: list[str]) -> None:
    """Lists, ranges, steps and macros."""
    assert times(text, LONDON, "2026-02-20T00:00", "2026-02-20T01:00") == expected


def test_either_of_two_restricted_days_is_enough() -> None:
    """The thirteenth, and every Friday."""
    found = times("0 0 13 * fri", LONDON, "2026-02-09T00:00", "2026-03-14T00:00")
    assert found == ["02-13 00:00", "02-20 00:00", "02-27 00:00", "03-06 00:00", "03-13 00:00"]


def test_a_starred_day_restricts_nothing() -> None:
    """``*/1`` is a star to cron: then both fields have to fit."""
    assert len(times("0 0 */1 * fri", LONDON, "2026-02-09T00:00", "2026-02-28T00:00")) == 3


def test_the_leap_day_is_found_years_ahead() -> None:
    """29 February is rare and comes."""
    assert Cron.parse("0 0 29 2 *").after(utc("2026-01-01T00:00"), LONDON) == utc("2028-02-29T00:00")


def test_a_time_that_summer_time_skips_happens_once_right_after_the_change() -> None:
    """In Berlin 02:30 is not there on 29 March: it happens at 03:00 of the wall, once, as Debian's cron does."""
    assert times("30 2 * * *", BERLIN, "2026-03-27T12:00", "2026-03-30T12:00") == [
        "03-28 01:30",
        "03-29 01:00",
        "03-30 00:30",
    ]


def test_a_time_that_comes_twice_in_autumn_happens_once() -> None:
    """In Berlin 02:30 is there twice on 25 October: the first one counts."""
    assert times("30 2 * * *", BERLIN, "2026-10-24T12:00", "2026-10-26T12:00") == [
        "10-25 00:30",
        "10-26 01:30",
    ]


def test_every_half_hour_stays_every_half_hour_through_both_changes() -> None:
    """A job of every hour has no hole and no double when the clocks change."""
    for start, end in (("2026-03-28T20:00", "2026-03-29T08:00"), ("2026-10-24T20:00", "2026-10-25T08:00")):
        found = list(Cron.parse("*/30 * * * *").between(utc(start), utc(end), BERLIN))
        assert len(found) == 24
        assert {b - a for a, b in itertools.pairwise(found)} == {timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has 0 instead of five fields"),
        ("0 0 * *", "has 4 instead of five fields"),
        ("60 0 * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 0 0 * *", "bad day of month"),
        ("0 0 * * 8", "bad day of week"),
        ("0 0 * mun *", "bad month"),
        ("5-1 * * * *", "bad minute"),
        ("*/0 * * * *", "bad minute"),
        ("*-5 * * * *", "bad minute"),
        ("a b c d e", "bad minute"),
        ("0 0 31 2 *", "bad day of month"),
        ("0,, 0 * * *", "bad minute"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_field_and_the_reason(text: str, why: str) -> None:
    """A wrong setting is said at the start, not at midnight."""
    with pytest.raises(ValueError, match=why.replace("*", r"\*")):
        Cron.parse(text)


EXPRESSIONS = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "5", "*/20", "59", "3,33"]),
    st.sampled_from(["*", "0", "2", "3", "*/6", "23"]),
    st.sampled_from(["*", "1-5", "0", "sat"]),
)


@given(
    text=EXPRESSIONS,
    zone=st.sampled_from([BERLIN, NEW_YORK, LONDON]),
    minute=st.integers(0, 3 * 366 * 1440),
)
def test_before_and_after_meet(text: str, zone: ZoneInfo, minute: int) -> None:
    """Nothing lies between the last time and the next."""
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    cron = Cron.parse(text)
    last, following = cron.before(at, zone), cron.after(at, zone)
    assert last <= at < following
    assert cron.after(last, zone) == following
    assert cron.before(following - timedelta(microseconds=1), zone) == last
