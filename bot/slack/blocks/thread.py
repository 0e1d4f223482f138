"""What the thread says: one line a change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.slack.blocks import kit
from bot.slack.blocks.card import Names
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.when import seconds_between, when
from bot.slack.rendered import Rendered
from triage.incidents.notifications import MENTIONS
from triage.model import Json, TimelineEntry, TimelineKind
from triage.untrusted_text import one_line
from triage.wording import counted

LINE, LATE_SECONDS = 400, 90.0
_SIGN = {
    TimelineKind.RESOLVED: "✅ ",
    TimelineKind.REOPENED: "🔁 ",
    TimelineKind.WIDENED: "↔ ",
    TimelineKind.SILENCED: "🔕 ",
    TimelineKind.DENIED: "⛔ ",
    TimelineKind.ESCALATED: "📣 ",
    TimelineKind.FALLBACK: "📨 ",
}


def timeline_lines(entries: Sequence[TimelineEntry], now: datetime, names: Names) -> Rendered:
    """Return changes, one a line, as one message (several when Slack was slower than the desk)."""
    words = [_words(entry, now, names) for entry in entries]
    block = kit.paragraph(
        [[leaf(line), *_mentions(entry)] for line, entry in zip(words, entries, strict=True)]
    )
    text = words[0] if len(words) == 1 else f"{words[0]} and {counted(len(words) - 1, 'more change')}"
    return Rendered(text=kit.preview(text), blocks=kit.present([block]))


def _mentions(entry: TimelineEntry) -> list[Json]:
    """Return those whom a line wakes; only escalation names any."""
    ids = entry.data.get(MENTIONS) or []
    return [leaf(" ")] + [kit.mention(str(one)) for one in ids] if ids else []


def _words(entry: TimelineEntry, now: datetime, names: Names) -> str:
    who = names(entry.actor)
    text = one_line(entry.text, LINE)
    said = text if not who or who in text else f"{who} {text}"
    learned = seconds_between(entry.at, entry.recorded_at)
    late = f" (learned {when(entry.recorded_at, now)})" if learned > LATE_SECONDS else ""
    return f"{when(entry.at, now)} · {_SIGN.get(entry.kind, '')}{said}{late}"
