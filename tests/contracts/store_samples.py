"""Things to store, with every field that a test does not care about filled in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.fakes.clock import START
from tests.fakes.episodes import firing
from triage.model import (
    Episode,
    Finding,
    FindingStatus,
    Incident,
    IncidentStatus,
    Severity,
    Signal,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
    TimelineEntry,
    TimelineKind,
)
from triage.ports.store import MessageKind, Tx

NOW = START
BOT1, BOT2 = Subject(SubjectKind.BOT, "bot1"), Subject(SubjectKind.BOT, "bot2")
HOSTILE = "nul \0 · half a pair \ud800 · emoji 🦜 · right to left \u202e · quote ' \" \\ ; -- %s {x} \\u0000"
"""What no database may choke on; the NUL and the half pair may come back as replacement characters."""


def later(seconds: float) -> datetime:
    """Return a time so many seconds after the start."""
    return NOW + timedelta(seconds=seconds)


def signal(episode: str = "e1", status: SignalStatus = SignalStatus.FIRING, **changes: object) -> Signal:
    """Make a signal of bot1."""
    values: dict[str, object] = {
        "source": Source.ALERTMANAGER,
        "episode": episode,
        "status": status,
        "name": "BotHardStopActive",
        "subject": BOT1,
        "severity": Severity.SEV1,
        "starts_at": NOW,
        "received_at": NOW,
        "labels": {"bot": "bot1"},
        "annotations": {"summary": "it stopped"},
        "generator_url": "http://prometheus/graph?g0.expr=x",
        "fingerprint": episode,
        "data": {"deep": [1, {"a": None}]},
    }
    return Signal(**{**values, **changes})  # type: ignore[arg-type] # fields by name, as the caller chose


def incident(**changes: object) -> Incident:
    """Make a new incident of bot1."""
    values: dict[str, object] = {
        "id": 0,
        "title": "bot1 hard_stop",
        "name": "BotHardStopActive",
        "subjects": (BOT1,),
        "severity": Severity.SEV1,
        "status": IncidentStatus.TRIGGERED,
        "opened_at": NOW,
        "changed_at": NOW,
    }
    return Incident(**{**values, **changes})  # type: ignore[arg-type] # fields by name, as the caller chose


def episode(incident_id: int, which: str = "e1", **changes: object) -> Episode:
    """Make a firing episode of an incident."""
    made = firing("BotHardStopActive", BOT1, NOW, incident_id=incident_id, episode=which)
    return replace(made, **{"labels": {"bot": "bot1"}, "fingerprint": which, **changes})  # type: ignore[arg-type] # as above


def line(incident_id: int, text: str = "something", **changes: object) -> TimelineEntry:
    """Make a timeline entry."""
    values: dict[str, object] = {
        "incident_id": incident_id,
        "at": NOW,
        "recorded_at": NOW,
        "kind": TimelineKind.NOTE,
        "text": text,
    }
    return TimelineEntry(**{**values, **changes})  # type: ignore[arg-type] # fields by name, as the caller chose


def finding(**changes: object) -> Finding:
    """Make a finding."""
    values: dict[str, object] = {
        "name": "bot_state",
        "status": FindingStatus.CRITICAL,
        "headline": "hard_stop for 4 min",
        "source": "Prometheus",
        "why": "",
        "seconds": 0.25,
        "details": ("one", "two"),
        "data": {"state": "hard_stop"},
        "observed_at": NOW,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type] # fields by name, as the caller chose


def open_incident(tx: Tx, **changes: object) -> Incident:
    """Store an incident with its card."""
    saved = tx.incidents.save(incident(**changes))
    want_card(tx, saved)
    return saved


def want_card(tx: Tx, saved: Incident, *, urgency: int = 1, now: datetime = NOW) -> int:
    """Ask for an incident's card."""
    return tx.outbox.want(
        MessageKind.CARD, str(saved.id), channel="incidents", now=now, incident_id=saved.id, urgency=urgency
    )


def want_line(tx: Tx, saved: Incident, ref: str, *, now: datetime = NOW) -> int:
    """Ask for a line in an incident's thread."""
    return tx.outbox.want(
        MessageKind.LINE, ref, channel="incidents", now=now, incident_id=saved.id, in_thread=True, urgency=3
    )


def note(key: str) -> Callable[[Tx], str]:
    """Make a unit that puts a note down and answers with its key."""

    def work(tx: Tx) -> str:
        tx.notes.put(key, "there")
        return key

    return work
