"""What of actions is shown with an incident and in an action's own message, gathered from one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.actions.catalogue import action_title
from triage.actions.degraded import degraded
from triage.actions.notifications import confirmed_by
from triage.plans.record import ActionRecord, ActionStatus, StepRecord
from triage.plans.verification import VerificationOutcome
from triage.plans.verification_words import verified_words
from triage.ports.store import Tx


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action with its steps, and the actions that follow from it and can be pressed."""

    record: ActionRecord
    steps: tuple[StepRecord, ...]
    follow_ups: tuple[ActionRecord, ...] = ()


def view_action(tx: Tx, action_id: int) -> ActionView | None:
    """Gather what an action's message shows."""
    record = tx.actions.get(action_id)
    if record is None:
        return None
    children = tx.actions.children(action_id)
    return ActionView(record, tuple(tx.actions.steps(action_id)), pressable(tx, children))


def pressable(tx: Tx, records: Sequence[ActionRecord]) -> tuple[ActionRecord, ...]:
    """Return the proposals that make sense to press; ways in and out of degraded mode by whether it is on."""
    return _in_place(records, on=degraded(tx) is not None)


def _in_place(records: Sequence[ActionRecord], *, on: bool) -> tuple[ActionRecord, ...]:
    out_of_place = "degraded_mode" if on else "exit_degraded_mode"
    return tuple(
        record for record in records if record.status is ActionStatus.PROPOSED and record.kind != out_of_place
    )


def offers_of(tx: Tx, records: Sequence[ActionRecord]) -> tuple[ActionRecord, ...]:
    """Return the proposals that an incident's card offers, each action once, the newest proposal of it.

    ``records``: the incident's actions, oldest first. A proposal that follows from an ended action is shown in that
    action's own message only: the undo of a rollback is itself a rollback, and on the card it would look like a new one.
    """
    on = degraded(tx) is not None
    found: dict[tuple[str, str], ActionRecord] = {}
    for record in _in_place([one for one in records if one.parent_id is None], on=on):
        found[record.kind, record.target] = record
    if on:  # the way out then stands on every incident
        for record in _in_place(tx.actions.proposed(), on=on):
            if record.kind == "exit_degraded_mode":
                found[record.kind, record.target] = record
    return tuple(found.values())


def taken_of(tx: Tx, records: Sequence[ActionRecord]) -> tuple[str, ...]:
    """Return one line for each of an incident's actions that touched the desk, in their order."""
    return tuple(_line(tx, record) for record in records if record.status.ran)


def _line(tx: Tx, record: ActionRecord) -> str:
    verified = f", {verified_words(record)}" if record.verification is not None else ""
    return (
        f"{action_title(record.kind, record.target)} by {confirmed_by(tx, record)}: {record.status}{verified}"
    )


def last_of(tx: Tx, records: Sequence[ActionRecord]) -> str:
    """Return how the last action ended that touched the desk: ``Restart on bot1 by @ana: …``; empty for none."""
    record = _last(records)
    if record is None:
        return ""
    return f"{action_title(record.kind, record.target)} by {confirmed_by(tx, record)}: {how_it_went(record)}"


def recovered_at(records: Sequence[ActionRecord]) -> datetime | None:
    """Return when it was seen that the last action that touched the desk helped; None where it did not, or not yet."""
    record = _last(records)
    if record is None or record.status is not ActionStatus.SUCCEEDED or record.verification is None:
        return None
    helped = record.verification.outcome is VerificationOutcome.RECOVERED
    return record.verification.at if helped else None


def _last(records: Sequence[ActionRecord]) -> ActionRecord | None:
    ended = [record for record in records if record.status.ran and record.finished_at is not None]
    return max(ended, key=lambda one: one.finished_at or one.changed_at, default=None)


def how_it_went(record: ActionRecord) -> str:
    """Return how an action ended and what its verification says, in words."""
    verification = record.verification
    if record.status is not ActionStatus.SUCCEEDED:
        return f"{record.status}{f' ({record.outcome})' if record.outcome else ''}"
    if verification is None:
        return "done, being verified"
    return f"{verified_words(record)}{f': {verification.why}' if verification.why else ''}"


def elapsed(record: ActionRecord, now: datetime) -> float:
    """Return for how long an action has been running, or ran, in seconds."""
    if record.started_at is None:
        return 0.0
    return max(0.0, ((record.finished_at or now) - record.started_at).total_seconds())


__all__ = [
    "ActionView",
    "elapsed",
    "how_it_went",
    "last_of",
    "offers_of",
    "pressable",
    "recovered_at",
    "taken_of",
    "view_action",
]
