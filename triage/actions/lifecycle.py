"""How an action's status changes: pure, ``now`` an argument; what is not possible is refused in words.

::

    proposed ──confirm (1 or 2 people)──▶ confirmed ──start──▶ running ──▶ succeeded | failed
       │  └──reject──▶ rejected               │                   └─crash─▶ unknown
       └──time or other evidence──▶ expired ◀─┘
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from triage.errors import Refused
from triage.plans.plan import Plan
from triage.plans.record import ActionRecord, ActionStatus, Confirmation
from triage.plans.verification import Observation

LIFE = timedelta(minutes=30)
"""How long a proposal can be confirmed."""
START_WITHIN = timedelta(minutes=5)
"""A confirmed action that could not begin in this time is not begun any more: the desk has moved on."""

_SAID = {
    ActionStatus.CONFIRMED: "is confirmed already and about to run",
    ActionStatus.RUNNING: "is running already",
    ActionStatus.SUCCEEDED: "was done already",
    ActionStatus.FAILED: "was tried already and failed",
    ActionStatus.UNKNOWN: "was begun already; how far it came is in the thread",
    ActionStatus.REJECTED: "was rejected",
    ActionStatus.EXPIRED: "has expired",
}


def why_not(record: ActionRecord, now: datetime) -> str:
    """Return why a proposal cannot be confirmed any more, empty when it can be."""
    if record.status is not ActionStatus.PROPOSED:
        detail = f": {record.outcome}" if record.outcome else ""
        return f"{record.kind} on {record.target} {_SAID[record.status]}{detail}. Nothing was done now."
    if now >= record.expires_at:
        return f"This proposal has expired (it was made at {record.proposed_at:%H:%M} UTC). Nothing was done."
    return ""


def confirm(
    record: ActionRecord, plan: Plan, *, actor: str, reason: str, needed: int, now: datetime
) -> ActionRecord:
    """Add a person's confirmation of a plan. Raises Refused."""
    if problem := why_not(record, now):
        raise Refused(problem)
    if not reason.strip():
        raise Refused("Please give a reason: it goes into the audit trail.")
    if any(one.actor == actor for one in record.confirmations):
        raise Refused("You confirmed this already; it needs a second, different person.")
    if record.confirmations and record.confirmations[0].digest != plan.digest:
        raise Refused("The plan is no longer the one that was confirmed first. Nothing was done.")
    confirmations = (*record.confirmations, Confirmation(actor, now, reason.strip(), plan.digest))
    complete = len(confirmations) >= needed
    return replace(
        record,
        plan=plan,
        arguments={**record.arguments, **plan.arguments},
        confirmations=confirmations,
        needed=needed,
        status=ActionStatus.CONFIRMED if complete else ActionStatus.PROPOSED,
        expires_at=now + START_WITHIN if complete else record.expires_at,
        changed_at=now,
    )


def withdraw(record: ActionRecord, actors: Collection[str], *, now: datetime) -> ActionRecord:
    """Take back the confirmations of people who may no longer; nobody's remaining means that it begins anew."""
    kept = tuple(one for one in record.confirmations if one.actor not in actors)
    return replace(record, confirmations=kept, plan=record.plan if kept else None, changed_at=now)


def reject(record: ActionRecord, *, by: str, now: datetime) -> ActionRecord:
    """Reject a proposal. Raises Refused when it is too late for that."""
    if problem := why_not(record, now):
        raise Refused(problem)
    return replace(record, status=ActionStatus.REJECTED, outcome=f"rejected by {by}", changed_at=now)


def expire(record: ActionRecord, *, why: str, now: datetime) -> ActionRecord | None:
    """End a proposal or a confirmed action that was not begun; None when there is nothing to end."""
    if record.status not in {ActionStatus.PROPOSED, ActionStatus.CONFIRMED}:
        return None
    return replace(record, status=ActionStatus.EXPIRED, outcome=why, changed_at=now)


def start(record: ActionRecord, *, owner: str, lease_until: datetime, now: datetime) -> ActionRecord | None:
    """Begin a confirmed action, in this process; None when somebody else has, or it is over."""
    if record.status is not ActionStatus.CONFIRMED:
        return None
    return replace(
        record,
        status=ActionStatus.RUNNING,
        started_at=now,
        owner=owner,
        lease_until=lease_until,
        changed_at=now,
    )


def held_by(record: ActionRecord, owner: str) -> bool:
    """Whether this process still may go on with a running action: its lease was not taken away."""
    return record.status is ActionStatus.RUNNING and record.owner == owner


def cancel(record: ActionRecord, *, by: str, now: datetime) -> ActionRecord:
    """Ask a running action to stop at the next step that allows it. Raises Refused."""
    if record.status is not ActionStatus.RUNNING:
        raise Refused(f"{record.kind} on {record.target} is not running: there is nothing to cancel.")
    if record.cancel_by:
        raise Refused("It was asked to stop already; it does so at the next step that allows it.")
    return replace(record, cancel_by=by, changed_at=now)


def finish(
    record: ActionRecord,
    status: ActionStatus,
    *,
    outcome: str,
    verify_at: datetime,
    verify_until: datetime,
    now: datetime,
) -> ActionRecord:
    """End a running action as succeeded, failed or unknown; it is then verified."""
    return replace(
        record,
        status=status,
        outcome=outcome,
        finished_at=now,
        owner="",
        lease_until=None,
        verify_at=verify_at,
        verify_until=verify_until,
        changed_at=now,
    )


def observed(record: ActionRecord, before: Observation) -> ActionRecord:
    """Keep what was seen before the first step."""
    return replace(record, before=before)
