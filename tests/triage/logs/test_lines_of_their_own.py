"""What is no part of the harmless record before it is counted, though its level is not known."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW
from triage.logs.lines import read_lines
from triage.ports.sources import LogLine

INFO = "2026-02-20 03:01:05,000 - 1 - feed - INFO - tick 5"


@pytest.mark.parametrize(
    ("lines", "loose", "suspects"),
    [
        (["level=2 position left open"], 1, 0),
        (['lvl=3 msg="position left open"'], 1, 0),
        (["févr. 20, 2026 03:01:05 org.desk.Feed run", "GRAVE: carnet fermé"], 2, 0),
        (["20. Februar 2026 03:01:05 SCHWER Verbindung weg"], 1, 0),
        (["/srv/feed.rb:7:in `take': undefined method `ask' for nil (NoMethodError)"], 1, 1),
        (["  bids  asks", "bid 3 | ask 4", "levels: 2"], 0, 0),
    ],
)
def test_it_is_not_folded_into_an_info_record(lines: list[str], loose: int, suspects: int) -> None:
    """A table that the record prints is its own still."""
    texts = [INFO, *lines]
    read = read_lines(
        [
            LogLine(NOW + timedelta(milliseconds=each), text, {"bot": "bot1"})
            for each, text in enumerate(texts)
        ]
    )
    assert (read.records, read.loose, read.suspects) == (1, loose, suspects)
