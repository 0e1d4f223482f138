"""Degraded mode as actions turn it on and off, what is said of it, and when it is time to leave it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from triage.diagnosis.symptoms import family
from triage.memory.degraded_mode import Degraded, degraded, degraded_on, put_degraded
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.ports.store import Tx

ENDS_IT = frozenset({"exit_degraded_mode", "start_desk"})
"""Kinds after whose success degraded mode is off: what it stopped runs again."""
_OF_REDIS = frozenset({"redis", "redis_unwell"})


def degraded_words(state: Degraded, now: datetime) -> str:
    """Return ``Degraded mode is on since 03:14 UTC``, with the day where it is not today."""
    day = "" if state.since.date() == now.date() else f"{state.since:%-d %b} "
    return f"Degraded mode {'is' if state.sure else 'may be'} on since {day}{state.since:%H:%M} UTC"


def degraded_since(tx: Tx) -> datetime | None:
    """Return since when degraded mode is on; None while it is off, or its action did not come to its end.

    What stands still then may stand for another reason: only the mode that is surely on explains it.
    """
    state = degraded(tx)
    return state.since if state is not None and state.sure else None


def banner(tx: Tx, now: datetime) -> str:
    """Return the line that stands in status, in the digest and in App Home while it is on; empty when it is off."""
    state = degraded(tx)
    if state is None:
        return ""
    what = (
        "no external signals, local safeguards active" if state.sure else "the action did not come to its end"
    )
    return f"{degraded_words(state, now)}: {what}"


def redis_came_back(tx: Tx) -> bool:
    """Whether degraded mode is on and Redis is seen to be well again since.

    An alert of Redis' own must have cleared since then and none may fire in any incident: that nobody says that
    Redis is down is no proof, because who would say so may be away.
    """
    state = degraded(tx)
    if state is None:
        return False
    # Its alert may have been an incident of its own, which is over by then.
    among = {one.id for one in (*tx.incidents.open(), *tx.incidents.recent(state.since))}
    about = [one for one in tx.incidents.episodes(among) if not one.is_event and family(one) in _OF_REDIS]
    cleared = any(one.ends_at is not None and one.ends_at > state.since for one in about)
    return cleared and not any(one.firing for one in about)


def begun(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Degraded mode is being entered: from the first stop on, the external stack is not whole."""
    if record.kind == "degraded_mode" and degraded(tx) is None:
        put_degraded(tx, Degraded(now, record.id, sure=False, incident_id=record.incident_id))


def ended(tx: Tx, record: ActionRecord, steps: list[StepRecord]) -> None:
    """Take note of how an action ended that enters or leaves degraded mode."""
    state = degraded(tx)
    begun_steps = {StepStatus.DONE, StepStatus.FAILED, StepStatus.UNKNOWN}
    touched = any(step.number > 0 and step.status in begun_steps for step in steps)
    if record.kind == "degraded_mode" and state is not None and state.action_id == record.id:
        if record.status is ActionStatus.SUCCEEDED:
            put_degraded(tx, replace(state, sure=True))
        elif not touched:
            put_degraded(tx, None)
    if record.kind in ENDS_IT and record.status is ActionStatus.SUCCEEDED:
        put_degraded(tx, None)


__all__ = [
    "ENDS_IT",
    "Degraded",
    "banner",
    "begun",
    "degraded",
    "degraded_on",
    "degraded_since",
    "degraded_words",
    "ended",
    "redis_came_back",
]
