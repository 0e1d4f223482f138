"""What of an incident is told in the chat: its card always, a thread line for each change worth one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from triage.incidents.storm import part_of_storm
from triage.model import Incident, TimelineEntry
from triage.ports.store import MessageKind, Tx

INCIDENT_CHANNEL = "incidents"
"""The channel by what it is for; the sender knows which one TRIAGE_CHANNEL names."""
DIGEST_CHANNEL = "digests"
"""As above, for TRIAGE_DIGEST_CHANNEL."""


LINE_URGENCY = 3
"""What explains an incident comes after the cards; a line that the channel shows too has its incident's urgency."""

STORM_URGENCY = 0
"""A storm's card or line of alerts that ask for a person: it tells of many, where each other card tells of one."""

IN_CHANNEL = "in_channel"
"""In an entry's data: its line is shown in the channel too, because a line in a thread notifies nobody."""

WAS = "was"
"""In an entry's data: the incident's severity before, where what the entry says made it worse."""

MENTIONS = "mentions"
"""In an entry's data: ids of people and user groups whom its line mentions. Only escalation does that."""


def tell_card(tx: Tx, incident: Incident, now: datetime, *, urgency: int | None = None) -> int:
    """Ask for the incident's message, or for its edit. Returns the message's id.

    ``urgency``: where it is more urgent than the incident's severity says: 0 the most.
    """
    return tx.outbox.want(
        MessageKind.CARD,
        str(incident.id),
        channel=INCIDENT_CHANNEL,
        now=now,
        incident_id=incident.id,
        urgency=incident.severity.rank if urgency is None else urgency,
    )


def tell_line(
    tx: Tx, entry: TimelineEntry, now: datetime, *, urgency: int | None = None, wait_seconds: float = 0.0
) -> int | None:
    """Put an entry on the timeline and, where it is worth a line, in the thread; None: known already.

    A line that is also shown in the channel has the incident's urgency, unless ``urgency`` says more.
    ``wait_seconds``: how long it waits for others, to be one message with them.
    """
    entry_id = tx.timeline.add(entry)
    if entry_id is not None and entry.in_thread:
        tx.outbox.want(
            MessageKind.LINE,
            str(entry_id),
            channel=INCIDENT_CHANNEL,
            now=now,
            incident_id=entry.incident_id,
            in_thread=True,
            urgency=_line_urgency(tx, entry) if urgency is None else urgency,
            wait_seconds=wait_seconds,
        )
    return entry_id


def _line_urgency(tx: Tx, entry: TimelineEntry) -> int:
    incident = tx.incidents.get(entry.incident_id) if entry.data.get(IN_CHANNEL) else None
    return LINE_URGENCY if incident is None else incident.severity.rank


def tell_pages(tx: Tx, storm: Incident, pages: Iterable[int], now: datetime) -> None:
    """Ask for pages (from 0) of the list of all that a storm holds, in its thread, or for their edits."""
    for page in pages:
        tx.outbox.want(
            MessageKind.ROLL,
            f"{storm.id}/{page}",
            channel=INCIDENT_CHANNEL,
            now=now,
            incident_id=storm.id,
            in_thread=True,
            urgency=2,
        )


def tell_triage(tx: Tx, incident: Incident, now: datetime) -> None:
    """Ask for what the triage says: one message in the thread, edited by each later run.

    In a storm it waits until the storm is told: of many the summaries would take the seconds that alerts wait for, and
    what they found stands on the cards.
    """
    tx.outbox.want(
        MessageKind.TRIAGE,
        str(incident.id),
        channel=INCIDENT_CHANNEL,
        now=now,
        incident_id=incident.id,
        in_thread=True,
        urgency=LINE_URGENCY if part_of_storm(tx, incident) else incident.severity.rank,
    )
