"""Notices over the fallback channels: made once, kept as documents, tried again until each channel took them.

A notice's document holds ``title, text, severity, incidents, kind``; ``told``, once the threads know of it; and under
``channels`` for each channel ``attempts``, ``next_at``, ``sent_at``, ``error``, ``left_out``, ``only``: the recipients for
whom it is tried again, and ``refused`` where the channel refuses it for good and it is not tried again. An attempt is
claimed in a commit before anything is sent: a process that dies in it leaves an attempt that is made again ``LEASE``
later, under the same id, by which a receiver knows the repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loguru import logger

from triage.errors import FallbackFailure, PartlySent, RecordUnreadable
from triage.model import Incident, Json, Severity, worst
from triage.ports.fallback import Notice
from triage.ports.store import Document, Tx
from triage.wording import counted

KIND = "fallback_notice"
PENDING = "fallback/pending/"
SEND_SECONDS = 20.0
"""The deadline of one attempt."""
LEASE = timedelta(seconds=SEND_SECONDS + 10)
"""How long after an attempt began another one may be made: longer than its deadline, so that only a kill leads there."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
MOST_ATTEMPTS = 12
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class NoticeAttempt:
    """One claimed try to send a notice over one channel."""

    document: int
    channel: str
    number: int
    notice: Notice


def owe(tx: Tx, notice: Notice, channels: Sequence[str], now: datetime) -> int:
    """Owe a notice to every channel. Returns its document's id."""
    states: dict[str, Json] = {
        name: {"attempts": 0, "next_at": now.isoformat(), "sent_at": "", "error": "", "left_out": ""}
        for name in channels
    }
    data: dict[str, Json] = {
        "id": notice.id,
        "kind": notice.kind,
        "title": notice.title,
        "text": notice.text,
        "severity": notice.severity.value,
        "incidents": list(notice.incidents),
        "channels": states,
    }
    document = tx.notes.save_document(KIND, data, made_at=now)
    tx.notes.put(f"{PENDING}{document}", "pending")
    return document


def pending(tx: Tx) -> list[int]:
    """Return the documents that some channel has not taken yet."""
    return sorted(int(key.removeprefix(PENDING)) for key, value in tx.notes.all(PENDING).items() if value)


def claim_all(tx: Tx, now: datetime, wanted: Callable[[str], bool]) -> list[NoticeAttempt]:
    """Claim the attempts of every notice that are due; a notice that cannot be read keeps no other from being sent."""
    claimed = []
    for document in pending(tx):
        try:
            claimed += claim(tx, document, now, wanted)
        except RecordUnreadable as error:
            logger.debug("{error}: the other notices are sent", error=error)
    return claimed


def claim(tx: Tx, document: int, now: datetime, wanted: Callable[[str], bool]) -> list[NoticeAttempt]:
    """Claim the attempts of a notice that are due on the wanted channels; another process that asks gets none of them."""
    found = tx.notes.document_as(document, _read)
    if found is None:
        tx.notes.put(f"{PENDING}{document}", "")
        return []
    data, states, notice = found
    claimed = []
    for name, state in states.items():
        number = int(state["attempts"]) + 1
        is_due = not _is_done(state) and not _is_given_up(state) and _is_time(state, now)
        if wanted(name) and is_due and tx.notes.once("fallback_attempt", f"{document}/{name}/{number}", now):
            states[name] = {**state, "attempts": number, "next_at": (now + LEASE).isoformat()}
            only = tuple(state.get("only") or ())
            claimed.append(NoticeAttempt(document, name, number, replace(notice, only=only)))
    if claimed:
        tx.notes.rewrite_document(document, {**data, "channels": states})
    elif all(_is_done(each) or (_is_given_up(each) and _is_time(each, now)) for each in states.values()):
        tx.notes.put(f"{PENDING}{document}", "")  # a process was killed in the last try
    return claimed


def ended(
    tx: Tx,
    attempt: NoticeAttempt,
    now: datetime,
    *,
    failure: FallbackFailure | PartlySent | None = None,
    left_out: str = "",
) -> str:
    """Record how an attempt ended. Returns what the threads are to be told, or nothing.

    ``failure``: why it did not go out; None: it was sent, to all but ``left_out``. A wait that the receiver asks for is
    kept, up to the longest of ours.

    They are told once every channel was tried, and again of a channel that took it later or was given up.
    """
    found = tx.notes.document(attempt.document)
    if found is None:
        return ""
    data = dict(found.data)
    states = _states(data)
    state = states[attempt.channel]
    wait = FIRST_WAIT * 2 ** (attempt.number - 1)
    after: dict[str, Json] = {"sent_at": now.isoformat(), "error": "", "left_out": left_out, "only": []}
    if isinstance(failure, PartlySent):
        after |= {"left_out": str(failure), "only": list(failure.waiting)}
    elif failure is not None:
        wait = max(wait, timedelta(seconds=failure.wait_seconds))
        after = {"error": str(failure), "refused": failure.for_good}
    states[attempt.channel] = {**state, **after, "next_at": (now + min(wait, LONGEST_WAIT)).isoformat()}
    known, is_tried = (
        bool(data.get("told")),
        all(each["sent_at"] or each["error"] for each in states.values()),
    )
    tx.notes.rewrite_document(attempt.document, {**data, "channels": states, "told": known or is_tried})
    if all(_is_done(each) or _is_given_up(each) for each in states.values()):
        tx.notes.put(f"{PENDING}{attempt.document}", "")
    if known and (not isinstance(failure, FallbackFailure) or _is_given_up(states[attempt.channel])):
        return _outcome({attempt.channel: states[attempt.channel]})
    return _outcome(states) if is_tried and not known else ""


def _is_done(state: Mapping[str, Json]) -> bool:
    return bool(state["sent_at"]) and not state.get("only")


def _is_given_up(state: Mapping[str, Json]) -> bool:
    return not _is_done(state) and (int(state["attempts"]) >= MOST_ATTEMPTS or bool(state.get("refused")))


def _outcome(states: Mapping[str, Mapping[str, Json]]) -> str:
    out = any(state["sent_at"] for state in states.values())
    said = "went out over the fallback channels" if out else "did not go out over the fallback channels"
    return f"{said}: {_words_of(states)}"


def delivery_words(tx: Tx, document: int) -> str:
    """Say how a notice stands: ``webhook sent 03:13:05, e-mail not sent: …``."""
    found = tx.notes.document(document)
    if found is None:
        return ""
    return _words_of(_states(dict(found.data)))


def _words_of(states: Mapping[str, Mapping[str, Json]]) -> str:
    words = []
    for name, state in states.items():
        if state["sent_at"]:
            tries = f" at try {state['attempts']}" if int(state["attempts"]) > 1 else ""
            at = datetime.fromisoformat(str(state["sent_at"]))
            again = f"; {_next(state)}" if state.get("only") else ""
            left_out = f" ({state['left_out']}{again})" if state.get("left_out") else ""
            words.append(f"{name} sent {at:%H:%M:%S}{tries}{left_out}")
        elif state["error"]:
            words.append(f"{name} not sent: {state['error']} ({_next(state)})")
        else:
            words.append(f"{name} not sent yet")
    return ", ".join(words)


def _next(state: Mapping[str, Json]) -> str:
    if state.get("refused"):
        return "refused for good, it is not tried again"
    return f"given up after {MOST_ATTEMPTS} tries" if _is_given_up(state) else "it is tried again"


def incidents_notice(tx: Tx, incidents: Sequence[Incident], *, kind: str, why: str, now: datetime) -> Notice:
    """Write the notice about some incidents, the gravest first."""
    ranked = sorted(incidents, key=lambda each: (each.severity.rank, each.id))
    first = ranked[0]
    more = f" and {counted(len(ranked) - 1, 'more incident')}" if len(ranked) > 1 else ""
    title = f"{first.severity} · {first.title} · {first.number}{more}"
    paragraphs = [_story(tx, incident, now) for incident in ranked[:_SHOWN]]
    if len(ranked) > _SHOWN:
        paragraphs.append(f"and {counted(len(ranked) - _SHOWN, 'more incident')}")
    return Notice(
        id=f"hbot-triage-{kind}-{first.id}-{first.reopened}-{int(now.timestamp())}",
        kind=kind,
        title=title,
        text="\n\n".join((why, *paragraphs)),
        severity=worst(*(incident.severity for incident in ranked)),
        incidents=tuple(incident.number for incident in ranked),
    )


def _story(tx: Tx, incident: Incident, now: datetime) -> str:
    firing, _ = tx.incidents.counts(incident.id)
    minutes = int((now - incident.opened_at).total_seconds() // 60)
    lines = [
        f"{incident.number} {incident.severity}: {incident.title}",
        f"since {incident.opened_at:%H:%M} UTC ({minutes} min), {counted(firing, 'alert')} firing, {incident.status}",
    ]
    run = tx.runs.latest(incident.id)
    cause = run.verdict.top if run is not None else None
    if cause is not None:
        lines += [f"Cause: {cause.headline}", *([f"Do: {cause.advice}"] if cause.advice else [])]
    return "\n".join(lines)


def _read(document: Document) -> tuple[dict[str, Json], dict[str, dict[str, Json]], Notice]:
    """Return a notice's document as it is stored, how it stands on each channel, and the notice."""
    data = dict(document.data)
    states = _states(data)
    for state in states.values():
        int(state["attempts"]), _at(state), state["sent_at"]  # one that lacks them cannot be sent
    return data, states, _notice(data)


def _states(data: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    return {name: dict(state) for name, state in data["channels"].items()}


def _at(state: Mapping[str, Json]) -> datetime:
    return datetime.fromisoformat(str(state["next_at"]))


def _is_time(state: Mapping[str, Json], now: datetime) -> bool:
    """Whether a try may be made; a time further off than any wait is one from before the clock was set back."""
    return not now < _at(state) <= now + LONGEST_WAIT


def _notice(data: Mapping[str, Json]) -> Notice:
    return Notice(
        id=str(data["id"]),
        kind=str(data["kind"]),
        title=str(data["title"]),
        text=str(data["text"]),
        severity=Severity(data["severity"]),
        incidents=tuple(data["incidents"]),
    )
