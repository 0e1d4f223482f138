"""Whether degraded mode is on, by which action and on which incident: remembered here, because Redis may be down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from triage.plans.record import ActionStatus
from triage.ports.store import Tx

_KEY = "degraded_mode"


@dataclass(frozen=True, slots=True)
class Degraded:
    """Since when it is on, by which action, on which incident (None: on none).

    ``sure`` is False while an action did not come to its end.
    """

    since: datetime
    action_id: int
    sure: bool
    incident_id: int | None = None


def degraded(tx: Tx) -> Degraded | None:
    """Return the state of degraded mode, None when it is off."""
    return tx.notes.parsed(_KEY, _read)


def put_degraded(tx: Tx, state: Degraded | None) -> None:
    """Remember it; None: it is off."""
    if state is None:
        tx.notes.put(_KEY, "")
        return
    values = {
        "since": state.since.isoformat(),
        "action": state.action_id,
        "sure": state.sure,
        "incident": state.incident_id,
    }
    tx.notes.put(_KEY, json.dumps(values))


def degraded_on(tx: Tx, incident_id: int) -> bool:
    """Whether degraded mode was entered on this incident and is on still: then the incident is not over."""
    state = degraded(tx)
    return state is not None and state.incident_id == incident_id


def being_left(tx: Tx, incident_id: int) -> bool:
    """Whether degraded mode was left on this incident, and it is still looked whether the bots trade again."""
    return any(
        one.kind == "exit_degraded_mode"
        and one.status is ActionStatus.SUCCEEDED
        and one.verify_at is not None
        for one in tx.actions.of_incident(incident_id)
    )


def _read(text: str) -> Degraded:
    values = json.loads(text)
    since = datetime.fromisoformat(values["since"])
    return Degraded(since, values["action"], values["sure"], values.get("incident"))
