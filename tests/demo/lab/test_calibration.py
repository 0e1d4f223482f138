"""The calibration table: fitted so that a verdict is right as often as it says, and never against the order of evidence."""

import math
from itertools import pairwise

import pytest

from demo.lab.calibration import UNSEEN, fitted, levels, pooled
from triage.diagnosis.weights import CALIBRATION, CERTAIN, HIGHEST, LIKELY, probability, uncalibrated


def verdicts(says: float, right: int, of: int) -> list[tuple[str, float, bool]]:
    """Verdicts of as many faults, so many of them right."""
    return [(f"fault-{says}-{number}", says, number < right) for number in range(of)]


def test_modest_verdicts_are_raised_to_what_they_were_worth() -> None:
    """Said .83, right in 98 of 100: the table says nearly that, drawn a little towards what was said."""
    table = dict(fitted(verdicts(0.83, 98, 100)))
    assert table[0.83] == pytest.approx((98 + 0.83 * UNSEEN) / (100 + UNSEEN), abs=0.01)


def test_ten_runs_of_one_fault_are_one_fault() -> None:
    """Else the fault that is run most would set the table."""
    (level,) = levels([("key-deleted", 0.83, True)] * 10)
    assert level.faults == 1
    assert level.drawn < 0.9


def test_what_says_more_is_never_worth_less() -> None:
    """Neighbours that fall are pooled."""
    found = pooled(levels([*verdicts(0.6, 30, 30), *verdicts(0.7, 12, 30), *verdicts(0.9, 29, 30)]))
    shares = [each.drawn for each in found]
    assert shares == sorted(shares)
    assert len(found) == 2


def test_up_to_even_odds_nothing_is_corrected() -> None:
    """What is believed does not depend on the table."""
    assert fitted(verdicts(0.3, 30, 30)) == ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0))


def test_the_engines_table_rises_and_leaves_even_odds_where_they_are() -> None:
    """It is monotone, so that it never turns two causes around."""
    assert CALIBRATION[0] == (0.0, 0.0)
    assert (0.5, 0.5) in CALIBRATION
    for (low, at_low), (high, at_high) in pairwise(CALIBRATION):
        assert low < high
        assert at_low < at_high
    assert probability(0.0) == LIKELY
    assert probability(30.0) == HIGHEST
    assert HIGHEST > CERTAIN


def test_the_correction_can_be_undone_for_the_next_fit() -> None:
    """Below what is said at most."""
    for score in (-2.0, -0.3, 0.2, 1.1, 1.6, 2.2):
        raw = 1 / (1 + math.exp(-score))
        assert uncalibrated(probability(score)) == pytest.approx(raw, abs=0.001)
