"""Log lines: levels, tracebacks, templates, what is new and what surges."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.sources import NOW
from triage.logs.lines import ErrorLine, error_lines, read_lines
from triage.logs.records import record_of
from triage.logs.templates import _VARIABLE, Template, compare, mask_variables, shortened, templates
from triage.ports.sources import LogLine

PREFIX = "2026-02-20 16:33:00,312 - 12345 - hummingbot.connector.exchange.bitget"


def line(text: str, seconds: float = 0, stream: str = "a") -> LogLine:
    """Make a line of a stream."""
    return LogLine(NOW + timedelta(seconds=seconds), text, {"filename": stream})


def error(text: str, minutes: float = 0) -> ErrorLine:
    """Make an error some minutes ago."""
    return ErrorLine(NOW - timedelta(minutes=minutes), "x", text)


def test_only_the_level_makes_an_error() -> None:
    """A line can hold the word ERROR without being one."""
    found = error_lines(
        [
            line(f"{PREFIX} - ERROR - Order rejected"),
            line(f"{PREFIX} - INFO - no ERROR - here", 1),
            line("something - ERROR - that is not a line of the bots", 9),
            line(f"{PREFIX} - CRITICAL - cannot go on", 10),
        ]
    )
    assert [each.message for each in found] == ["Order rejected", "cannot go on"]


def test_a_traceback_is_folded_into_its_line() -> None:
    """Its last line, the exception, is what the error was."""
    found = error_lines(
        [
            line(f"{PREFIX} - ERROR - Unexpected error"),
            line("Traceback (most recent call last):"),
            line('  File "/home/x.py", line 3, in f'),
            line("aiohttp.client_exceptions.ClientError: no route"),
            line(f"{PREFIX} - INFO - fine again"),
            line("ValueError: this belongs to the line before it, which is no error"),
        ]
    )
    assert [each.text for each in found] == [
        "Unexpected error (aiohttp.client_exceptions.ClientError: no route)"
    ]


def test_a_message_of_several_lines_keeps_its_traceback() -> None:
    """A line of the message that looks like an exception is none: the traceback after it is of the same record."""
    found = error_lines(
        [
            line(f"{PREFIX} - ERROR - Unexpected error"),
            line("Details: code 40001"),
            line("Traceback (most recent call last):"),
            line('  File "/home/x.py", line 3, in f'),
            line("ValueError: no price"),
        ]
    )
    assert [each.text for each in found] == ["Unexpected error (ValueError: no price)"]


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "log", "error": "connection refused"}',
        '{"kind": "config", "error": "port 5432 refused"}',
        '{"msg": "connection refused", "request": {"type": "info"}}',
    ],
)
def test_a_field_that_names_the_kind_of_something_is_no_level(text: str) -> None:
    """An error beside it is a suspect, and no record of a lesser level."""
    found = read_lines([line(text)])
    assert (found.every, found.error_like) == ((), 1)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("loglevel=ERROR could not cancel order 12", "ERROR"),
        ('time=2026-01-01T00:00:00Z log_level=error text="cannot place order"', "ERROR"),
        ("2026-01-01 12:00:00 log_level=ERROR logger=x order refused", "ERROR"),
        ("starting with log_level=error", ""),
        ("log_level=error", ""),
    ],
)
def test_a_log_level_at_the_head_of_a_line_is_its_own(text: str, level: str) -> None:
    """Later in it, or alone, it is a setting."""
    assert level_of_line(text) == level


def level_of_line(text: str) -> str:
    """Return the level that a line is read with; empty for none."""
    record = record_of(text)
    return record.level if record is not None else ""


def test_a_field_that_may_hold_anything_is_a_level_where_it_holds_one() -> None:
    """``status`` of the line itself."""
    found = read_lines([line('{"status": "error", "service": "x", "error": "connection refused"}')])
    assert [(each.level, each.message) for each in found.every] == [("ERROR", "connection refused")]


def test_streams_do_not_mix_and_late_lines_are_not_folded() -> None:
    """Two files at once; a line without a level long after."""
    found = error_lines(
        [
            line(f"{PREFIX} - ERROR - one", stream="a"),
            line(f"{PREFIX} - ERROR - two", stream="b"),
            line("KeyError: of a", 0.1, stream="a"),
            line("KeyError: much later", 60, stream="b"),
        ]
    )
    assert [each.text for each in found] == ["one (KeyError: of a)", "two"]


def test_a_multi_line_entry_is_folded_too() -> None:
    """Promtail may join lines."""
    (found,) = error_lines(
        [line(f"{PREFIX} - ERROR - broken\nTraceback (most recent call last):\n  x\nOSError: no")]
    )
    assert found.text == "broken (OSError: no)"


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("Price 67706.50 too far from 1e-5", "Price <n> too far from <n>"),
        ("order 123e4567-e89b-12d3-a456-426614174000 not found", "order <id> not found"),
        ("GET https://api.bitget.com/x?y=1 took 250ms", "GET <url> took <n>ms"),
        ("cannot open /home/hummingbot/conf/a.yml", "cannot open <path>"),
        ("at 2026-02-20T10:00:00.5Z or 10:00:01", "at <time> or <time>"),
        ("unknown symbol 'DOGE USD' of \"x\"", "unknown symbol <text> of <text>"),
        ("BTC-USDT book at 10.0.0.7:443", "<pair> book at <address>"),
        ("password=hunter2 refused", "password=*** refused"),
        ("don't stop, it's fine", "don't stop, it's fine"),
        ("code=40768 bot1", "code=<n> bot<n>"),
    ],
)
def test_what_varies_is_masked(message: str, masked: str) -> None:
    """Numbers, ids, times, paths, addresses, quotations, secrets."""
    assert mask_variables(message) == masked


def test_lines_of_one_kind_are_one_template() -> None:
    """Merged where the words are almost the same, apart where they are not."""
    found = templates(
        [
            *(
                error(f"Order book stream disconnected: {kind}")
                for kind in ("TimeoutError", "ResetError", "TimeoutError")
            ),
            error("Rate limit approached on /api/v2/spot/orders"),
        ]
    )
    assert [(each.count, each.text) for each in found] == [
        (3, "Order book stream disconnected: <*>"),
        (1, "Rate limit approached on <path>"),
    ]


def test_first_and_last_are_kept_with_a_masked_example() -> None:
    """The oldest line of the kind."""
    (found,) = templates([error("failed 1 token=abc", 5), error("failed 2 token=xyz", 9)])
    assert (found.first_at, found.last_at) == (NOW - timedelta(minutes=9), NOW - timedelta(minutes=5))
    assert found.example == "failed 2 token=***"


@given(st.lists(st.text(alphabet="ab <>1 .-/", max_size=30), max_size=30), st.randoms())
def test_the_order_of_lines_does_not_matter(messages: list[str], dice: random.Random) -> None:
    """And no line is lost."""
    lines = [error(message, minutes) for minutes, message in enumerate(messages)]
    shuffled = lines[:]
    dice.shuffle(shuffled)
    found = templates(lines)
    assert found == templates(shuffled)
    assert sum(each.count for each in found) == len(messages)


def test_new_surging_and_known_are_told_apart() -> None:
    """Against the time before, scaled to the window."""
    before = templates(
        [*(error(f"known {n}") for n in range(96)), *(error(f"quiet old one {n}") for n in range(2))]
    )
    now = templates(
        [
            *(error(f"known {n}") for n in range(2)),
            *(error(f"quiet old one {n}") for n in range(9)),
            error("never seen before here"),
        ]
    )
    found = {each.template.text: (each.kind, each.usual) for each in compare(now, before, share=1 / 96)}
    assert found["known <n>"] == ("known", 1.0)
    assert found["quiet old one <n>"][0] == "surging"
    assert found["never seen before here"] == ("new", 0.0)


def test_a_merged_template_is_known_by_its_members() -> None:
    """In the window two kinds were merged, before there was only one of them."""
    before = templates([error("Order book stream disconnected: TimeoutError")])
    now = templates(
        [
            error("Order book stream disconnected: TimeoutError"),
            error("Order book stream disconnected: ResetError"),
        ]
    )
    (found,) = compare(now, before, share=1.0)
    assert found.kind == "known"


def test_a_long_template_is_cut_for_display() -> None:
    """The end is marked."""
    cut = shortened(Template(text="x" * 500, count=1, first_at=NOW, last_at=NOW, example=""), 20)
    assert cut.text == "x" * 19 + "…"


@given(st.text("0x9aF:/.-'\" UBTCS", max_size=60))
def test_a_pattern_is_left_out_only_of_a_text_in_which_it_matches_nothing(text: str) -> None:
    """What is looked for first is in everything that the pattern matches."""
    for pattern, _, needles in _VARIABLE:
        found = pattern.search(text)
        assert found is None or not needles or any(needle in found[0] for needle in needles)
