"""Numbers as they are read, and the word that was meant."""

import pytest

from triage.wording import decimal, nearest, percent

DESK = ("mm-eth", "Grid.3", "arb_2", "bot1", "bot10")


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [(0.004, 2, "0.00"), (-0.004, 2, "0.00"), (0.05, 1, "+0.1"), (-1234.5, 2, "-1,234.50"), (0.0, 0, "0")],
)
def test_what_shows_as_zero_has_no_sign(value: float, places: int, shown: str) -> None:
    """Neither a gain nor a loss; beside a small loss a plus would be false."""
    assert decimal(value, places, signed=True) == shown


def test_a_percentage_has_its_sign_only_where_asked_and_seen() -> None:
    """A fraction as percent."""
    assert (percent(-0.000004, signed=True), percent(0.0002, signed=True)) == ("0.00 %", "+0.02 %")
    assert (percent(0.0002), percent(None), percent(float("nan"))) == ("0.02 %", "?", "?")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("MM_ETH", "mm-eth"),
        ("grid3", "Grid.3"),
        ("arb-2", "arb_2"),
        ("bot-1", "bot1"),
        ("bto10", "bot10"),
        ("bot2", ""),
        ("bot", ""),
        ("zzzz", ""),
        ("", ""),
    ],
)
def test_the_word_that_was_meant(word: str, meant: str) -> None:
    """Case and what joins words do not count; a number is never guessed."""
    assert nearest(word, DESK) == meant
