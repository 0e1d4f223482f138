"""Lines that are made, or happen, to keep an expression busy: each is read in a time that grows with its length."""

import time
from datetime import UTC, datetime

import pytest

from triage.logs.lines import read_lines
from triage.ports.sources import LogLine

LENGTH = 50_000
NOW = datetime(2026, 2, 20, 16, 33, tzinfo=UTC)
TIME = "2026-02-20 16:33:00,312 "
BOT = f"{TIME}- 1 - x - ERROR - "
PIECES = {
    "spaces": ("", " "), "spaces after a time": (TIME, " "), "brackets": (TIME, "["), "closed brackets": (TIME, "[a] "),
    "bars": (TIME, "| "), "dashes": (f"{TIME}- ", "1 - "), "names": ("", "a."), "colours": ("", "\x1b[1;"),
    "colours without their sign": ("[1", ";3"), "backslashes": ('{"log":"', "\\"), "objects": ("", '{"a":'),
    "lists": ('{"log":', "["), "quotes of logfmt": ("", 'a="'), "levels": ("", "level="), "numbers": ("", "sev=3"),
    "returns": ("", "a\r"), "escaped lines": ("Traceback (most recent call last):", "\\n  File "),
    "composed": ("bot1 ", " "), "a request": ('1.1.1.1 - - [20/Feb/2026:16:33:00 +0000] "', '\\"'),
    "an open date": ("1.1.1.1 - - [", "a"), "no error": ("", "no error "), "keys": (BOT, "key="),
    "tokens": (BOT, "Bearer "), "addresses": (BOT, "https://"), "private keys": (BOT, "-----BEGIN "),
}  # fmt: skip


@pytest.mark.parametrize("name", PIECES)
def test_a_long_line_takes_no_more_than_its_length(name: str) -> None:
    """Fifty kilobytes: about 0.05 s to 0.2 s; an expression that tries each start with each end takes seconds."""
    head, piece = PIECES[name]
    text = head + piece * (LENGTH // len(piece))
    began = time.process_time()
    found = read_lines([LogLine(NOW, text, {"bot": "bot1"})])
    assert time.process_time() - began < 0.8
    assert found.lines == 1
    assert found.records + found.loose >= (1 if text.strip() else 0)
