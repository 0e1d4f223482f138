"""What cannot be sorted: told plainly, kept, counted, and tried again at the next start.

A fault of ours with one signal must neither hold up the others nor hide that the signal came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from triage.desk import Desk
from triage.incidents.correlate import Move, Placement
from triage.incidents.episodes import episode_of_signal
from triage.incidents.notifications import IN_CHANNEL, WAS, tell_card, tell_line
from triage.masking import masked
from triage.model import (
    Incident,
    IncidentShape,
    IncidentStatus,
    Json,
    Severity,
    SignalStatus,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
    worst,
)
from triage.ports.store import StoredSignal, Tx, WaitingSignal

PUT_ASIDE = "put aside: "
"""How the outcome of such a signal begins."""
CARDS_MAX = 10
"""Plain cards that are open at once: what more is put aside joins the newest of them."""
_NOTE = "aside/"
WHY_MAX = 300


def why_of(error: BaseException) -> str:
    """Return a fault of ours in one line."""
    return masked(f"{type(error).__name__}: {' '.join(str(error).split())}")[:WHY_MAX]


def put_aside(tx: Tx, desk: Desk, signal_id: int, why: str, now: datetime, *, plain: bool) -> bool:
    """Take one signal out of the inbox unsorted, and show that it came. False: somebody sorted it meanwhile.

    ``plain``: from its text alone, where the signal as a whole is what cannot be read or stored.
    """
    text = tx.signals.waiting_text(signal_id)
    if text is None:
        return False
    incident_id = text.incident_id
    if incident_id is None and text.status != SignalStatus.RESOLVED.value:
        incident = _card(tx, desk, text, why, now)
        if not plain:
            stored = tx.signals.waiting_one(signal_id)
            if stored is not None:
                tx.incidents.put_episode(episode_of_signal(incident, stored.signal))
        incident_id = incident.id
    keep_aside(tx, signal_id, incident_id, why)
    return True


def keep_aside(tx: Tx, signal_id: int, incident_id: int | None, why: str) -> None:
    """Only take the signal out of the inbox: the next start tries it again."""
    tx.signals.sort([(signal_id, incident_id, f"{PUT_ASIDE}{why}")])


def take_up(tx: Tx) -> int:
    """Put what was put aside back into the inbox: a new version may be able to sort it. Returns how many."""
    return tx.signals.take_up(PUT_ASIDE)


def tried_again(stored: StoredSignal, known: Incident | None) -> Placement | None:
    """Return where a signal goes that was put aside before: into the incident that showed it, while that is open."""
    if stored.incident_id is None or known is None or not known.is_open:
        return None
    if stored.signal.status is SignalStatus.RESOLVED:
        return None
    return Placement(Move.JOIN, "it had been put aside, and was shown there", known)


def _card(tx: Tx, desk: Desk, text: WaitingSignal, why: str, now: datetime) -> Incident:
    """Return the incident that shows the signal: the one that shows such a one already, or a new one."""
    name, subject = text.name or "unnamed signal", text.subject or desk.name
    shown = [tx.incidents.get(int(key.removeprefix(_NOTE))) for key in tx.notes.all(_NOTE)]
    open_ones = [one for one in shown if one is not None and one.is_open]
    same = [one for one in open_ones if one.name == name and one.subject.name == subject]
    if same or len(open_ones) >= CARDS_MAX:
        return _joined(
            tx, (same or open_ones)[-1], f"{name} on {subject}", why, now, severity=_severity(text.severity)
        )
    incident = tx.incidents.save(
        Incident(
            id=0,
            title=f"{name} on {subject}",
            name=name,
            subjects=(Subject(SubjectKind.DESK, subject),),
            severity=_severity(text.severity),
            status=IncidentStatus.TRIGGERED,
            shape=IncidentShape.SINGLE,
            opened_at=now,
            changed_at=now,
            last_seen_at=now,
        )
    )
    tx.notes.put(f"{_NOTE}{incident.id}", now.isoformat())
    tell_card(tx, incident, now)
    _say(tx, incident, f"{name} on {subject}", why, now)
    tx.audit.append(at=now, actor="triage", event="incident.open", target=incident.number)
    return incident


def _joined(
    tx: Tx, incident: Incident, what: str, why: str, now: datetime, *, severity: Severity
) -> Incident:
    """Let an incident show one more. A graver one makes it as grave, leads its title, and is told in the channel."""
    was = incident.severity
    severity = worst(was, severity)
    worse = severity is not was
    incident = replace(incident, last_seen_at=now, severity=severity, title=what if worse else incident.title)
    tx.incidents.save(incident)
    in_channel: dict[str, Json] = {IN_CHANNEL: True, WAS: was.value} if worse else {}
    now_so = f", now {severity}" if worse else ""
    _say(tx, incident, f"{what} joined{now_so}", why, now, kind=TimelineKind.JOINED, data=in_channel)
    tell_card(tx, incident, now)
    return incident


def _say(
    tx: Tx,
    incident: Incident,
    what: str,
    why: str,
    now: datetime,
    *,
    kind: TimelineKind = TimelineKind.OPENED,
    data: Mapping[str, Json] | None = None,
) -> None:
    text = (
        f"{what}. It came, and could not be sorted by a fault of hbot-triage ({why}): it is shown as it came"
    )
    entry = TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=now,
        kind=kind,
        text=text,
        source="hbot-triage",
        in_thread=True,
        data=data or {},
    )
    tell_line(tx, entry, now)


def _severity(text: str) -> Severity:
    try:
        return Severity(text)
    except ValueError:
        return Severity.SEV2
