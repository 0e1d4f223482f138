"""Each shape of a line by itself: an error is one, a word is none, and what cannot be told is said."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fakes.sources import NOW
from triage.logs.lines import ErrorLines, read_lines
from triage.ports.sources import LogLine

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("log_shapes.yaml"))


def read(*lines: str) -> ErrorLines:
    """Read the lines of one stream, a millisecond apart."""
    return read_lines(
        LogLine(NOW + timedelta(milliseconds=number), text, {"bot": "bot1"})
        for number, text in enumerate(lines)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_a_shape_is_read_or_said_not_to_be(case: dict[str, Any]) -> None:
    """Neither an error that is passed over, nor one that is none."""
    found = read(*case["lines"])
    if "errors" in case:
        assert len(found.errors) == case["errors"]
        assert case["errors"] or (found.error_like, found.loose) == (0, 0)
        return
    assert not found.errors
    assert bool(found.error_like) is bool(case.get("doubt"))


def test_a_line_of_100_kilobytes_is_one_error() -> None:
    """Cut, and its level kept, wherever it stands."""
    long = "x" * 100_000
    (plain,) = read(f"2026-02-20 03:15:00,312 - 12 - a.b - ERROR - {long}").errors
    (after,) = read(f'{{"msg":"{long}","level":"error"}}').errors
    assert max(len(plain.message), len(after.message)) < 1000


def test_the_parts_of_a_group_of_exceptions_are_one_error() -> None:
    """Its last part is what is said of it; the traceback after it is another error."""
    group = (
        "  + Exception Group Traceback (most recent call last):",
        "  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        "    | KeyError: 7",
        "    +---------------- 2 ----------------",
        "    | OSError: HTTP status is 502",
        "    +------------------------------------",
    )
    found = read(*group, "Traceback (most recent call last):", "ValueError: price below 0").errors
    assert [each.exception for each in found] == ["OSError: HTTP status is 502", "ValueError: price below 0"]


def test_an_object_on_several_lines_is_one_record() -> None:
    """Its message is kept; one that never ends is read as the lines that came."""
    (spread,) = read(
        "{", '  "level": "error",', '  "msg": "ledger lost",', '  "at": {"place": 3}', "}"
    ).errors
    assert spread.message == "ledger lost"
    cut = read("{", '  "msg": "ledger lost",', "2026-02-20 03:15:00,312 - 12 - a.b - ERROR - book lost")
    assert [each.message for each in cut.errors] == ["book lost"]
