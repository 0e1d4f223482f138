"""The end of an action, as it finished or was interrupted: what is stored, told, offered next. Units of a ``Tx``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loguru import logger

from triage.actions import degraded, lifecycle
from triage.actions.catalogue import CATALOGUE, action_title
from triage.actions.notifications import audit, confirmed_by, tell_action, tell_story
from triage.actions.proposals import end, follow_up
from triage.desk import Desk
from triage.errors import Refused
from triage.incidents.feedback import ask
from triage.incidents.lifecycle import mitigate, resolve
from triage.incidents.notifications import tell_card, tell_line
from triage.model import ActionProposal, Incident
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.plans.verification import Verification, VerificationOutcome
from triage.plans.verification_words import verified_words
from triage.ports.store import Tx
from triage.wording import duration

SOON_SECONDS = 5.0
"""After a failure or a crash verification begins at once, not after the time that a remedy needs to work."""
SOONEST_LOOK_SECONDS, LOOK_AGAIN_SECONDS = 2.0, 20.0
"""Between two looks of a verification: as long as the action has been over, and that at the most."""
LATE_SECONDS = 60.0
"""A verification that comes so late tells of a machine that was suspended: the bots were too."""


def finish(
    tx: Tx, desk: Desk, record: ActionRecord, status: ActionStatus, *, outcome: str, now: datetime
) -> ActionRecord:
    """End a running action: verification is planned, the target freed, the way on offered."""
    steps = tx.actions.steps(record.id)
    wait = desk.triage.verify_after_seconds
    if status is not ActionStatus.SUCCEEDED:
        wait = min(wait, SOON_SECONDS)
    watch = max(wait, desk.triage.health_watch_seconds)
    record = lifecycle.finish(
        record,
        status,
        outcome=outcome,
        verify_at=now + timedelta(seconds=wait),
        verify_until=now + timedelta(seconds=watch),
        now=now,
    )
    tx.actions.save(record)
    tx.actions.unlock(record.id)
    degraded.ended(tx, record, steps)
    _expire_repeats(tx, record, now)
    _offer(tx, desk, record, steps, now)
    audit(
        tx, record, "finished", actor="engine", now=now, detail={"status": status.value, "outcome": outcome}
    )
    tell_action(tx, record, now)
    tell_story(
        tx, record, f"{action_title(record.kind, record.target)} {status}: {outcome}", key="finished", now=now
    )
    _cards(tx, record, now)
    return record


def interrupted(tx: Tx, desk: Desk, record: ActionRecord, now: datetime, *, why: str = "") -> ActionRecord:
    """Make a running action ``unknown``: the process that ran it is gone. It is never run again.

    ``why``: what was lost, where it was not this service.
    """
    steps = tx.actions.steps(record.id)
    cut = [step for step in steps if step.status is StepStatus.RUNNING]
    tx.actions.put_steps(
        record.id,
        [
            replace(
                step, status=StepStatus.UNKNOWN, finished_at=now, note=why or "the service stopped during it"
            )
            for step in cut
        ],
    )
    return finish(tx, desk, record, ActionStatus.UNKNOWN, outcome=_how_far(steps, why), now=now)


def _how_far(steps: list[StepRecord], why: str) -> str:
    done = [step.number for step in steps if step.status is StepStatus.DONE and step.number]
    cut = [step.number for step in steps if step.status is StepStatus.RUNNING]
    rest = [step.number for step in steps if step.status is StepStatus.PENDING and step.number]
    where = f"during step {cut[0]}" if cut else "between two steps" if rest else "after the last step"
    if cut == [0]:
        where = "before the first step"
    what = why or "the service stopped"
    return (
        f"{what} {where}; done: {_numbers(done)}; not begun: {_numbers(rest)}. It is not run again by itself"
    )


def failed_by_us(tx: Tx, desk: Desk, action_id: int, now: datetime, *, owner: str, why: str) -> None:
    """Say on an action what became of it where we failed on it; ``owner``: the process that did.

    One that runs becomes ``unknown``, one that was not begun expires, a question whether it helped has no answer.
    """
    record = tx.actions.get(action_id)
    if record is None:
        return
    if record.status is ActionStatus.CONFIRMED:
        end(tx, record, f"it could not begin: {why}; nothing was done", now)
    elif lifecycle.held_by(record, owner):
        interrupted(tx, desk, record, now, why=why)
    elif record.owner == owner and record.verify_at is not None and record.lease_until is not None:
        verified(
            tx, desk, record, Verification(VerificationOutcome.INCONCLUSIVE, at=now, rows=(), why=why), now
        )


def _numbers(numbers: list[int]) -> str:
    return f"step {', '.join(map(str, numbers))}" if numbers else "nothing"


def _offer(tx: Tx, desk: Desk, record: ActionRecord, steps: list[StepRecord], now: datetime) -> None:
    offers = list(CATALOGUE[record.kind].follow_ups(record, steps))
    if record.status in {ActionStatus.FAILED, ActionStatus.UNKNOWN}:
        arguments = {key: value for key, value in record.arguments.items() if value}
        offers.append(ActionProposal(record.kind, record.target, "another try, planned anew", arguments))
    for offer in offers:
        try:
            follow_up(tx, desk, record, offer, now)
        except Refused as refusal:  # desk.yaml changed since: the bot is not there any more
            logger.bind(action=record.id).warning("not offered: {}", refusal)


def _expire_repeats(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Let proposals expire that say what was done: to enter degraded mode, to leave it, to resume the same bot."""
    if record.status is not ActionStatus.SUCCEEDED:
        return
    if record.kind == "degraded_mode":
        done, why = "degraded_mode", "degraded mode is on already"
    elif record.kind in degraded.ENDS_IT:
        done, why = "exit_degraded_mode", "degraded mode is left already"
    elif record.kind == "resume":
        done, why = "resume", f"{record.target} was resumed already"
    else:
        return
    for other in tx.actions.proposed():
        if (
            other.kind == done
            and other.id != record.id
            and (done != "resume" or other.target == record.target)
        ):
            end(tx, other, why, now)


def _cards(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Degraded mode shows on every incident, so every open card is due when it changes."""
    if record.kind in {"degraded_mode", *degraded.ENDS_IT}:
        for incident in tx.incidents.open():
            tell_card(tx, incident, now)


def verified(
    tx: Tx, desk: Desk, record: ActionRecord, verification: Verification, now: datetime
) -> ActionRecord:
    """Store what verification says; ask again while it is not well and there is time."""
    action = CATALOGUE[record.kind]
    whole = action.whole_watch
    as_asked = action.stops_trading and verification.outcome is VerificationOutcome.EFFECTIVE
    left_out = bool(action.leaves) and mitigates(
        verification
    )  # recovered is the best that a later look could find
    well = as_asked or left_out or verification.outcome is VerificationOutcome.RECOVERED
    until = _until(desk, record, verification, now)
    over = until is None or now >= until
    again = not over and (whole or not well)
    first_time = record.verification is None
    changed = first_time or record.verification != verification
    turned = record.verification is None or record.verification.outcome is not verification.outcome
    record = replace(
        record,
        verification=verification,
        verify_until=until,
        verify_at=now + _pause(record, now) if again else None,
        owner="",
        lease_until=None,
        changed_at=now,
    )
    tx.actions.save(record)
    if changed:
        tell_action(tx, record, now)
    if turned or not again:
        detail = {"outcome": verification.outcome.value, "why": verification.why, "final": not again}
        audit(tx, record, "verified", actor="engine", now=now, detail=detail)
    if not again:
        _conclude(tx, desk, record, now)
    return record


def _pause(record: ActionRecord, now: datetime) -> timedelta:
    over = (now - (record.finished_at or now)).total_seconds()
    return timedelta(seconds=min(LOOK_AGAIN_SECONDS, max(SOONEST_LOOK_SECONDS, over)))


def _until(desk: Desk, record: ActionRecord, verification: Verification, now: datetime) -> datetime | None:
    """Return until when it is looked again; once more after a look that was late and found that it did not help.

    What was late is the machine: a bot that stood still with it is frozen then, and trades a moment later.
    """
    until, planned = record.verify_until, record.verify_at
    if until is None or planned is None or verification.outcome is not VerificationOutcome.PERSISTING:
        return until
    longest = max(desk.triage.verify_after_seconds, desk.triage.health_watch_seconds)
    prolonged = record.finished_at is not None and until > record.finished_at + timedelta(seconds=longest)
    late = now - planned > timedelta(seconds=LATE_SECONDS)
    return max(until, now + timedelta(seconds=2 * LOOK_AGAIN_SECONDS)) if late and not prolonged else until


def mitigates(verification: Verification) -> bool:
    """Say whether an incident is mitigated by it: never while the bots that should trade stand."""
    effective = verification.outcome is VerificationOutcome.EFFECTIVE and verification.trades is True
    return verification.outcome is VerificationOutcome.RECOVERED or effective


def _conclude(tx: Tx, desk: Desk, record: ActionRecord, now: datetime) -> None:
    verification = record.verification
    if verification is None:  # pragma: no cover - called with one
        return
    why = f": {verification.why}" if verification.why else ""
    what = f"{action_title(record.kind, record.target)} verified: {verified_words(record)}{why}"
    tell_story(tx, record, what, key="verified", now=now)
    if mitigates(verification):
        _release(tx, record, now)
    if verification.outcome is VerificationOutcome.PERSISTING:
        for offer in CATALOGUE[record.kind].follow_ups(record, tx.actions.steps(record.id)):
            follow_up(tx, desk, record, offer, now)
    _mitigate(tx, record, verification, now)


def returned(tx: Tx, record: ActionRecord, verification: Verification, now: datetime) -> None:
    """Store and tell that trading came back after the verification had ended without it."""
    ended = record.finished_at or record.changed_at
    late = f"seen {duration((now - ended).total_seconds())} after the action"
    why = ", ".join(filter(None, (verification.why, late)))
    verification = replace(verification, why=why)
    record = replace(record, verification=verification, changed_at=now)
    tx.actions.save(record)
    tell_action(tx, record, now)
    detail = {"outcome": verification.outcome.value, "why": why, "final": True}
    audit(tx, record, "verified", actor="engine", now=now, detail=detail)
    what = f"{action_title(record.kind, record.target)}, once more: {verified_words(record)}: {why}"
    tell_story(tx, record, what, key="returned", now=now)
    if mitigates(verification):
        _release(tx, record, now)
    _mitigate(tx, record, verification, now)


def _release(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Resolve the incident that only degraded mode kept open, now that it is left and the bots trade."""
    incident = tx.incidents.get(record.incident_id) if record.incident_id is not None else None
    left = record.kind == "exit_degraded_mode" and record.status is ActionStatus.SUCCEEDED
    if incident is None or not left or tx.incidents.counts(incident.id)[0]:
        return
    change = resolve(incident, now=now, why="its alerts are over and degraded mode was left")
    if change is None:
        return
    tx.incidents.save(change.incident)
    tell_line(tx, change.entry, now)
    tell_card(tx, change.incident, now)
    ask(tx, change.incident, now)
    detail = {"title": incident.title, "severity": incident.severity.value}
    tx.audit.append(at=now, actor="triage", event="incident.resolve", target=incident.number, detail=detail)


def _fires_since(tx: Tx, incident: Incident, record: ActionRecord) -> bool:
    """Say whether something of the incident fires that began after the action ended: that it did not mitigate."""
    ended = record.finished_at or record.changed_at
    return any(one.firing and one.starts_at > ended for one in tx.incidents.episodes([incident.id]))


def _mitigate(tx: Tx, record: ActionRecord, verification: Verification, now: datetime) -> None:
    incident = tx.incidents.get(record.incident_id) if record.incident_id is not None else None
    if incident is None or not mitigates(verification) or _fires_since(tx, incident, record):
        return
    if record.kind != "degraded_mode" and degraded.degraded_on(tx, incident.id):
        return  # one thing is well again on a desk that runs without its external services
    if record.status is ActionStatus.SUCCEEDED:
        remedy = f"{action_title(record.kind, record.target)} by {confirmed_by(tx, record)}"
        change = mitigate(incident, what=remedy, now=now)
        if change is not None:
            tx.incidents.save(change.incident)
            detail = {"why": remedy, "action": record.id}
            tx.audit.append(
                at=now, actor="engine", event="incident.mitigate", target=incident.number, detail=detail
            )
            tell_line(tx, change.entry, now)
            tell_card(tx, change.incident, now)
