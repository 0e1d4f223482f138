"""Who is on call: turns of a rota, overrides that end by themselves, mentions that name each person once."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.slack_ids import READ_WITH
from bot.store import SqlStore
from triage.desk_sections.paging import OnCallSettings, Rota
from triage.paging.oncall import Override, clear_override, mentioned, on_call, override_of, set_override, turn

ANA, BEN, CY = "U0ANA00001", "U0BEN00001", "U0CYD00001"
ROTA = Rota(people=(ANA, BEN, CY), starts=date(2026, 1, 5), handover=time(9), timezone="Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2025-12-01T00:00:00+00:00", ANA),
        ("2026-01-05T07:59:00+00:00", ANA),
        ("2026-01-05T08:01:00+00:00", ANA),
        ("2026-01-12T07:59:00+00:00", ANA),
        ("2026-01-12T08:00:00+00:00", BEN),
        ("2026-01-19T08:00:00+00:00", CY),
        ("2026-01-26T07:59:59+00:00", CY),
        ("2026-01-26T08:00:00+00:00", ANA),
        ("2026-03-30T06:59:00+00:00", CY),
        ("2026-03-30T07:00:00+00:00", ANA),
    ],
)
def test_turns_change_at_the_wall_clock_of_the_rota(at: str, who: str) -> None:
    """At nine in Berlin, which is 08:00 UTC in winter and 07:00 UTC in summer; before the start it is the first one."""
    assert turn(ROTA, datetime.fromisoformat(at))[0] == who


def test_a_turn_says_when_it_ends() -> None:
    """The end is the next handover, in UTC."""
    assert turn(ROTA, datetime(2026, 1, 14, tzinfo=UTC))[1] == datetime(2026, 1, 19, 8, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_handover_in_the_night_the_clocks_change_is_one_handover(day: date) -> None:
    """02:30 is not there in March and comes twice in October: who was handed over to is not handed back."""
    rota = replace_rota(starts=day - timedelta(days=7), handover=time(2, 30))
    before = datetime.combine(day, time(0), UTC) - timedelta(hours=2)
    moments = [before + timedelta(minutes=10 * step) for step in range(36)]
    turns = [turn(rota, at) for at in moments]
    changes = [
        at for at, one, other in zip(moments[1:], turns, turns[1:], strict=False) if one[0] != other[0]
    ]
    assert changes == [turns[0][1]], "once, and when it was said"
    assert (turns[0][0], turns[-1][0]) == (ANA, BEN)


def test_one_person_hands_over_to_themselves_at_midnight() -> None:
    """A rota of one is whoever it names, at every hour of the day it changes."""
    rota = replace_rota(people=(ANA,), handover=time(0))
    assert {turn(rota, datetime(2026, 1, 11, hour, 59, tzinfo=UTC))[0] for hour in range(24)} == {ANA}


def replace_rota(**changes: object) -> Rota:
    """Return the rota with some of it changed."""
    return Rota.model_validate({**ROTA.model_dump(), **changes})


def test_two_weeks_are_one_turn() -> None:
    """``weeks`` is the length of a turn."""
    rota = Rota(people=(ANA, BEN), starts=date(2026, 1, 5), weeks=2)
    assert [turn(rota, datetime(2026, 1, day, 12, tzinfo=UTC))[0] for day in (5, 18, 19)] == [ANA, ANA, BEN]


async def test_an_override_holds_until_its_end_and_is_recorded(sqlite_store: SqlStore) -> None:
    """It wins over the rota, ends by itself, and stands in the audit trail."""
    now = datetime(2026, 1, 14, tzinfo=UTC)
    settings = OnCallSettings(rota=ROTA)
    await sqlite_store.write(lambda tx: set_override(tx, Override(CY, now + timedelta(hours=2), ANA), now))
    assert await sqlite_store.read(lambda tx: on_call(tx, settings, now)) == (CY,)
    later = now + timedelta(hours=2)
    assert await sqlite_store.read(lambda tx: on_call(tx, settings, later)) == (BEN,)
    assert [line.event for line in await sqlite_store.read(lambda tx: tx.audit.entries())] == [
        "oncall.override"
    ]


async def test_an_override_can_be_taken_back_once(sqlite_store: SqlStore) -> None:
    """The second time there is none."""
    now = datetime(2026, 1, 14, tzinfo=UTC)
    await sqlite_store.write(lambda tx: set_override(tx, Override(CY, now + timedelta(hours=2), ANA), now))
    assert await sqlite_store.write(lambda tx: clear_override(tx, by=BEN, now=now))
    assert not await sqlite_store.write(lambda tx: clear_override(tx, by=BEN, now=now))
    assert await sqlite_store.read(lambda tx: override_of(tx, now)) is None


async def test_a_mention_names_each_person_once(sqlite_store: SqlStore) -> None:
    """Whoever is on call may be named in the step as well."""
    now = datetime(2026, 1, 14, tzinfo=UTC)
    found = await sqlite_store.read(
        lambda tx: mentioned(tx, OnCallSettings(rota=ROTA), ("oncall", BEN, "S0DESK0001"), now)
    )
    assert found == (BEN, "S0DESK0001")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rota": {"people": ["ana"], "starts": "2026-01-05"}}, "is no user's id"),
        ({"group": "desk-people"}, "is no user group's id"),
        ({"rota": {"people": [], "starts": "2026-01-05"}}, "at least 1"),
        ({"rota": {"people": [ANA], "starts": "2026-01-05", "timezone": "Mars/Base"}}, "is no time zone"),
        ({"rota": {"people": [ANA], "starts": "2026-01-05"}, "group": "S0DESK0001"}, "keep one of them"),
    ],
)
def test_wrong_settings_say_what_is_wrong(given: dict[str, object], says: str) -> None:
    """Each names the problem and the mend."""
    with pytest.raises(ValueError, match=says):
        OnCallSettings.model_validate(given, context=READ_WITH)
