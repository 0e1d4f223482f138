"""What a storm is called, which incidents it tells of, and which pages of its list change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from triage.desk import Desk
from triage.drill_alert import ALERTNAME as DRILL
from triage.model import Incident, IncidentShape, Severity, Signal, worst
from triage.ports.store import Tx
from triage.severities import is_paging

STORM_TITLE = "Alert storm"
PAGE = 350
"""Alerts on one page of the list in a storm's thread: as many as fit into one message."""
QUIET_FOLD_SECONDS = 10.0
"""How long a line waits for others in the thread of an incident that a storm tells of: its card and list say it sooner."""
FOLD_SECONDS = 1.3
"""How long a line that is also shown in the channel waits in a storm for others to be posted with it: with the second that
the chat may take, it is shown within three, and every fourth second is left for a card or the list."""
GATHERS = timedelta(minutes=2)
"""The incidents of so long before a storm are part of it: they made it one."""

NEAR = 100
"""So many incidents before and after a storm are looked at for those that came with it."""


def gathers(storm: Incident, incident: Incident) -> bool:
    """Whether a storm tells of an incident too: it began shortly before the storm or while things still came.

    Such incidents have cards of their own, but the chat takes one post a second: the storm's card and list say sooner
    what is in them.
    """
    if incident.shape is IncidentShape.STORM or incident.name == DRILL:
        return False
    last = storm.last_seen_at or storm.opened_at
    over_before = incident.resolved_at is not None and incident.resolved_at < storm.opened_at
    return storm.opened_at - GATHERS <= incident.opened_at <= last and not over_before


def part_of_storm(tx: Tx, incident: Incident) -> bool:
    """Whether a storm tells of an incident, or told of it."""
    storm = tx.incidents.storm_at(incident.opened_at, before=GATHERS)
    return storm is not None and gathers(storm, incident)


def told_by(tx: Tx, storm: Incident) -> list[int]:
    """Return the ids of the incidents whose alerts a storm tells: its own, and those of what it gathers."""
    return [storm.id, *(one.id for one in tx.incidents.near(storm.id, NEAR) if gathers(storm, one))]


def is_urgent(desk: Desk, signal: Signal) -> bool:
    """Whether people must notice an alert at once: it is Sev-1, or its label asks for a person."""
    return signal.severity is Severity.SEV1 or is_paging(signal.labels, desk.severities)


def storm_severity(desk: Desk, signal: Signal) -> Severity:
    """Return how grave an alert makes its storm: what asks for a person at once is Sev-2 there at least.

    A playbook may take such an alert for less; among hundreds of others it stands on top of the card as grave, and the
    card's severity must say no less.
    """
    return worst(signal.severity, Severity.SEV2) if is_urgent(desk, signal) else signal.severity


def storm_title(storm: Incident, title: str, *, worse: bool) -> str:
    """Return what a storm is called once a grave alert joined: the graver one leads."""
    return f"{STORM_TITLE}: {title}" if worse or storm.title == STORM_TITLE else storm.title


def changed_pages(total: int, joined: int, *, anew: bool) -> Iterable[int]:
    """Return the pages that change when ``joined`` of ``total`` alerts are new; ``anew``: each of them may."""
    if total <= 0:
        return ()
    first = 0 if anew else max(0, total - joined) // PAGE
    return range(first, (total - 1) // PAGE + 1)
