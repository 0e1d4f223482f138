"""A recorded case: an incident's evidence, and what a person said it was; as a file it can be judged anywhere.

``{"case": "INC-42", "title", "truth": {"cause", "also", "never", "text", "right", "forbidden", "at"} or null, "record"}``;
see ``triage.diagnosis.record`` for ``record``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from triage.desk import Desk
from triage.diagnosis.record import REBUILT, DeskFacts, Record, as_json, from_json, unpack
from triage.errors import BadInput
from triage.model import Episode, Incident, Json, Source, SubjectKind, TriageRun
from triage.plans.verification import VerificationOutcome
from triage.playbooks.lookup import playbook_for
from triage.ports.answers import CauseAnswer
from triage.ports.store import Tx


@dataclass(frozen=True, slots=True)
class CaseTruth:
    """What is true about a case.

    ``cause``: its name, empty where it is none of the known ones; ``also``: names that say the same of it; ``never``:
    causes that it certainly was not. ``right``: actions that were verified to help, each as ``kind target``, empty where
    none is known; ``forbidden``: actions that must not be offered, written by hand. ``text``: a person's own words.
    """

    cause: str = ""
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    text: str = ""
    right: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedCase:
    """One recorded triage; ``truth`` is None where nobody said what it was."""

    name: str
    title: str
    record: Record
    truth: CaseTruth | None = None

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON values."""
        truth = None if self.truth is None else _TRUTHS.dump_python(self.truth, mode="json")
        return {"case": self.name, "title": self.title, "truth": truth, "record": as_json(self.record)}


_TRUTHS: TypeAdapter[CaseTruth] = TypeAdapter(CaseTruth)


def case_from_json(data: object, name: str) -> RecordedCase:
    """Read a case, or a bare record, which is called ``name``. Raises BadInput."""
    if not isinstance(data, Mapping):
        raise BadInput("no recorded case: a JSON object was expected")
    if "record" not in data:
        return RecordedCase(name, name, from_json(data))
    try:
        truth = None if data.get("truth") is None else _TRUTHS.validate_python(data["truth"])
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(first["msg"], ".".join(("truth", *map(str, first["loc"])))) from error
    record = from_json(data["record"])
    called = str(data.get("case") or name)
    return RecordedCase(called, str(data.get("title") or called), record, truth)


def cases_of(tx: Tx, desk: Desk, incident_id: int, *, every: bool = False) -> tuple[RecordedCase, ...]:
    """Return an incident's newest triage as a case, or ``every`` one, oldest first. Raises BadInput where there is none."""
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise BadInput(f"there is no incident INC-{incident_id}", "INCIDENT")
    runs = tx.runs.done(incident_id, 1000 if every else 1)
    runs = [run for run in runs if run.findings]
    if not runs:
        raise BadInput(f"{incident.number} has no triage whose findings are kept", "INCIDENT")
    answer = tx.answers.of(incident_id)
    return tuple(
        RecordedCase(
            f"{incident.number} run {run.id}" if every else incident.number,
            incident.title,
            replace(_record(tx, desk, incident, run), verdict=run.verdict),
            truth_of(tx, incident, answer),
        )
        for run in runs
    )


def truth_of(tx: Tx, incident: Incident, answer: CauseAnswer | None) -> CaseTruth | None:
    """Return what a person's answer makes the truth; None where nobody gave one."""
    if answer is None:
        return None
    run = tx.runs.get(answer.run_id)
    stood = {each.cause for each in run.verdict.causes if each.stands} if run is not None else set()
    helped = tuple(
        f"{record.kind} {record.target}"
        for record in tx.actions.of_incident(incident.id)
        if record.verification is not None and record.verification.outcome is VerificationOutcome.RECOVERED
    )
    if answer.right:
        also = tuple(sorted(stood - {answer.cause}))
        return CaseTruth(answer.cause, also, text=answer.text, right=helped, at=answer.at)
    never = (answer.said,) if answer.said else ()
    return CaseTruth(answer.cause, never=never, text=answer.text, right=helped, at=answer.at)


def _record(tx: Tx, desk: Desk, incident: Incident, run: TriageRun) -> Record:
    content = tx.runs.evidence(run.id)
    return _rebuilt(tx, desk, incident, run) if content is None else unpack(content)


def _rebuilt(tx: Tx, desk: Desk, incident: Incident, run: TriageRun) -> Record:
    """Make a record of a run that an older version left without one; what changed since is not as it was."""
    episodes = tx.incidents.notable_episodes(incident.id)
    now = run.finished_at or run.started_at or run.requested_at
    bots = incident.bots or tuple(bot.name for bot in desk.bots)
    return Record(
        schema=REBUILT,
        made_at=now,
        run=run.id,
        facts=DeskFacts.of(desk),
        playbook=playbook_for(desk, incident.name, episodes[0].source if episodes else Source.OPERATOR),
        incident=incident,
        episodes=tuple(replace(each, firing=_fired(each, now)) for each in episodes if each.starts_at <= now),
        now=now,
        since=min((each.starts_at for each in episodes), default=incident.opened_at),
        bots=bots,
        containers=incident.names(SubjectKind.CONTAINER) or tuple(desk.container_of(bot) for bot in bots),
        findings=run.findings,
    )


def _fired(episode: Episode, now: datetime) -> bool:
    """Say whether an alert fired at a time; an event never does."""
    return not episode.is_event and (episode.ends_at is None or episode.ends_at > now)
