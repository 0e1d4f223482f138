"""Is this more than usual: the floor, the factor, and what is asked while there is little history."""

from datetime import datetime, timedelta

import pytest

from bot.store import SqlStore
from tests.triage.signals.happening import DESK, NOW, audit
from triage.desk_events import DeskEvent
from triage.signals.rates import Rate, Rates, surge

FLOOR = DESK.listening.burst_min


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Rate(FLOOR, 0, 10), "5 in 10 min (usual: 0): edge"),
        (Rate(FLOOR - 1, 0, 10), ""),
        (Rate(8, 120, 10), ""),  # two in a window are usual: eight are four times as many, not more
        (Rate(9, 120, 10), "9 in 10 min (usual: 2): edge"),
        (Rate(1000, 600_000, 10), ""),
        (Rate(6, 9, 1), ""),  # one and a half are usual
        (Rate(7, 9, 1), "7 in 10 min (usual: 1.5): edge"),
        (Rate(4 * FLOOR - 1, 0, 0.99), ""),
        (Rate(4 * FLOOR, 0, 0.99), "20 in 10 min (no baseline yet): edge"),
        (Rate(4 * FLOOR, 0, 0), "20 in 10 min (no baseline yet): edge"),
        (Rate(4 * FLOOR, 40, 0.5), ""),  # little history is history all the same
    ],
)
def test_a_surge_is_above_the_floor_and_above_its_own_baseline(rate: Rate, words: str) -> None:
    """Both limits hold, and the words say what is usual."""
    assert surge(rate, DESK, "edge") == words


@pytest.mark.parametrize(
    ("rate", "usual"), [(Rate(0, 60, 10), 1.0), (Rate(0, 3, 0), 0.0), (Rate(9, 0, 5), 0)]
)
def test_what_is_usual_is_of_the_same_length_as_the_window(rate: Rate, usual: float) -> None:
    """Sixty in ten hours are one in ten minutes; without history nothing is known."""
    assert rate.usual(10) == usual


async def test_a_rate_is_counted_against_the_time_that_was_listened_to(sqlite_store: SqlStore) -> None:
    """The baseline is as long as our memory, and each kind has its own."""
    rates = Rates(DESK)
    kinds = {audit("risk", reason=reason).kind for reason in ("edge", "vol")}
    begin = NOW - timedelta(hours=5, minutes=10)
    old = [warning_of("edge", begin + timedelta(minutes=30 * n), f"o{n}") for n in range(10)]
    new = [warning_of("edge", NOW - timedelta(minutes=n), f"n{n}") for n in range(4)]
    await sqlite_store.write(lambda tx: tx.events.add([*old, *new], now=NOW))
    found = await sqlite_store.read(lambda tx: rates.of(tx, kinds, NOW))
    by_reason = {kind.reason: rate for kind, rate in found.items()}
    assert (by_reason["edge"].count, by_reason["edge"].before) == (4, 10)
    assert by_reason["edge"].hours == pytest.approx(5, abs=0.02)
    assert (by_reason["vol"].count, by_reason["vol"].before) == (0, 0)


def warning_of(reason: str, at: datetime, key: str) -> DeskEvent:
    """Make a warning of a moment."""
    return audit("risk", reason=reason, key=key)._replace(at=at)
