"""Gathers a postmortem from the timeline, the audit trail, the evidence and the actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triage.errors import no_incident
from triage.kpis.model import as_json
from triage.memory.people import name_of
from triage.model import (
    Episode,
    FindingStatus,
    Incident,
    Json,
    RunStatus,
    TimelineEntry,
    TimelineKind,
    TriageRun,
    Verdict,
)
from triage.plans.record import ActionRecord, StepRecord
from triage.plans.verification_words import verified_words
from triage.ports.store import AuditEntry, Tx
from triage.reports.postmortem.charting import ChartNote
from triage.wording import counted, duration

SLOW_ACKNOWLEDGE = 15 * 60.0


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One line of the story: when, who or what said it, what happened."""

    at: datetime
    who: str
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """An action with its steps, its outcome and whether it helped."""

    kind: str
    target: str
    status: str
    by: tuple[str, ...]
    reasons: tuple[str, ...]
    started_at: datetime | None
    finished_at: datetime | None
    outcome: str
    verification: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Postmortem:
    """Everything that is known about an incident; what only people know is left to them."""

    incident: Incident
    written_at: datetime
    acknowledged_by: str
    resolved_by: str
    episodes: tuple[Episode, ...]
    timeline: tuple[StoryEvent, ...]
    run: TriageRun | None
    actions: tuple[ActionTaken, ...]
    prevention: tuple[str, ...]
    audit: tuple[AuditEntry, ...]
    chart: ChartNote | None = None

    @property
    def verdict(self) -> Verdict:
        """What the last triage thought."""
        return self.run.verdict if self.run is not None else Verdict()

    def to_json(self) -> dict[str, Json]:
        """Return it as plain JSON."""
        body: dict[str, Json] = as_json(self)
        body["incident"]["number"] = self.incident.number
        body["audit"] = [
            {
                "seq": entry.seq,
                "at": as_json(entry.at),
                "actor": entry.actor,
                "event": entry.event,
                "target": entry.target,
                "detail": dict(entry.detail),
                "digest": entry.digest,
            }
            for entry in self.audit
        ]
        return body


def gather(tx: Tx, incident_id: int, now: datetime) -> Postmortem:
    """Gather an incident's postmortem. Raises Refused where there is no such incident."""
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise no_incident(incident_id)
    entries = tx.timeline.of(incident.id)
    run = tx.runs.latest(incident.id, RunStatus.DONE)
    records = [record for record in tx.actions.of_incident(incident.id) if record.status.ran]
    return Postmortem(
        incident=incident,
        written_at=now,
        acknowledged_by=name_of(tx, incident.acknowledged_by),
        resolved_by=name_of(tx, incident.resolved_by),
        episodes=tuple(tx.incidents.episodes([incident.id])),
        timeline=tuple(_moment(tx, entry) for entry in entries),
        run=run,
        actions=tuple(_taken(tx, record) for record in records),
        prevention=tuple(_prevention(incident, run, entries)),
        audit=tuple(tx.audit.about(incident.number)),
    )


def _moment(tx: Tx, entry: TimelineEntry) -> StoryEvent:
    return StoryEvent(
        entry.at,
        name_of(tx, entry.actor) if entry.actor else "",
        entry.source or entry.kind.value,
        entry.text,
    )


def _taken(tx: Tx, record: ActionRecord) -> ActionTaken:
    verified = record.verification
    return ActionTaken(
        kind=record.kind,
        target=record.target,
        status=record.status.value,
        by=tuple(name_of(tx, one.actor) for one in record.confirmations),
        reasons=tuple(one.reason for one in record.confirmations if one.reason),
        started_at=record.started_at,
        finished_at=record.finished_at,
        outcome=record.outcome,
        verification=f"{verified_words(record)}{f': {verified.why}' if verified.why else ''}"
        if verified
        else "",
        steps=tuple(_step(step) for step in tx.actions.steps(record.id) if step.number > 0),
    )


def _step(step: StepRecord) -> str:
    took = ""
    if step.started_at is not None and step.finished_at is not None:
        took = f", {duration((step.finished_at - step.started_at).total_seconds())}"
    return f"{step.title}: {step.status}{took}{f' ({step.note})' if step.note else ''}"


def _prevention(incident: Incident, run: TriageRun | None, entries: list[TimelineEntry]) -> list[str]:
    """Return what the incident itself shows could be better; people add the rest."""
    found = []
    top = run.verdict.top if run is not None else None
    if top is not None:
        found.append(f"Keep “{top.headline.rstrip('.')}” from happening again, or alert on it earlier")
    found += [f"Make known what triage could not see: {why}" for why in _unknowns(run)]
    if incident.acknowledged_at is None:
        found.append("Nobody acknowledged it: check who is notified, and when")
    elif (waited := (incident.acknowledged_at - incident.opened_at).total_seconds()) > SLOW_ACKNOWLEDGE:
        found.append(f"It took {duration(waited)} until somebody took it: check who is notified, and when")
    if incident.reopened:
        found.append(
            f"It reopened {counted(incident.reopened, 'time')}: the cure did not hold, or the rule flaps"
        )
    if any(entry.kind is TimelineKind.DENIED for entry in entries):
        found.append("Somebody without the role tried to act: check roles in desk.yaml")
    return found


def _unknowns(run: TriageRun | None) -> list[str]:
    if run is None:
        return ["no triage came to its end"]
    return [
        f"{finding.name.replace('_', ' ')} ({finding.why or finding.headline})"
        for finding in run.findings
        if finding.status is FindingStatus.UNKNOWN
    ]


def facts(post: Postmortem) -> Mapping[str, str]:
    """Return the head of a postmortem: what people look for first."""
    incident = post.incident
    end = incident.resolved_at
    lasted = duration(((end or post.written_at) - incident.opened_at).total_seconds())
    after = (
        f"{duration((incident.acknowledged_at - incident.opened_at).total_seconds())} by {post.acknowledged_by}"
        if incident.acknowledged_at is not None
        else "never"
    )
    return {
        "Severity": incident.severity.value,
        "Status": incident.status.value,
        "Began": f"{incident.opened_at:%Y-%m-%d %H:%M:%S} UTC",
        "Acknowledged after": after,
        "Resolved": f"{end:%Y-%m-%d %H:%M:%S} UTC{f' by {post.resolved_by}' if post.resolved_by else ''}"
        if end is not None
        else "not yet",
        "Lasted": lasted if end is not None else f"{lasted} so far",
        "Touched": ", ".join(str(subject) for subject in incident.subjects),
    }
