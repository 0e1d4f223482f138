"""What is decided and what the clock starts know no word of Slack's: only ``bot/slack`` and ``handlers/slack`` do."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLACK_WORDS = re.compile(
    r"""mrkdwn|plain_text|rich_text|block_id|callback_id|trigger_id|thread_ts|response_url|private_metadata"""
    r"""|chat\.(?:post|update)|views\.(?:open|publish)|["']blocks["']|["']elements["']|["']accessory["']"""
    r"""|["']type["']:\s*["'](?:section|header|actions|button|context|divider|modal)["']"""
)


def test_triage_and_schedules_know_no_word_of_slacks_formats() -> None:
    """Cards, lines, documents and questions are data there; what Slack makes of them stands in bot/slack."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for package in ("triage", "schedules")
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SLACK_WORDS.search(line)
    ]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    """The words that Block Kit needs are found where they do stand."""
    kit = (ROOT / "bot/slack/blocks/kit.py").read_text(encoding="utf-8")
    assert SLACK_WORDS.search(kit)
