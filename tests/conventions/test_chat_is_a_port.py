"""What is decided and what the clock starts know no word of Slack's: only ``bot/slack`` and ``handlers/slack`` do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLACK_WORDS = re.compile(
    r"""mrkdwn|plain_text|rich_text|block_id|callback_id|trigger_id|thread_ts|response_url|private_metadata|message_ts"""
    r"""|chat\.(?:post|update)|views\.(?:open|publish)|["'](?:blocks|elements|accessory|attachments|unfurl_\w+)["']"""
    r"""|["']?type["']?(?::|=)\s*["'](?:section|header|actions|button|context|divider|modal|image|input|home|video)["']"""
    # A message's ts, as a name, an attribute or a key; the shapes of ids.
    r"""|\b\w*_ts\b|\.ts\b|\bts(?::| ?=)|["']ts["']|\[[A-Z]{1,4}\]\[A-Z0-9\]|["'][UWCDGSB]0[A-Z0-9]{5,}["']"""
    # Mentions, links, escapes, emoji and bold text of its markup.
    r"""|["' ]<[@!#][A-Za-z{]|<https?:[^>"']*\||&(?:lt|gt|amp);|["' ]:[a-z][a-z0-9_+-]{2,}:["' ]"""
    r"""|["']\*[A-Za-z{][^*"'()\[\]=,]*\*(?!\*)|(?<!\*)\*\{[^*{}]+\}\*(?!\*)"""
)
ALLOWED = ("triage/masking/", "triage/logs/")
"""Expressions for what other programs write, Slack's tokens among it."""


def test_triage_and_schedules_know_no_word_of_slacks_formats() -> None:
    """Cards, lines, documents and questions are data there; what Slack makes of them stands in bot/slack."""
    found = [
        f"{name}:{number}: {line.strip()}"
        for package in ("triage", "schedules")
        for path in sorted((ROOT / package).rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(ALLOWED)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SLACK_WORDS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "section", "text": text}',
        "Block(type='image')",
        "if not message.ts:",
        "def post(ts: str) -> None:",
        "parent_ts = 1",
        'row["ts"]',
        're.compile(r"[UW][A-Z0-9]{6,}")',
        'owner = "U0ANA00001"',
        'f"<@{person}> is on call"',
        '"<!here> bot1 stopped"',
        'f"<https://grafana/d/1|the dashboard>"',
        'title = "*bot1* stopped"',
        'f"*{title}* is over"',
        'f"stopped: *{bot}*"',
        'mark = ":rotating_light:"',
        'text.replace("<", "&lt;")',
    ],
)
def test_the_search_finds_what_it_is_for(line: str) -> None:
    """Blocks, ts, ids, mentions, links, bold text, emoji, escapes."""
    assert SLACK_WORDS.search(line)
