"""``kpi``: the paper validation and the trading result of a window that ends now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from triage.errors import Refused, SourceError
from triage.kpis.model import IncidentNote
from triage.ports.chat import Answer, AnswerFile, Line, section
from triage.ports.digests import Digests
from triage.reports.answers.context import AnswerContext
from triage.reports.digest.answer import digest_text, missing_text
from triage.reports.digest.period import action_notes, incident_notes

LONGEST = timedelta(days=92)


def window_length(word: str) -> timedelta:
    """Read ``24h``, ``7d``. Raises Refused for anything else, and for more than the longest window."""
    number, unit = word[:-1], word[-1:].lower()
    if not (number.isascii() and number.isdigit() and unit in {"h", "d"}) or not int(number[:6]):
        raise Refused(f"{word[:40]!r} is no window; write for instance 24h, 7d or 30d.")
    length = timedelta(hours=int(number[:6]) * (24 if unit == "d" else 1))
    if length > LONGEST:
        raise Refused(f"{word[:40]} is longer than {LONGEST.days} days; ask for less.")
    return length


async def kpi(ctx: AnswerContext, digests: Digests, bot: str, window: str) -> Answer:
    """Measure one bot, or all (empty); its pictures are the answer's files. Raises Refused for a wrong window."""
    length = window_length(window)
    now = ctx.clock.now()
    end = now.replace(second=0, microsecond=0)
    start = end - length
    bots = (bot,) if bot else ctx.bots
    incidents, actions = await ctx.store.read(
        lambda tx: (
            _until_now(incident_notes(tx, start, now), end),
            action_notes(tx, ctx.bots, start, now),
        )
    )
    mine = tuple(note for note in incidents if not bot or note.concerns(bot))
    title = f"KPIs of {bot or ctx.desk.name}, last {window}"
    try:
        measured = await digests.measure(
            bots, start, end, incidents=incidents, actions=actions, pictures=True
        )
    except SourceError as error:
        return missing_text(str(error), start, end, title=title).top
    text = digest_text(measured.report, mine, title=title)
    top = text.top
    if text.bots:
        hint = f"for instance: /triage kpi {bots[0]} {window}"
        top = replace(top, sections=(*top.sections, section([Line(hint, name="A bot's figures")])))
    files = tuple(
        AnswerFile(f"{one.bot}-{window}.png", f"{one.bot}, last {window}", one.png, one.alt)
        for one in measured.pictures
    )
    return replace(top, files=files)


def _until_now(notes: tuple[IncidentNote, ...], end: datetime) -> tuple[IncidentNote, ...]:
    """Count what began in the minute that is still being written: it is open now, whatever the minutes say."""
    last = end - timedelta(seconds=1)
    return tuple(replace(note, started_at=min(note.started_at, last)) for note in notes)
