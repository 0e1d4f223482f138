"""After it is over the thread asks, once and quietly, whether the verdict was right. Units of a ``Tx``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage.drill_alert import ALERTNAME as DRILL
from triage.incidents.notifications import INCIDENT_CHANNEL, LINE_URGENCY
from triage.incidents.storm import part_of_storm
from triage.model import Cause, Incident, RunStatus, TriageRun
from triage.ports.answers import CauseAnswer
from triage.ports.store import MessageKind, Tx

ASK_AFTER_SECONDS = 10.0
"""What comes back within so many seconds is not asked about meanwhile."""


class QuestionState(StrEnum):
    """What the thread's question shows."""

    ASKED = "asked"
    ANSWERED = "answered"
    CAME_BACK = "came back"


@dataclass(frozen=True, slots=True)
class Question:
    """The question of an incident: which verdict of which ``run`` it is about, and what was answered, if anything.

    ``causes``: those that the verdict named, the first one is asked about; empty where it named none.
    """

    incident: Incident
    handle: str
    run: TriageRun
    state: QuestionState
    causes: tuple[Cause, ...]
    answer: CauseAnswer | None = None

    @property
    def key(self) -> str:
        """What its buttons carry: the incident's opaque id, and the run it is about."""
        return f"{self.handle}:{self.run.id}"


def ask(tx: Tx, incident: Incident, now: datetime) -> None:
    """Owe the question of an incident that is over, or its edit; nothing where there is nothing to ask.

    Of what a storm tells of, the storm is asked about instead.
    Whether the desk wants to be asked at all is looked up when it is sent.
    """
    if incident.is_open or incident.name == DRILL or part_of_storm(tx, incident):
        return
    run = tx.runs.latest(incident.id, RunStatus.DONE)
    if run is None or not run.verdict.causes:
        return
    want_question(tx, incident, now, wait_seconds=ASK_AFTER_SECONDS)


def asked_again(tx: Tx, incident: Incident, now: datetime) -> None:
    """Edit the question of an incident that came back, where it was asked."""
    if tx.outbox.find(MessageKind.FEEDBACK, str(incident.id)) is not None:
        want_question(tx, incident, now)


def question_of(tx: Tx, incident_id: int) -> Question | None:
    """Return what the question shows now; None where it is not shown (before it was ever asked, while it is open)."""
    incident = tx.incidents.get(incident_id)
    run = tx.runs.latest(incident_id, RunStatus.DONE)
    if incident is None or run is None or not run.verdict.causes:
        return None
    answer = tx.answers.of(incident_id)
    if incident.is_open:
        message = tx.outbox.find(MessageKind.FEEDBACK, str(incident_id))
        if message is None or not message.post_id:
            return None
        state = QuestionState.CAME_BACK
    else:
        # An answer of before it came back is one to another verdict, where that has changed.
        same = answer is not None and (answer.run_id == run.id or answer.said == said_by(run))
        state = QuestionState.ANSWERED if same else QuestionState.ASKED
    standing = tuple(each for each in run.verdict.causes if each.stands)
    return Question(
        incident=incident,
        handle=tx.incidents.handle(incident_id),
        run=run,
        state=state,
        causes=standing,
        answer=answer,
    )


def said_by(run: TriageRun) -> str:
    """Return the first cause that a verdict names; empty where it names none."""
    return next((each.cause for each in run.verdict.causes if each.stands), "")


def want_question(tx: Tx, incident: Incident, now: datetime, *, wait_seconds: float = 0.0) -> None:
    """Owe the question, or its edit."""
    tx.outbox.want(
        MessageKind.FEEDBACK,
        str(incident.id),
        channel=INCIDENT_CHANNEL,
        now=now,
        incident_id=incident.id,
        in_thread=True,
        urgency=LINE_URGENCY,
        wait_seconds=wait_seconds,
    )
