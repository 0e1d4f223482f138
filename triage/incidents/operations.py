"""What a person may do to an incident; each runs inside one transaction and answers with a polite sentence.

Whether the person may is asked before, in ``triage.roles``. An actor is the chat's id of the person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.errors import Refused
from triage.incidents import lifecycle
from triage.incidents.feedback import ask
from triage.incidents.lifecycle import Transition
from triage.incidents.notifications import tell_card, tell_line
from triage.incidents.silences import Matchers, described
from triage.memory.degraded_mode import degraded_on
from triage.model import Incident, Json, TimelineEntry, TimelineKind
from triage.ports.store import Tx

DEGRADED_STILL = ", degraded mode is still on"
LEAVE_DEGRADED = (
    "Degraded mode is still on, what it stopped stays stopped: leave it with /triage do exit_degraded_mode."
)


@dataclass(frozen=True, slots=True)
class OperationResult:
    """The result of an operation: whether anything changed, and a sentence for the person who asked."""

    changed: bool
    text: str


class Operation(Protocol):
    """One of the operations that need nothing but the incident and the person."""

    def __call__(self, tx: Tx, incident_id: int, *, actor: str, now: datetime) -> OperationResult:
        """Do it inside a transaction."""
        ...


@dataclass(frozen=True, slots=True)
class SilenceWish:
    """What a person wants silent, until when and why; one silence for each set of matchers."""

    actor: str
    silences: tuple[Matchers, ...]
    until: datetime
    comment: str

    @property
    def shown(self) -> str:
        """The matchers, for people."""
        return "; ".join(map(described, self.silences))


def acknowledge(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> OperationResult:
    """Take an incident."""
    incident = _get(tx, incident_id)
    change = lifecycle.acknowledge(incident, actor=actor, now=now)
    if change is None:
        return OperationResult(changed=False, text=_why_not(incident))
    _apply(tx, change, now)
    tx.audit.append(at=now, actor=actor, event="incident.acknowledge", target=incident.number)
    return OperationResult(changed=True, text=f"{incident.number} is yours.")


def resolve(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> OperationResult:
    """Resolve an incident; while alerts still fire it becomes quiet and resolves with them.

    Where degraded mode was entered on it and is on still, both the person and the thread are told: what it stopped stays
    stopped.
    """
    incident = _get(tx, incident_id)
    firing, _ = tx.incidents.counts(incident_id)
    degraded = degraded_on(tx, incident_id)
    if firing:
        change = lifecycle.close_while_firing(incident, actor=actor, firing=firing, now=now)
        text = f"{incident.number} still has {firing} firing: it stays quiet and resolves when they do."
    else:
        change = lifecycle.resolve(
            incident, actor=actor, now=now, why=f"by hand{DEGRADED_STILL if degraded else ''}"
        )
        text = f"{incident.number} is resolved."
    if change is None:
        return OperationResult(changed=False, text=_why_not(incident))
    _apply(tx, change, now)
    ask(tx, change.incident, now)
    tx.audit.append(
        at=now, actor=actor, event="incident.resolve", target=incident.number, detail={"firing": firing}
    )
    return OperationResult(changed=True, text=f"{text} {LEAVE_DEGRADED}" if degraded else text)


def retriage(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> OperationResult:
    """Ask for another triage."""
    incident = _get(tx, incident_id)
    tx.runs.queue(incident_id, "asked for", now)
    tell_card(tx, incident, now)
    tx.audit.append(at=now, actor=actor, event="incident.retriage", target=incident.number)
    return OperationResult(changed=True, text=f"Triage of {incident.number} is under way.")


def ask_silence(tx: Tx, incident_id: int, wish: SilenceWish, now: datetime) -> None:
    """Write down that a silence is about to be made: whatever ends us while Alertmanager writes, it was tried."""
    _audit_silence(tx, _get(tx, incident_id), "incident.silence_asked", wish, now=now)


def record_silence(
    tx: Tx, incident_id: int, wish: SilenceWish, *, ids: Sequence[str], now: datetime
) -> OperationResult:
    """Write down that a silence was made in Alertmanager."""
    incident = _get(tx, incident_id)
    text = f"silenced until {wish.until:%Y-%m-%d %H:%M} UTC ({wish.shown}): {wish.comment}"
    data = {"until": wish.until.isoformat(), "silence_id": " ".join(ids), "matchers": wish.shown}
    _tell_silence(tx, incident, wish, text, ids=ids, data=data, now=now)
    _audit_silence(tx, incident, "incident.silence", wish, now=now, detail={"silence_id": " ".join(ids)})
    return OperationResult(changed=True, text=f"Silenced until {wish.until:%H:%M} UTC.")


def record_silence_trouble(
    tx: Tx, incident_id: int, wish: SilenceWish, *, ids: Sequence[str], why: str, sure: bool, now: datetime
) -> OperationResult:
    """Write down that Alertmanager did not take all of a silence: what stands there, as far as it is known.

    ``sure``: the one that failed was refused; otherwise it may stand there too.
    """
    incident = _get(tx, incident_id)
    count = f"{len(ids)} of {len(wish.silences)} silences were written"
    if ids:  # some of its alerts are silent now, and that must not stay between the person and the form
        data: dict[str, Json] = {"silence_id": " ".join(ids), "matchers": wish.shown}
        text = f"silencing did not come to its end: {count}. {why}"
        _tell_silence(tx, incident, wish, text, ids=ids, data=data, now=now)
    detail = {"silence_id": " ".join(ids), "written": len(ids), "why": why, "sure": sure}
    _audit_silence(tx, incident, "incident.silence_failed", wish, now=now, detail=detail)
    some = f" {count}." if ids else ""
    if sure:
        return OperationResult(changed=bool(ids), text=f"Not silenced. {why}.{some}")
    unknown = "Alertmanager did not answer: whether it is silent is not known. Look there."
    return OperationResult(changed=bool(ids), text=f"{unknown}{some}")


def _tell_silence(
    tx: Tx,
    incident: Incident,
    wish: SilenceWish,
    text: str,
    *,
    ids: Sequence[str],
    data: Mapping[str, Json],
    now: datetime,
) -> None:
    entry = TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.SILENCED,
        text=text,
        actor=wish.actor,
        source="operator",
        key=f"silence/{' '.join(ids)}",
        data=dict(data),
    )
    tell_line(tx, entry, now)
    tell_card(tx, incident, now)


def _audit_silence(
    tx: Tx,
    incident: Incident,
    event: str,
    wish: SilenceWish,
    *,
    now: datetime,
    detail: Mapping[str, Json] | None = None,
) -> None:
    until = wish.until.isoformat()
    said = {"until": until, "matchers": wish.shown, "comment": wish.comment, **(detail or {})}
    tx.audit.append(at=now, actor=wish.actor, event=event, target=incident.number, detail=said)


def record_denied(tx: Tx, incident_id: int | None, *, actor: str, what: str, now: datetime) -> None:
    """Write down that somebody pressed what they may not; told to nobody else."""
    target = "desk"
    if incident_id is not None:
        target = _get(tx, incident_id).number
        entry = TimelineEntry(
            incident_id=incident_id,
            at=now,
            recorded_at=now,
            kind=TimelineKind.DENIED,
            text=f"denied: {what}",
            actor=actor,
            source="operator",
            in_thread=False,
        )
        tell_line(tx, entry, now)
    tx.audit.append(at=now, actor=actor, event="denied", target=target, detail={"what": what})


def _get(tx: Tx, incident_id: int) -> Incident:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise Refused(f"There is no incident INC-{incident_id}.")
    return incident


def _apply(tx: Tx, change: Transition, now: datetime) -> None:
    tx.incidents.save(change.incident)
    tell_line(tx, change.entry, now)
    tell_card(tx, change.incident, now)


def _why_not(incident: Incident) -> str:
    if not incident.is_open:
        return f"{incident.number} is resolved already."
    if incident.quiet:
        return f"{incident.number} was closed by hand already and waits for its alerts to resolve."
    return f"{incident.number} is {incident.status} already."
