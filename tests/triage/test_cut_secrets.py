"""A secret that lies across the place where reading ends is not shown by half."""

import pytest

from triage.untrusted_text import one_line, shown

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
ADDRESS = "https://desk:orchid77petal@host/x"


@pytest.mark.parametrize("before", range(19_900, 20_001, 7))
def test_half_a_secret_behind_much_space_is_not_shown(before: int) -> None:
    """Spaces and characters that are not seen go away, and what stood at the end comes to the front."""
    unseen = "\u200b" * 40
    for secret, telling in ((PHRASE, "winner"), (ADDRESS, "orchid")):
        for text in (" " * before + secret, unseen + " " * (before - 40) + secret):
            assert telling not in one_line(text, 3000)
            assert telling not in shown(text, 3000)


def test_a_text_that_was_read_whole_keeps_its_end() -> None:
    """Only what was cut loses some."""
    assert one_line(" " * 19_000 + "the end", 3000) == "the end"
