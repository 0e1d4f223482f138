"""Which open incident an action belongs to that a person asks for by name."""

from __future__ import annotations

from triage.actions.catalogue import CATALOGUE
from triage.desk import Desk
from triage.memory.degraded_mode import degraded
from triage.model import Incident, Subject, SubjectKind
from triage.ports.store import Tx

_DEGRADED = ("degraded_mode", "exit_degraded_mode")


def incident_about(tx: Tx, desk: Desk, kind: str, target: str) -> int | None:
    """Return the newest open incident that an action is about, None where there is none.

    The one whose triage proposes the action comes first, then one about its target. Degraded mode is about the
    external services, and the way out of it belongs where it was entered.
    """
    open_ones = tx.incidents.open()
    state = degraded(tx) if kind == "exit_degraded_mode" else None
    proposing = {one.incident_id for one in tx.actions.proposed() if (one.kind, one.target) == (kind, target)}
    places = _places(desk, kind, target)
    rules = (
        [one for one in open_ones if state is not None and one.id == state.incident_id],
        [one for one in open_ones if one.id in proposing],
        [one for one in open_ones if places & set(one.subjects)],
    )
    found: list[Incident] = next((each for each in rules if each), [])
    return max((one.id for one in found), default=None)


def _places(desk: Desk, kind: str, target: str) -> set[Subject]:
    containers = {desk.container_of(target)}
    if kind in _DEGRADED:
        containers |= set(CATALOGUE["degraded_mode"].stopped(desk))
    return {Subject(SubjectKind.BOT, target), *(Subject(SubjectKind.CONTAINER, one) for one in containers)}


__all__ = ["incident_about"]
