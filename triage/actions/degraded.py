"""Whether degraded mode is on: remembered here, because Redis down is the very incident it is for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from triage.diagnosis.symptoms import family
from triage.model import Incident
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.ports.store import Tx

_KEY = "degraded_mode"
_OF_REDIS = frozenset({"redis", "redis_unwell"})


@dataclass(frozen=True, slots=True)
class Degraded:
    """Since when it is on and by which action; ``sure`` is False while an action did not come to its end."""

    since: datetime
    action_id: int
    sure: bool


def degraded(tx: Tx) -> Degraded | None:
    """Return the state of degraded mode, None when it is off."""
    return tx.notes.parsed(_KEY, _read)


def degraded_since(tx: Tx) -> datetime | None:
    """Return since when degraded mode is on, also where its action did not come to its end; None when it is off."""
    state = degraded(tx)
    return state.since if state is not None else None


def _read(text: str) -> Degraded:
    values = json.loads(text)
    return Degraded(datetime.fromisoformat(values["since"]), values["action"], values["sure"])


def banner(tx: Tx) -> str:
    """Return the line that stands on every incident and in App Home while it is on; empty when it is off."""
    state = degraded(tx)
    if state is None:
        return ""
    since = f"since {state.since:%Y-%m-%d %H:%M} UTC"
    if not state.sure:
        return f"Degraded mode may be on {since}: the action did not come to its end"
    return f"Degraded mode is on {since}: no external signals, local safeguards active"


def redis_came_back(tx: Tx, incident: Incident) -> bool:
    """Whether degraded mode was entered on this incident and Redis is seen to be well again since.

    An alert of Redis' own must have cleared since then and none may fire in any incident: that nobody says that
    Redis is down is no proof, because who would say so may be away.
    """
    state = degraded(tx)
    record = tx.actions.get(state.action_id) if state is not None else None
    if state is None or record is None or record.incident_id != incident.id:
        return False
    # Its alert may have been an incident of its own, which is over by then.
    among = {incident.id, *(one.id for one in tx.incidents.recent(state.since))}
    about = [one for one in tx.incidents.episodes(among) if not one.is_event and family(one) in _OF_REDIS]
    cleared = any(one.ends_at is not None and one.ends_at > state.since for one in about)
    return cleared and not any(one.firing for one in about)


def begun(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Degraded mode is being entered: from the first stop on, the external stack is not whole."""
    if record.kind == "degraded_mode" and degraded(tx) is None:
        _put(tx, Degraded(now, record.id, sure=False))


def ended(tx: Tx, record: ActionRecord, steps: list[StepRecord]) -> None:
    """Take note of how an action ended that enters or leaves degraded mode."""
    state = degraded(tx)
    begun_steps = {StepStatus.DONE, StepStatus.FAILED, StepStatus.UNKNOWN}
    touched = any(step.number > 0 and step.status in begun_steps for step in steps)
    if record.kind == "degraded_mode" and state is not None and state.action_id == record.id:
        if record.status is ActionStatus.SUCCEEDED:
            _put(tx, Degraded(state.since, record.id, sure=True))
        elif not touched:
            tx.notes.put(_KEY, "")
    if record.kind == "exit_degraded_mode" and record.status is ActionStatus.SUCCEEDED:
        tx.notes.put(_KEY, "")


def _put(tx: Tx, state: Degraded) -> None:
    values = {"since": state.since.isoformat(), "action": state.action_id, "sure": state.sure}
    tx.notes.put(_KEY, json.dumps(values))
