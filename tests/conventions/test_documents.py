"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`((?:bot|demo|handlers|schedules|tools|triage)/[\w./-]+\.py): (\w+)`")
_FILE = re.compile(
    r"`((?:bot|demo|deploy|handlers|schedules|tests|tools|triage)/[\w./-]+\.(?:py|yaml|yml|sh))\b"
)

_BARE = re.compile(r"`([a-z_]+\.py)\b")
PACKAGES = ("bench", "bot", "demo", "handlers", "schedules", "tests", "tools", "triage")
OTHERS = {"v2_with_controllers.py"}
"""Hummingbot's."""


def test_every_file_that_a_document_names_is_there() -> None:
    """A reader who goes where a document sends them arrives."""
    documents = (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    named = {
        (path.name, file) for path in documents for file in _FILE.findall(path.read_text(encoding="utf-8"))
    }
    assert ("CONTRIBUTING.md", "triage/incidents/intake.py") in named
    assert sorted((path, file) for path, file in named if not (ROOT / file).exists()) == []


def test_every_module_that_a_document_names_without_its_folder_is_somewhere() -> None:
    """`runner.py` beside a sentence that says whose; a module that was renamed is found."""
    documents = (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    named = {
        (path.name, name) for path in documents for name in _BARE.findall(path.read_text(encoding="utf-8"))
    }
    there = {path.name for package in PACKAGES for path in (ROOT / package).rglob("*.py")} | OTHERS
    assert ("diagnosis.md", "symptoms.py") in named
    assert sorted((path, name) for path, name in named if name not in there) == []


def test_every_name_that_a_document_gives_with_its_file_is_in_it() -> None:
    """``bot/triage_loop.py: TriageLoop``: the class may move, and the document with it."""
    documents = (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    named = {found for path in documents for found in _NAMED.findall(path.read_text(encoding="utf-8"))}
    assert ("bot/triage_loop.py", "TriageLoop") in named
    gone = [(file, name) for file, name in named if name not in (ROOT / file).read_text(encoding="utf-8")]
    assert gone == []


_PHRASE = re.compile(r'\*([^*]+)\*|"([^"]+)"')
_VARIES = re.compile(r"…|: \d+|\b(?:hbot-)?bot1\b|\d+")
_PUT_IN, _SPLIT = re.compile(r"\{[^{}]*\}"), re.compile(r'"\s*\n\s*f?"')
ELSEWHERE = {"dispatch_failed", "error logs unknown: 429"}
"""Slack's own word; and words that are put together of a check's title and a source's answer."""


def test_what_somebody_sees_who_looks_for_a_mend_is_what_is_said() -> None:
    """Each phrase of the first column of the troubleshooting table is one of ours, but for what varies in it."""
    sources = (
        path for name in ("bot", "handlers", "schedules", "triage") for path in (ROOT / name).rglob("*.py")
    )
    said = "\n".join(_SPLIT.sub("", path.read_text(encoding="utf-8")) for path in sources)
    said = _PUT_IN.sub("…", said)
    rows = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines()
    seen = [row.split(" | ")[0] for row in rows if row.startswith("| ")]
    phrases = {a or b for cell in seen for a, b in _PHRASE.findall(cell)} - ELSEWHERE
    assert "belongs to the compose project …" in phrases
    pieces = {(phrase, piece.strip(" ,.:")) for phrase in phrases for piece in _VARIES.split(phrase)}
    assert sorted(phrase for phrase, piece in pieces if piece not in said) == []
