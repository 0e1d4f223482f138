"""Answers that are sent later: kept as data, and owed to a channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from triage.incidents.notifications import INCIDENT_CHANNEL
from triage.model import Json
from triage.ports.chat import Answer, answer_to_json
from triage.ports.store import MessageKind, Tx


def keep_answer(tx: Tx, kind: str, answer: Answer, now: datetime) -> int:
    """Keep an answer as a document. Returns the document's id, for ``MessageKind.DOCUMENT`` or ``DIGEST``."""
    return tx.notes.save_document(kind, _data(answer), made_at=now)


def owe_answer(tx: Tx, kind: str, answer: Answer, now: datetime) -> int:
    """Keep an answer, and ask for it in the channel of incidents. Returns the document's id."""
    document = keep_answer(tx, kind, answer, now)
    tx.outbox.want(MessageKind.DOCUMENT, str(document), channel=INCIDENT_CHANNEL, now=now)
    return document


def rewrite_answer(tx: Tx, document_id: int, answer: Answer) -> None:
    """Put another answer into a document; what is posted of it has to be wanted again."""
    tx.notes.rewrite_document(document_id, _data(answer))


def _data(answer: Answer) -> Mapping[str, Json]:
    return {"title": answer.summary, "text": answer.summary, "answer": answer_to_json(answer)}
