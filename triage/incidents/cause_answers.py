"""What a person says the cause was. Units of a ``Tx``; each answers with a sentence for the person.

Who may answer is asked before, in ``triage.roles``: whoever may acknowledge. An answer decides the bot's own hit rate,
what is shown of past incidents, and the truth of a lab case; it does nothing to the desk.
"""

from __future__ import annotations

from datetime import datetime

from triage.diagnosis.causes import NAMES
from triage.errors import Refused
from triage.incidents.feedback import said_by, want_question
from triage.incidents.notifications import tell_line
from triage.incidents.operations import OperationResult
from triage.incidents.traits import note_traits
from triage.model import Incident, TimelineEntry, TimelineKind, TriageRun
from triage.ports.answers import CauseAnswer
from triage.ports.store import Tx
from triage.untrusted_text import one_line

WHAT = "say what the cause was"
"""Ends ``You may not …``."""
TEXT_MAX = 300
NOT_KNOWN, SOMETHING_ELSE = "not known", "something else"
"""What a person may choose beside the names of causes."""
CHOICES = (*NAMES, SOMETHING_ELSE, NOT_KNOWN)


def confirm(tx: Tx, key: str, *, actor: str, now: datetime) -> OperationResult:
    """Write down that the verdict was right. Raises Refused."""
    incident, run = asked_about(tx, key)
    said = said_by(run)
    if not said:
        raise Refused(f"No cause was named for {incident.number}: please say what it was.")
    return _store(tx, incident, run, actor=actor, now=now, right=True, cause=said, text="")


def correct(tx: Tx, key: str, *, actor: str, cause: str, text: str, now: datetime) -> OperationResult:
    """Write down what it was instead: the name of a cause, or one of the other choices with a text. Raises Refused."""
    incident, run = asked_about(tx, key)
    text = one_line(text, TEXT_MAX) if text.strip() else ""
    if cause not in CHOICES:
        raise Refused("Choose one of the list.")
    if cause == SOMETHING_ELSE and not text:
        raise Refused("Please write what it was.")
    known = cause if cause in NAMES else ""
    right = bool(known) and known == said_by(run)
    return _store(tx, incident, run, actor=actor, now=now, right=right, cause=known, text=text)


def in_words(cause: str) -> str:
    """Return the name of a cause as it is read: ``credentials refused``."""
    return cause.replace("_", " ")


def answer_in_words(answer: CauseAnswer) -> str:
    """Return an answer in words, behind its person's name."""
    if answer.right:
        return f"says that the verdict was right: {in_words(answer.said)}"
    what = in_words(answer.cause) if answer.cause else ""
    it_was = ": ".join(part for part in (what, answer.text) if part)
    if answer.said:
        return f"says that it was not {in_words(answer.said)}" + (f" but {it_was}" if it_was else "")
    return f"says that it was {it_was}" if it_was else "does not know what it was either"


def asked_about(tx: Tx, key: str) -> tuple[Incident, TriageRun]:
    """Return the incident that a question's key is about, and the run whose verdict was shown. Raises Refused."""
    handle, _, number = key.partition(":")
    incident = tx.incidents.by_handle(handle) if handle else None
    run = tx.runs.get(int(number)) if number.isascii() and number.isdigit() else None
    if incident is None or run is None or run.incident_id != incident.id:
        raise Refused("I do not know this question (any more).")
    if incident.is_open:
        raise Refused(f"{incident.number} came back: I ask again when it is over.")
    return incident, run


def _store(
    tx: Tx,
    incident: Incident,
    run: TriageRun,
    *,
    actor: str,
    now: datetime,
    right: bool,
    cause: str,
    text: str,
) -> OperationResult:
    said = said_by(run)
    strength = next((each.strength for each in run.verdict.causes if each.stands), "")
    answer = CauseAnswer(
        incident_id=incident.id,
        run_id=run.id,
        at=now,
        actor=actor,
        right=right,
        said=said,
        strength=strength,
        cause=cause,
        text=text,
    )
    before = tx.answers.of(incident.id)
    if before is not None and (before.run_id, before.right, before.cause, before.text) == (
        run.id,
        right,
        cause,
        text,
    ):
        return OperationResult(changed=False, text="That is what stands there already. Thank you.")
    tx.answers.put(answer)
    note_traits(tx, incident, run)
    words = answer_in_words(answer)
    detail = {"run": run.id, "said": said, "right": right, "cause": cause, "text": text}
    tx.audit.append(at=now, actor=actor, event="incident.cause", target=incident.number, detail=detail)
    tell_line(
        tx,
        TimelineEntry(
            incident_id=incident.id,
            at=now,
            recorded_at=now,
            kind=TimelineKind.NOTE,
            text=words,
            actor=actor,
            source="operator",
            in_thread=False,
            data=detail,
        ),
        now,
    )
    want_question(tx, incident, now)
    return OperationResult(changed=True, text="Thank you, noted.")
