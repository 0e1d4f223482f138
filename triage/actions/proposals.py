"""Proposals: made by verdicts, people, schedules and ended actions; renewed, expired, rejected. Units of a ``Tx``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from loguru import logger

from triage.actions import lifecycle
from triage.actions.catalogue import CATALOGUE, action_title, find
from triage.actions.degraded import degraded
from triage.actions.notifications import audit, tell_action, tell_story
from triage.desk import Desk
from triage.errors import Refused
from triage.model import ActionProposal, Finding, FindingStatus, Incident, TriageRun, Verdict
from triage.plans.record import ActionRecord, ActionStatus, Evidence
from triage.ports.store import Tx

BY_VERDICT = "verdict"
FOLLOW_UP_LIFE = timedelta(hours=24)
"""An undo and a way out are needed for longer than a remedy that rests on evidence."""
_LINES = 6


def evidence_of(run: TriageRun, proposal: ActionProposal) -> Evidence:
    """Return what a verdict's proposal rests on: the causes that propose it and their findings."""
    verdict: Verdict = run.verdict
    causes = [cause for cause in verdict.causes if proposal in cause.actions] or list(verdict.causes[:1])
    names = {name for cause in causes for name in cause.findings}
    findings = [finding for finding in run.findings if finding.name in names] or [
        finding for finding in run.findings if finding.status is not FindingStatus.OK
    ]
    text = json.dumps(
        [
            sorted(cause.cause for cause in causes),
            sorted((finding.name, finding.status.value) for finding in findings),
        ]
    )
    return Evidence(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        run_id=run.id,
        observed_at=run.finished_at,
        lines=(*(cause.headline for cause in causes[:1]), *map(_line, findings[:_LINES])),
    )


def _line(finding: Finding) -> str:
    return f"{finding.name.replace('_', ' ')}: {finding.status} · {finding.headline}"


def propose(
    tx: Tx,
    desk: Desk,
    proposal: ActionProposal,
    *,
    by: str,
    now: datetime,
    incident_id: int | None = None,
    evidence: Evidence | None = None,
    parent_id: int | None = None,
) -> ActionRecord:
    """Make a proposal, or renew the one that says the same on the same evidence. Raises Refused."""
    find(desk, proposal.kind, proposal.target)
    evidence = evidence or Evidence()
    expires_at = now + (lifecycle.LIFE if parent_id is None else FOLLOW_UP_LIFE)
    for known in tx.actions.proposed():
        if not _same(known, proposal, incident_id, parent_id):
            continue
        if known.evidence.digest == evidence.digest and now < known.expires_at:
            renewed = replace(known, evidence=evidence, expires_at=expires_at, why=proposal.why)
            tx.actions.save(renewed)
            return renewed
        end(tx, known, "the evidence changed; there is a newer proposal", now)
    record = tx.actions.add(
        ActionRecord(
            kind=proposal.kind,
            target=proposal.target,
            why=proposal.why,
            proposed_by=by,
            proposed_at=now,
            expires_at=expires_at,
            changed_at=now,
            incident_id=incident_id,
            arguments=dict(proposal.arguments),
            evidence=evidence,
            needed=desk.policy(CATALOGUE[proposal.kind].kind).confirmations,
            parent_id=parent_id,
        )
    )
    audit(
        tx, record, "proposed", actor=by, now=now, detail={"why": proposal.why, "evidence": evidence.digest}
    )
    return record


def _same(
    known: ActionRecord, proposal: ActionProposal, incident_id: int | None, parent_id: int | None
) -> bool:
    same_place = known.incident_id == incident_id and known.parent_id == parent_id
    same_deed = (known.kind, known.target) == (proposal.kind, proposal.target)
    # What was chosen in a modal becomes part of the arguments only when it was confirmed.
    return same_place and same_deed and (known.arguments == proposal.arguments or known.awaits_second)


def propose_from_run(tx: Tx, desk: Desk, incident: Incident, run: TriageRun, now: datetime) -> None:
    """Propose what a finished triage proposes; what it proposes no longer, or on other evidence, expires."""
    kept = set()
    for proposal in _fitting(tx, run.verdict.actions) if incident.is_open else ():
        try:
            record = propose(
                tx,
                desk,
                proposal,
                by=BY_VERDICT,
                now=now,
                incident_id=incident.id,
                evidence=evidence_of(run, proposal),
            )
        except Refused as refusal:  # the verdict names what this desk has not
            logger.bind(incident=incident.number, action=proposal.kind).warning("not proposed: {}", refusal)
        else:
            kept.add(record.id)
    for known in tx.actions.of_incident(incident.id):
        if known.proposed_by == BY_VERDICT and known.id not in kept:
            end(tx, known, "the evidence changed: the newest triage does not propose it any more", now)


def _fitting(tx: Tx, proposals: Iterable[ActionProposal]) -> list[ActionProposal]:
    """Leave out repeats and what makes no sense while degraded mode is on, or off."""
    out_of_place = "degraded_mode" if degraded(tx) is not None else "exit_degraded_mode"
    found: list[ActionProposal] = []
    for proposal in proposals:
        repeated = any((one.kind, one.target) == (proposal.kind, proposal.target) for one in found)
        if proposal.kind != out_of_place and not repeated:
            found.append(proposal)
    return found


def follow_up(
    tx: Tx, desk: Desk, record: ActionRecord, proposal: ActionProposal, now: datetime
) -> ActionRecord:
    """Offer what follows from an ended action: its undo, its way out, another try."""
    return propose(
        tx, desk, proposal, by="action", now=now, incident_id=record.incident_id, parent_id=record.id
    )


def end(tx: Tx, record: ActionRecord, why: str, now: datetime) -> bool:
    """Let a proposal (or a confirmed action that was not begun) expire; False when it is past that."""
    expired = lifecycle.expire(record, why=why, now=now)
    if expired is None:
        return False
    tx.actions.save(expired)
    tx.actions.unlock(expired.id)
    audit(tx, expired, "expired", actor="clock", now=now, detail={"why": why})
    if expired.confirmations:  # somebody waits for it: say so where they look
        tell_action(tx, expired, now)
        tell_story(
            tx,
            expired,
            f"{action_title(expired.kind, expired.target)} expired: {why}",
            key="expired",
            now=now,
        )
    return True


def open_ids(tx: Tx) -> list[int]:
    """Return the ids of what may expire."""
    return [one.id for one in tx.actions.with_status(ActionStatus.PROPOSED, ActionStatus.CONFIRMED)]


def expire_due(tx: Tx, now: datetime, ids: Collection[int]) -> int:
    """Let those of some actions expire whose time is over, or whose incident is; return how many."""
    count = 0
    for record in tx.actions.with_status(ActionStatus.PROPOSED, ActionStatus.CONFIRMED):
        why = _over(tx, record, now) if record.id in ids else ""
        if why and end(tx, record, why, now):
            count += 1
    return count


def _over(tx: Tx, record: ActionRecord, now: datetime) -> str:
    if now >= record.expires_at:
        if record.status is ActionStatus.CONFIRMED:
            return "it was confirmed but could not begin in time; nothing was done"
        return "nobody confirmed it in time"
    return closed(tx, record) if record.status is ActionStatus.PROPOSED else ""


def closed(tx: Tx, record: ActionRecord) -> str:
    """Return why a proposal is void because its incident is over; undo and ways out outlive the incident."""
    if record.incident_id is None or record.parent_id is not None:
        return ""
    incident = tx.incidents.get(record.incident_id)
    if incident is not None and not incident.is_open:
        return f"{incident.number} is resolved"
    return ""
