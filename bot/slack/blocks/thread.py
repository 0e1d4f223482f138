"""What the thread says: one line a change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.slack.blocks import kit
from bot.slack.blocks.card import Names
from bot.slack.blocks.kit import leaf
from bot.slack.blocks.times import seconds_between, when
from bot.slack.rendered import Rendered
from triage.incidents.notifications import IN_CHANNEL, MENTIONS
from triage.model import Json, TimelineEntry, TimelineKind
from triage.untrusted_text import one_line
from triage.wording import counted, listed

LINE, LATE_SECONDS, PLACES, PLACES_SHOWN = 400, 90.0, 4, 12
_ALIKE = re.compile(r"(?P<name>\S+) on (?P<place>.+) (?P<did>joined|resolved|fires again)")
_SAME_TIME = timedelta(minutes=1)
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
    entries = folded(entries)
    words = [_words(entry, now, names) for entry in entries]
    block = kit.paragraph(
        [[leaf(line), *_mentions(entry)] for line, entry in zip(words, entries, strict=True)]
    )
    text = words[0] if len(words) == 1 else f"{words[0]} and {counted(len(words) - 1, 'more change')}"
    return Rendered(text=kit.preview(text), blocks=kit.present([block]))


def folded(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return the entries with what one alert did on several places in the same minute as one that names and counts them."""
    kept: list[TimelineEntry] = []
    places: list[str] = []
    for entry in entries:
        found = _ALIKE.fullmatch(entry.text) if not entry.data.get(MENTIONS) else None
        before = _ALIKE.fullmatch(kept[-1].text) if kept and places else None
        alike = found and before and found.group("name", "did") == before.group("name", "did")
        if found and alike and abs(entry.at - kept[-1].at) < _SAME_TIME:
            places.append(found["place"])
            most = PLACES_SHOWN if entry.data.get(IN_CHANNEL) else PLACES
            text = f"{found['name']} on {listed(places, most)} {found['did']}"
            kept[-1] = replace(kept[-1], text=text, recorded_at=max(kept[-1].recorded_at, entry.recorded_at))
            continue
        places = [found["place"]] if found else []
        kept.append(entry)
    return kept


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
