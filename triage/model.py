"""The nouns of the domain as frozen dataclasses. Times are aware datetimes in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Json = Any
"""A value of JSON: what the store keeps of evidence. Its shape is written where it is made."""


class Severity(StrEnum):
    """The desk's own scale; the order of ``rank`` is the order of urgency."""

    SEV1 = "Sev-1"
    """Trading safety at risk."""
    SEV2 = "Sev-2"
    """Execution degraded but controlled."""
    SEV3 = "Sev-3"
    """Observability, docs, tooling."""

    @property
    def rank(self) -> int:
        """1 (most urgent) to 3."""
        return int(self.value[-1])


def worst(*severities: Severity) -> Severity:
    """Return the most urgent of the severities (at least one)."""
    return min(severities, key=lambda severity: severity.rank)


class SubjectKind(StrEnum):
    """What kind of thing an incident is about."""

    BOT = "bot"
    CONTAINER = "container"
    HOST = "host"
    DESK = "desk"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """The thing a signal or an incident is about, e.g. ``bot bot1`` or ``host node-1:9100``."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return self.name if self.kind is not SubjectKind.DESK else f"desk ({self.name})"


class Source(StrEnum):
    """Where a signal came from."""

    ALERTMANAGER = "alertmanager"
    AUDIT = "audit"
    DEAD_LETTER = "dead_letter"
    CONTAINER = "container"
    STREAMS = "streams"
    WATCHDOG = "watchdog"
    CHECKLIST = "checklist"
    OPERATOR = "operator"


class SignalStatus(StrEnum):
    """An alert fires and resolves; an event only happens."""

    FIRING = "firing"
    RESOLVED = "resolved"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Signal:
    """Any event, normalised.

    ``episode`` names one life of the thing from firing to resolved: ``fingerprint/startsAt`` for an
    alert, the event's own id for an event. ``(source, episode, status)`` is the key by which a repeat is
    known; a resolve is also told apart by when it ended: an alert may end, fire on and end again; and an alert by
    what it says of what, for a sender that is no Alertmanager may give two alerts one fingerprint.
    """

    source: Source
    episode: str
    status: SignalStatus
    name: str
    subject: Subject
    severity: Severity
    starts_at: datetime
    received_at: datetime
    ends_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    generator_url: str = ""
    fingerprint: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The idempotency key: two signals with one key are one signal."""
        key = f"{self.source}/{self.episode}/{self.status}"
        if self.fingerprint:
            key = f"{key}/{self.name}/{self.subject.name}"
        if self.status is SignalStatus.RESOLVED and self.ends_at is not None:
            return f"{key}/{self.ends_at.isoformat(timespec='milliseconds')}"
        return key


class IncidentStatus(StrEnum):
    """triggered → acknowledged → mitigated → resolved; a resolved one can reopen as triggered."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class IncidentShape(StrEnum):
    """How wide an incident is."""

    SINGLE = "single"
    """One subject."""
    WIDE = "wide"
    """The same thing on several subjects: desk-wide."""
    STORM = "storm"
    """Too many at once: one rolling incident that counts them."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Signals that belong together.

    ``id`` is 0 before the store gave one. ``subjects`` names all it touches, the first one first.
    ``quiet``: a person closed it while its alerts still fire; it says nothing until they resolve.
    """

    id: int
    title: str
    name: str
    subjects: tuple[Subject, ...]
    severity: Severity
    status: IncidentStatus
    opened_at: datetime
    changed_at: datetime
    shape: IncidentShape = IncidentShape.SINGLE
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    reopened: int = 0
    quiet: bool = False
    last_seen_at: datetime | None = None

    @property
    def number(self) -> str:
        """What people call it: ``INC-42``."""
        return f"INC-{self.id}"

    @property
    def is_open(self) -> bool:
        """Not resolved."""
        return self.status is not IncidentStatus.RESOLVED

    @property
    def subject(self) -> Subject:
        """The first subject: the one that opened it."""
        return self.subjects[0]

    def names(self, kind: SubjectKind) -> tuple[str, ...]:
        """Return the names of the subjects of one kind, in the order they joined."""
        return tuple(subject.name for subject in self.subjects if subject.kind is kind)

    @property
    def bots(self) -> tuple[str, ...]:
        """The bots it touches; empty when it is about none."""
        return self.names(SubjectKind.BOT)


@dataclass(frozen=True, slots=True)
class Episode:
    """One life of one alert (or one event) inside an incident, with its last known facts."""

    incident_id: int
    source: Source
    episode: str
    name: str
    subject: Subject
    severity: Severity
    firing: bool
    starts_at: datetime
    ends_at: datetime | None
    last_seen_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    generator_url: str = ""
    fingerprint: str = ""
    is_event: bool = False


class TimelineKind(StrEnum):
    """What happened, on an incident's timeline."""

    OPENED = "opened"
    JOINED = "joined"
    WIDENED = "widened"
    CLEARED = "cleared"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED_WHILE_FIRING = "closed_while_firing"
    SILENCED = "silenced"
    TRIAGED = "triaged"
    DENIED = "denied"
    NOTE = "note"
    EVENT = "event"
    CHANGE = "change"
    ACTION = "action"
    ESCALATED = "escalated"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's story.

    ``at`` is when it happened, ``recorded_at`` when we learned of it. ``text`` is untrusted and plain.
    ``key``, where given, makes the entry once only. ``in_thread``: it is worth a line in the thread.
    """

    incident_id: int
    at: datetime
    recorded_at: datetime
    kind: TimelineKind
    text: str
    actor: str = ""
    source: str = ""
    key: str = ""
    in_thread: bool = True
    data: Mapping[str, Json] = field(default_factory=dict)
    id: int = 0


class FindingStatus(StrEnum):
    """What a check says; there is no silent ok."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's answer.

    ``name`` is the check's, ``headline`` one line for a person, ``details`` further lines, ``source``
    who answered, ``why`` the reason of an unknown (else empty or a caveat), ``seconds`` how long it
    took, ``data`` the facts that diagnosis reads (documented in the check's module).
    """

    name: str
    status: FindingStatus
    headline: str
    source: str
    why: str = ""
    seconds: float = 0.0
    details: tuple[str, ...] = ()
    data: Mapping[str, Json] = field(default_factory=dict)
    observed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActionProposal:
    """An action of the catalogue that fits a verdict: its kind, its target (``bot1``, ``desk``), why."""

    kind: str
    target: str
    why: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cause:
    """One candidate cause: ``cause`` is its id, ``confidence`` 0 to 1, ``because`` the evidence in words.

    ``advice`` is the next step in one sentence; ``actions`` what of the catalogue would help.
    """

    cause: str
    headline: str
    confidence: float
    because: tuple[str, ...]
    advice: str = ""
    actions: tuple[ActionProposal, ...] = ()
    findings: tuple[str, ...] = ()
    strength: str = ""
    """certain | likely | possible; empty on a verdict of an older version."""
    stands: bool = False
    """It is part of the answer: several independent causes may stand together. The others are alternatives."""
    subject: str = ""
    """What it is about: ``bot1, bot2``, ``hbot-redis``."""
    against: tuple[str, ...] = ()
    """Evidence against it, in words."""
    explains: tuple[str, ...] = ()
    """The incident's alerts that it explains: ``BotHardStopActive bot1``."""
    follows: tuple[str, ...] = ()
    """Sentences of what is only a consequence of it."""
    settle: str = ""
    """What would settle the doubt: one command, or one look."""
    by_hand: str = ""
    """What a person does where no action fits."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A remedy of a believed cause that is not offered now, and why not."""

    kind: str
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Ranked causes, the most likely first, the actions that fit, and what could not be found out.

    ``unexplained``: alerts of the incident that no standing cause explains. ``withheld``: see ``Withheld``.
    """

    causes: tuple[Cause, ...] = ()
    actions: tuple[ActionProposal, ...] = ()
    unknowns: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    withheld: tuple[Withheld, ...] = ()

    @property
    def top(self) -> Cause | None:
        """The most likely cause, if any."""
        return self.causes[0] if self.causes else None


class RunStatus(StrEnum):
    """Life of a triage run."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class TriageRun:
    """One triage of one incident: which playbook ran, what it found, what it means."""

    id: int
    incident_id: int
    reason: str
    requested_at: datetime
    status: RunStatus
    playbook: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)


def utc(seconds: float) -> datetime:
    """Return the aware UTC datetime of a Unix time in seconds. Raises ValueError where it is no time, or too far off."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OSError, OverflowError) as error:  # the system's own word for what it cannot hold
        raise ValueError(f"{seconds:g} s is no time") from error
