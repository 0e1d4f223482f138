"""What the newest triage has against an action that a person asks for by name: shown in the plan, decided by the person."""

from __future__ import annotations

from triage.actions.catalogue import CATALOGUE
from triage.actions.fitness import is_about
from triage.desk import Desk
from triage.diagnosis.facts import Facts
from triage.model import Incident, RunStatus, SubjectKind
from triage.plans.plan import DESK, Holds, Precondition
from triage.plans.record import ActionRecord
from triage.ports.store import Tx


def objections(tx: Tx, desk: Desk, record: ActionRecord) -> tuple[Precondition, ...]:
    """Return the action's contraindications by the findings of the newest triage about its target; as warnings."""
    incident = _incident_of(tx, desk, record)
    run = tx.runs.latest(incident.id, RunStatus.DONE) if incident is not None else None
    if incident is None or run is None or record.parent_id is not None:
        return ()
    facts = Facts(
        desk=desk,
        now=run.finished_at or run.requested_at,
        since=incident.opened_at,
        bots=incident.bots or tuple(bot.name for bot in desk.bots),
        containers=(desk.container_of(record.target),),
        findings={finding.name: finding for finding in run.findings},
        episodes=tuple(tx.incidents.notable_episodes(incident.id)),
    )
    fitness = CATALOGUE[record.kind].fitness
    said = list(fitness.contraindications(facts, record.target))
    said += [
        fitness.not_while[cause.cause]
        for cause in run.verdict.causes
        if cause.stands and cause.cause in fitness.not_while and is_about(desk, cause, record.target)
    ]
    return tuple(
        Precondition(f"speaks against it, by the triage of {incident.number}: {why}", Holds.WARNING)
        for why in dict.fromkeys(said)
    )


def _incident_of(tx: Tx, desk: Desk, record: ActionRecord) -> Incident | None:
    if record.incident_id is not None:
        return tx.incidents.get(record.incident_id)
    container = desk.container_of(record.target)
    about = [
        each
        for each in tx.incidents.open()
        if record.target == DESK
        or record.target in each.bots
        or container in each.names(SubjectKind.CONTAINER)
    ]
    return about[-1] if about else None
