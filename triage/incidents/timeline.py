"""Which events stand on an incident's timeline: those of its subjects while it is open, and the changes before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.incidents.notifications import tell_card, tell_line
from triage.model import Incident, Source, SubjectKind, TimelineEntry, TimelineKind
from triage.ports.store import Tx

TEXT_MAX = 300


def tell_events(
    tx: Tx,
    desk: Desk,
    events: Sequence[DeskEvent],
    *,
    incidents: Sequence[Incident],
    now: datetime,
    in_thread: Collection[str] = (),
    raised: Collection[str] = (),
) -> None:
    """Put events on the timelines of those of the open ``incidents`` that they belong to.

    ``in_thread``: keys worth a line in the thread. ``raised``: keys that made a signal; correlation puts those there.
    """
    if not incidents:
        return
    shown = [event for event in events if event.key not in raised]
    for incident in incidents:
        mine = [event for event in shown if belongs(event, incident)]
        if mine and _write(tx, desk, incident, mine, now=now, in_thread=in_thread):
            tell_card(tx, incident, now)


def recall_changes(tx: Tx, desk: Desk, incident: Incident, now: datetime) -> None:
    """Put what changed shortly before an incident on its timeline: "what changed" is the first question."""
    span = timedelta(minutes=desk.listening.changes_before_minutes)
    changes = tx.events.of((), since=now - span, until=now, changes_only=True)
    _write(tx, desk, incident, [event for event in changes if belongs(event, incident)], now=now)


def belongs(event: DeskEvent, incident: Incident) -> bool:
    """An event is its subject's; a change of the whole desk is everybody's."""
    if event.subject in incident.subjects:
        return True
    return event.change and event.subject.kind is SubjectKind.DESK


def _write(
    tx: Tx,
    desk: Desk,
    incident: Incident,
    events: Iterable[DeskEvent],
    *,
    now: datetime,
    in_thread: Collection[str] = (),
) -> bool:
    """Write the lines there is room for; returns whether one of them is told."""
    events = list(events)
    if not events:
        return False
    room = desk.listening.timeline_max - tx.events.on_timeline(incident.id)
    speaks = False
    for event in events:
        if room <= 0:
            break
        spoken = event.key in in_thread and not incident.quiet
        entry_id = tell_line(tx, entry_of(incident, event, now, in_thread=spoken), now)
        room -= entry_id is not None
        speaks = speaks or (spoken and entry_id is not None)
    return speaks


def entry_of(incident: Incident, event: DeskEvent, now: datetime, *, in_thread: bool) -> TimelineEntry:
    """Return an event as a line of an incident's timeline."""
    # What a container did is a sentence by itself: "hbot-bot1 died by itself".
    named = event.change or event.source is Source.CONTAINER or event.text.startswith(event.category)
    text = event.text if named else f"{event.category}: {event.text}"
    return TimelineEntry(
        incident_id=incident.id,
        at=event.at,
        recorded_at=now,
        kind=TimelineKind.CHANGE if event.change else TimelineKind.EVENT,
        text=text[:TEXT_MAX],
        source=event.source.value,
        key=f"{incident.id}/event/{event.key}",
        in_thread=in_thread,
    )
