"""People read how sure a verdict is in words: 96 % next to 51 % says nothing. Only programs get the figure (``--json``)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from triage.diagnosis.strength import strength
from triage.model import Cause, Finding, FindingStatus, Verdict
from triage.reports.answers.run import triaged

ROOT = Path(__file__).parents[2]
AS_PERCENT = re.compile(r"confidence[^\n]{0,20}(:\.\d%|\* ?100)|100 \* \S*confidence|confidence\} ?%")
PERCENT = re.compile(r"\d ?%")


def cause(confidence: float, word: str = "", *, stands: bool = False) -> Cause:
    """Return a cause that is so sure."""
    return Cause(
        "redis_down",
        f"Redis is down ({word})",
        confidence,
        ("it does not answer",),
        strength=word,
        stands=stands,
    )


def test_no_line_of_code_shows_a_confidence_as_a_percentage() -> None:
    """Neither in Slack, nor on the terminal, nor on the demo's panel."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for package in ("triage", "schedules", "handlers", "bot", "demo/panel")
        for path in sorted([*(ROOT / package).rglob("*.py"), *(ROOT / package).rglob("*.js")])
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if AS_PERCENT.search(line)
    ]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    """The ways in which it was shown once."""
    assert AS_PERCENT.search('f"({100 * cause.confidence:.0f} %)"')
    assert AS_PERCENT.search('f"{cause.confidence:.0%}"')
    assert AS_PERCENT.search("`(${truth.confidence} %)`")


@pytest.mark.parametrize(
    ("confidence", "word", "stands", "said"),
    [
        (0.96, "certain", True, "Almost certain"),
        (0.96, "", False, "Almost certain"),
        (0.6, "likely", True, "Likely"),
        (0.51, "", False, "Likely"),
        (0.4, "", False, "Possible"),
        (0.6, "likely", False, "Likely"),
    ],
)
def test_how_sure_it_is_is_a_word(confidence: float, word: str, *, stands: bool, said: str) -> None:
    """A verdict of an older version has no word of its own: its figure gives it."""
    assert strength(cause(confidence, word, stands=stands)) == said


def test_a_triage_on_demand_says_words() -> None:
    """What ``/triage run`` answers."""
    finding = Finding("streams", FindingStatus.CRITICAL, "Redis does not answer", "redis")
    verdict = Verdict((cause(0.96, "certain", stands=True), cause(0.51, "likely")))
    said = " ".join(
        f"{line.name} {line.text}"
        for part in triaged("bot1", (finding,), verdict).sections
        for line in part.lines
    )
    assert "Almost certain: Redis is down" in said
    assert "Likely: Redis is down" in said
    assert not PERCENT.search(said)
