"""What is no part of the harmless record before it is counted, though its level is not known."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW
from triage.logs.lines import read_lines
from triage.ports.sources import LogLine

INFO = "2026-02-20 03:01:05,000 - 1 - feed - INFO - tick 5"


@pytest.mark.parametrize(
    ("lines", "loose", "error_like"),
    [
        (["level=2 position left open"], 1, 0),
        (['lvl=3 msg="position left open"'], 1, 0),
        (["févr. 20, 2026 03:01:05 org.desk.Feed run", "GRAVE: carnet fermé"], 2, 0),
        (["20. Februar 2026 03:01:05 SCHWER Verbindung weg"], 1, 0),
        (["/srv/feed.rb:7:in `take': undefined method `ask' for nil (NoMethodError)"], 1, 1),
        (["  bids  asks", "bid 3 | ask 4", "levels: 2", "Time: 2026-02-20 03:01:05"], 0, 0),
        (['{"bids": [[91.2, 3]], "asks": []}', "<Task pending running at /app/feed.py:12>"], 0, 0),
        (['{"ts": 1, "event": "position left open"}'], 1, 0),
        (["KeyError: 0"], 1, 1),
    ],
)
def test_it_is_not_folded_into_an_info_record(lines: list[str], loose: int, error_like: int) -> None:
    """A table that the record prints is its own still."""
    texts = [INFO, *lines]
    read = read_lines(
        [
            LogLine(NOW + timedelta(milliseconds=each), text, {"bot": "bot1"})
            for each, text in enumerate(texts)
        ]
    )
    assert (read.records, read.loose, read.error_like) == (1, loose, error_like)


@pytest.mark.parametrize(
    ("lines", "exception"),
    [
        (["thread 'main' panicked at src/book.rs:3:5:", "index out of bounds: the len is 3", "note: x"],
         "index out of bounds: the len is 3"),
        (["Unhandled exception:", "Bad state: no book", "#0      take (file:///app/a.dart:3:5)"], "Bad state: no book"),
        (["Exception in thread Thread-1 (take):", "Traceback (most recent call last):", "ValueError: no bid"],
         "ValueError: no bid"),
        (["03:01:06.001 [main] ERROR org.desk.Feed - quote lost", "org.desk.QuoteLost: no", "\tat desk.Feed.a(F.java:3)",
          "Caused by: java.io.IOException: eof", "\t... 3 more", "Caused by: java.net.SocketException: Connection reset",
          "\tat org.desk.Feed.b(Feed.java:7)"], "java.net.SocketException: Connection reset"),
        (["Unhandled exception. Desk.QuoteLost: no", " ---> System.IO.IOException: eof", "   at Desk.Take()"],
         "System.IO.IOException: eof"),
    ],
)  # fmt: skip
def test_the_reason_is_what_is_said_last_or_beneath(lines: list[str], exception: str) -> None:
    """Rust and Dart say it on the next line; of a chain of causes the last one is what went wrong first."""
    read = read_lines(
        LogLine(NOW + timedelta(milliseconds=each), text, {"bot": "bot1"})
        for each, text in enumerate([INFO, *lines])
    )
    assert [each.exception for each in read.errors] == [exception]


@pytest.mark.parametrize(("gap", "loose"), [(20, 0), (900, 1)])
def test_a_sentence_that_comes_later_than_one_print_is_no_part_of_the_record(gap: int, loose: int) -> None:
    """Without any word of failure nothing tells what it means: it is counted, and not taken for the record's."""
    read = read_lines(
        LogLine(NOW + timedelta(milliseconds=each), text, {"bot": "bot1"})
        for each, text in ((0, INFO), (gap, "the venue closed its door on us"))
    )
    assert (read.loose, read.error_like) == (loose, 0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_the_console_repeats_of_the_file_is_no_doubt(order: tuple[int, int]) -> None:
    """The console carries no level; of an error that no record holds it is all there is."""
    console = "03:15:00 - bitget_exchange - Error submitting buy LIMIT order"
    in_file = "2026-02-20 03:15:00,000 - 1 - a.b.bitget_exchange - WARNING - Error submitting buy LIMIT order"
    both = [(console, "console"), (in_file, "file")]
    twice = read_lines(LogLine(NOW, *_with_stream(both[each])) for each in order)
    alone = read_lines([LogLine(NOW, *_with_stream(both[0]))])
    assert (twice.error_like, alone.error_like) == (0, 1)


def _with_stream(line: tuple[str, str]) -> tuple[str, dict[str, str]]:
    return line[0], {"bot": "bot1", "stream": line[1]}
