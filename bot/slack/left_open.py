"""A line of a thread that Slack left open for too long: the thread goes on without it, and says so."""

from __future__ import annotations

from datetime import datetime

from bot.slack.blocks.times import when
from triage.incidents.notifications import tell_line
from triage.model import TimelineEntry, TimelineKind
from triage.ports.store import Message, MessageKind, Tx
from triage.wording import duration

_KEY = "slack/left open/"
"""The key of an entry that tells of a message, before that message's delivery id."""


def leave_open(tx: Tx, message: Message, now: datetime, waited: float) -> None:
    """Let what comes after a message in its thread go on, and tell there, once, that its outcome is not known.

    ``waited``: seconds. The message is still owed: it is looked for and sent again as before. It is not quoted: what
    Slack fails on may be its words. Where Slack leaves such a line open too, no further one tells of it.
    """
    if message.aside:
        return
    tx.outbox.step_aside(message.id)
    line = tx.timeline.get(int(message.ref)) if message.kind is MessageKind.LINE else None
    if message.incident_id is None or (line is not None and line.key.startswith(_KEY)):
        return
    entry = TimelineEntry(
        incident_id=message.incident_id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.NOTE,
        text=f"Slack has not said for {duration(waited)} whether it took {_what(message, line, now)}. "
        "The thread goes on; should it be missing, it follows.",
        source="slack",
        key=f"{_KEY}{message.delivery_id}",
    )
    tell_line(tx, entry, now)


def _what(message: Message, line: TimelineEntry | None, now: datetime) -> str:
    return f"a {message.kind.value}" if line is None else f"the line of {when(line.at, now)}"
