"""The bot's own hit rate: as counted, in words that hold."""

import pytest

from triage.ports.answers import Tally
from triage.reports.digest.hit_rate import counted, hit_rate


def said(period: Tally, ever: Tally) -> list[str]:
    """Return the section's lines."""
    return [f"{line.name} {line.text}".strip() for line in hit_rate(period, ever).lines]


def test_nobody_answered_nothing_is_said() -> None:
    """Nought of nought is no rate."""
    assert said({}, {}) == []


@pytest.mark.parametrize(
    ("tally", "line"),
    [
        (
            {"certain": (8, 8), "likely": (4, 3)},
            "of 12 answered, 11 right (92 %): almost certain 8 of 8, likely 3 of 4",
        ),
        ({"likely": (1, 1)}, "of 1 answered, 1 right (100 %)"),
        ({"likely": (2, 0)}, "of 2 answered, 0 right (0 %)"),
        ({"": (3, 0)}, "3 had named no cause"),
        ({"certain": (1, 1), "": (2, 0)}, "of 1 answered, 1 right (100 %); 2 had named no cause"),
        ({"certain": (1000, 999)}, "of 1000 answered, 999 right (99 %)"),
        ({"certain": (1000, 1)}, "of 1000 answered, 1 right (1 %)"),
    ],
)
def test_a_rate_says_of_how_many(tally: Tally, line: str) -> None:
    """All of them only where it is all of them, none only where it is none."""
    assert said(tally, tally) == [line]


def test_a_period_stands_beside_all_times() -> None:
    """A day has few answers; where it has none that is said, and no rate."""
    assert said({}, {"certain": (2, 1)}) == [
        "nobody answered in the period",
        "Of all times of 2 answered, 1 right (50 %)",
    ]
    assert said({"certain": (1, 1)}, {"certain": (2, 1)})[0] == "of 1 answered, 1 right (100 %)"


def test_programs_get_the_same_counts() -> None:
    """Verdicts that named no cause are apart: they were neither right nor wrong."""
    assert counted({"certain": (8, 8), "likely": (4, 3), "": (2, 0)}) == {
        "answered": 12,
        "right": 11,
        "share": 0.9167,
        "by_strength": {"certain": {"answered": 8, "right": 8}, "likely": {"answered": 4, "right": 3}},
        "no_cause_named": 2,
    }
    assert counted({})["share"] is None
