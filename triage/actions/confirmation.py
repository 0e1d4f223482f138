"""Confirm, reject, cancel, deny: each one unit of a ``Tx``; first confirm wins. An actor is the chat's id of a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from triage.actions import lifecycle
from triage.actions.catalogue import CATALOGUE, action_title
from triage.actions.notifications import audit, tell_action, tell_story
from triage.actions.proposals import closed, end
from triage.desk import Desk
from triage.errors import Refused
from triage.memory.people import name_of
from triage.plans.record import ActionRecord, ActionStatus, StepRecord
from triage.ports.store import Tx

CHECK_TITLE = "check preconditions, look at the state before"
UNKNOWN_BUTTON = "I do not know this button (any more). The incident's newest message has ones that work."


def by_handle(tx: Tx, handle: str) -> ActionRecord:
    """Return the action a button stands for. Raises Refused for a forged or forgotten one."""
    record = tx.actions.by_handle(handle) if handle else None
    if record is None:
        raise Refused(UNKNOWN_BUTTON)
    return record


def why_not(tx: Tx, record: ActionRecord, now: datetime) -> str:
    """Return why an action cannot be confirmed now, empty when it can be."""
    problem = lifecycle.why_not(record, now)
    over = closed(tx, record)
    if not problem and over:
        problem = f"{over}. Nothing was done."
    holder = tx.actions.locked_by(record.target)
    if not problem and holder is not None and holder != record.id:
        other = tx.actions.get(holder)
        named = f"{other.kind} on {other.target}" if other is not None else "another action"
        problem = f"{named} is under way; one action at a time. Please try again when it has ended."
    return problem


def confirm(
    tx: Tx,
    desk: Desk,
    handle: str,
    *,
    digest: str,
    actor: str,
    reason: str,
    now: datetime,
    seen: int | None = None,
) -> ActionRecord:
    """Confirm the plan of that digest, as it was shown. Raises Refused; nothing is changed then.

    ``seen``: how many had confirmed when this person's role was looked at; the second one needs another role,
    so where somebody else was faster the role is to be looked at again.
    """
    record = by_handle(tx, handle)
    if problem := why_not(tx, record, now):
        raise Refused(problem)
    if seen is not None and len(record.confirmations) != seen:
        raise Refused("Somebody else confirmed at the same moment. Please open it again. Nothing was done.")
    plan = tx.actions.plan(record.id, digest)
    if plan is None:
        raise Refused(
            "I do not know the plan of this form (any more). Please open it again. Nothing was done."
        )
    needed = desk.policy(CATALOGUE[record.kind].kind).confirmations
    record = lifecycle.confirm(record, plan, actor=actor, reason=reason, needed=needed, now=now)
    tx.actions.save(record)
    audit(
        tx,
        record,
        "confirmed",
        actor=actor,
        now=now,
        detail={
            "reason": reason,
            "plan": plan.digest,
            "steps": [step.op.shown for step in plan.steps],
            "confirmation": f"{len(record.confirmations)} of {record.needed}",
        },
    )
    if record.status is ActionStatus.CONFIRMED:
        tx.actions.lock(
            record.target, record.id, now
        )  # free: ``why_not`` looked inside this very transaction
        titles = [
            (0, CHECK_TITLE, ""),
            *((n, s.title, s.op.shown) for n, s in enumerate(plan.steps, start=1)),
        ]
        tx.actions.put_steps(record.id, [StepRecord(*each) for each in titles])
    tell_action(tx, record, now)
    what = f'{action_title(record.kind, record.target)} confirmed by {name_of(tx, actor)}: "{reason}"'
    tell_story(tx, record, what, key=f"confirmed/{len(record.confirmations)}", now=now, actor=actor)
    return record


def withdraw(tx: Tx, handle: str, gone: Mapping[str, str], *, now: datetime) -> str:
    """Take back what people confirmed who may no longer (``gone``: why), and return that as a sentence."""
    record = by_handle(tx, handle)
    who = ", ".join(f"{name_of(tx, actor)} ({why})" for actor, why in gone.items())
    if record.status is ActionStatus.PROPOSED:
        record = lifecycle.withdraw(record, gone, now=now)
        tx.actions.save(record)
        audit(tx, record, "withdrawn", actor="engine", now=now, detail={"confirmed_by": dict(gone)})
        tell_action(tx, record, now)
    return f"The confirmation of {who} does not count any more. Nothing was done; please open it again."


def reject(tx: Tx, handle: str, *, actor: str, now: datetime) -> ActionRecord:
    """Reject a proposal. Raises Refused."""
    record = lifecycle.reject(by_handle(tx, handle), by=name_of(tx, actor), now=now)
    tx.actions.save(record)
    audit(tx, record, "rejected", actor=actor, now=now)
    if record.confirmations:
        tell_action(tx, record, now)
    tell_story(
        tx,
        record,
        f"{action_title(record.kind, record.target)} rejected",
        key="rejected",
        now=now,
        actor=actor,
    )
    return record


def cancel(tx: Tx, handle: str, *, actor: str, now: datetime) -> ActionRecord:
    """Stop an action: at once before it began, else at the next step that allows it. Raises Refused."""
    record = by_handle(tx, handle)
    if record.status is ActionStatus.CONFIRMED:
        end(tx, record, f"cancelled by {name_of(tx, actor)} before it began; nothing was done", now)
        audit(tx, record, "cancelled", actor=actor, now=now)
        return tx.actions.get(record.id) or record
    record = lifecycle.cancel(record, by=actor, now=now)
    tx.actions.save(record)
    audit(tx, record, "cancel_asked", actor=actor, now=now)
    tell_action(tx, record, now)
    return record


def deny(tx: Tx, handle: str, *, actor: str, what: str, why: str, now: datetime) -> None:
    """Write down that somebody pressed what they may not."""
    record = tx.actions.by_handle(handle) if handle else None
    if record is None:
        detail = {"what": what, "why": why, "handle": handle[:40]}
        tx.audit.append(at=now, actor=actor, event="denied", target="unknown button", detail=detail)
        return
    audit(tx, record, "denied", actor=actor, now=now, detail={"what": what, "why": why})
