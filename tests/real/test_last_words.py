"""Beneath a harmless record: what a program says when it falls is never part of it, what the record shows is no doubt."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.fakes.sources import NOW
from triage.logs.lines import ErrorLines, read_lines
from triage.ports.sources import LogLine

CASES: dict[str, dict[str, list[str]]] = YAML(typ="safe").load(Path(__file__).with_name("last_words.yaml"))
RECORDS = {
    "bots": "2026-02-20 03:15:{:02},000 - 1 - feed - INFO - tick {}",
    "logfmt": 'time=2026-02-20T03:15:{:02}Z level=info msg="tick {}"',
}


def beneath(record: str, lines: list[str]) -> ErrorLines:
    """Read some harmless records, the lines a few milliseconds after one of them, and some more records."""
    texts: list[tuple[Any, str]] = [
        (timedelta(seconds=each), record.format(each, each)) for each in range(20)
    ]
    texts[10:10] = [
        (timedelta(seconds=9, milliseconds=each), line) for each, line in enumerate(lines, start=1)
    ]
    return read_lines(LogLine(NOW + at, text, {"bot": "bot1"}) for at, text in texts)


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_last_words_are_errors_or_said_not_to_be_understood(record: str) -> None:
    """Of whatever language: none of them leaves "0 errors" and no doubt."""
    passed_over = [
        name
        for name, lines in CASES["failures"].items()
        if not (found := beneath(record, lines)).errors and not found.error_like
    ]
    assert not passed_over


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_what_a_record_shows_is_no_doubt(record: str) -> None:
    """Reports, tables, dumps, banners, settings: with their words of failure that tell of none."""
    alarms = {
        name: found.sample or [each.message for each in found.errors]
        for name, lines in CASES["harmless"].items()
        if (found := beneath(record, lines)).errors or found.error_like
    }
    assert not alarms
