"""The memory: every read and write goes through a transaction (``Tx``) that ``Store`` opens.

A unit of work is a plain function of a ``Tx``; the store runs it in its writer thread, several units in
one commit. It may be run again after a failure that is known to have stored nothing, so it has no effect but on
the ``Tx`` and its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from triage.model import (
    Episode,
    Incident,
    Json,
    RunStatus,
    Severity,
    Signal,
    Source,
    Subject,
    TimelineEntry,
    TimelineKind,
    TriageRun,
)
from triage.ports.actions import Actions
from triage.ports.answers import Answers
from triage.ports.events import Events

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredSignal:
    """A signal with the id it was stored under; ids grow in the order of arrival.

    ``incident_id``: the incident it was shown in when it had been put aside.
    """

    id: int
    signal: Signal
    incident_id: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingSignal:
    """What of a signal in the inbox is text as it was stored: readable even where the signal is not."""

    id: int
    status: str
    name: str
    subject: str
    severity: str
    incident_id: int | None


class Signals(Protocol):
    """Signals as they came; the ones not yet sorted are the inbox of correlation."""

    def add(self, signals: Sequence[Signal]) -> int:
        """Store the signals; a repeat only moves ``last seen``. Returns how many were new."""
        ...

    def inbox(self, limit: int) -> list[StoredSignal]:
        """Return the oldest signals that are not sorted yet."""
        ...

    def waiting(self) -> int:
        """Return how many signals are not sorted yet."""
        ...

    def waiting_ids(self, limit: int) -> list[int]:
        """Return the ids of the oldest signals that are not sorted yet, without reading what they hold."""
        ...

    def waiting_one(self, signal_id: int) -> StoredSignal | None:
        """Return one signal where it is not sorted yet."""
        ...

    def waiting_text(self, signal_id: int) -> WaitingSignal | None:
        """Return what of an unsorted signal can be read even where the signal cannot."""
        ...

    def take_up(self, outcome: str) -> int:
        """Put every signal whose outcome begins with a text back into the inbox. Returns how many."""
        ...

    def sort(self, outcomes: Sequence[tuple[int, int | None, str]]) -> None:
        """Take signals (signal id, incident id or None, why) out of the inbox."""
        ...

    def ended(self, keys: Iterable[tuple[Source, str]]) -> set[tuple[Source, str]]:
        """Return those of these episodes whose resolve was sorted: it came, and ended nothing that fires now."""
        ...

    def fired_after_end(self, since: datetime, margin_seconds: float) -> list[tuple[StoredSignal, datetime]]:
        """Return alerts that were said to fire, since a time, well after every episode of theirs had ended.

        Each with when its last episode ended.
        """
        ...

    def last_seen(self, incident_id: int) -> datetime | None:
        """Return when a signal of the incident, or a repeat of one, came last."""
        ...

    def of(self, incident_id: int) -> list[StoredSignal]:
        """Return the signals of an incident, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class RollEntry:
    """One episode in a few words. ``word``: what its label says of its severity, empty where it says nothing."""

    name: str
    subject: Subject
    severity: Severity
    word: str
    firing: bool
    starts_at: datetime


class Incidents(Protocol):
    """Incidents and the episodes they are made of."""

    def get(self, incident_id: int) -> Incident | None:
        """Return an incident; inside a write it stays locked until the commit."""
        ...

    def by_handle(self, handle: str) -> Incident | None:
        """Return the incident that an opaque id of a button stands for."""
        ...

    def handle(self, incident_id: int) -> str:
        """Return the opaque id that stands for an incident in buttons."""
        ...

    def open(self) -> list[Incident]:
        """Return the incidents that are not resolved, oldest first."""
        ...

    def recent(self, since: datetime, limit: int = 200) -> list[Incident]:
        """Return incidents that are open or changed after ``since``, oldest first."""
        ...

    def in_storm(self, at: datetime, *, before: timedelta) -> bool:
        """Say whether a storm went on at a time, or began not later than so long after it."""
        ...

    def save(self, incident: Incident) -> Incident:
        """Insert (id 0) or update an incident; returns it with its id."""
        ...

    def episodes(self, incident_ids: Iterable[int]) -> list[Episode]:
        """Return the episodes of incidents, in the order they began."""
        ...

    def telling(self, incident_id: int, limit: int = 300) -> list[Episode]:
        """Return what of an incident is worth showing, in the order they began: a storm holds thousands.

        Those that fire before those that do not, the urgent ones before the others, the oldest first.
        """
        ...

    def tally(self, incident_id: int) -> dict[str, tuple[int, int]]:
        """Return by alert name how many episodes an incident has, and how many of them fire now."""
        ...

    def episode(self, source: Source, episode: str) -> Episode | None:
        """Return one episode by its name."""
        ...

    def episodes_named(self, keys: Iterable[tuple[Source, str]]) -> list[Episode]:
        """Return the episodes of these (source, episode) that are known."""
        ...

    def firing_of(self, fingerprints: Iterable[str]) -> list[Episode]:
        """Return the episodes of these alerts that fire."""
        ...

    def names(self, incident_ids: Iterable[int]) -> dict[int, set[str]]:
        """Return the alert names that each incident holds."""
        ...

    def roll(self, incident_id: int) -> list[RollEntry]:
        """Return every episode of an incident in a few words, in the order of arrival: a storm's, to be counted."""
        ...

    def lately(self, incident_id: int, since: datetime) -> int:
        """Return how many firing episodes of an incident came after ``since``."""
        ...

    def counts(self, incident_id: int) -> tuple[int, int]:
        """Return how many alerts of an incident fire now, and how many episodes it has in all."""
        ...

    def put_episode(self, episode: Episode) -> None:
        """Insert or update an episode by (source, episode)."""
        ...

    def put_episodes(self, episodes: Sequence[Episode]) -> None:
        """Insert or update episodes, each of them named once."""
        ...


class Timeline(Protocol):
    """The stories of incidents; nothing is ever changed or removed."""

    def add(self, entry: TimelineEntry) -> int | None:
        """Append an entry and return its id; None when its ``key`` is there already."""
        ...

    def add_all(self, entries: Sequence[TimelineEntry]) -> None:
        """Append entries whose ids nobody needs; one whose ``key`` is there already is left out."""
        ...

    def of(self, incident_id: int, *kinds: TimelineKind) -> list[TimelineEntry]:
        """Return an incident's entries, those of some kinds where given, in the order in which things happened."""
        ...

    def get(self, entry_id: int) -> TimelineEntry | None:
        """Return one entry."""
        ...


class Runs(Protocol):
    """Triage runs."""

    def queue(
        self, incident_id: int, reason: str, now: datetime, *, not_before: datetime | None = None
    ) -> int:
        """Queue a run, or return the one of this incident that is still queued; the earlier time counts."""
        ...

    def take(
        self, now: datetime, *, owner: str, lease_seconds: float, only: Severity | None = None
    ) -> TriageRun | None:
        """Claim a run that is queued, or whose owner died; None when there is nothing to do.

        The gravest incident's first, the oldest of those; ``only`` of incidents of one severity, where given.
        """
        ...

    def renew(self, run_id: int, owner: str, until: datetime) -> None:
        """Keep a run that an owner still holds for longer."""
        ...

    def release_of(self, owner: str, *, but: Collection[int]) -> None:
        """Give back what is claimed by an owner, except some runs."""
        ...

    def release(self, run_id: int | None = None) -> None:
        """Give a claimed run back to be taken at once; None: all of them, where no other process can be alive."""
        ...

    def finish(self, run: TriageRun, evidence: bytes = b"") -> None:
        """Store a run with its findings, its verdict, and its packed record (``triage.diagnosis.record``), if any."""
        ...

    def evidence(self, run_id: int) -> bytes | None:
        """Return the packed record of a run; None where none was kept, or not any more."""
        ...

    def get(self, run_id: int) -> TriageRun | None:
        """Return a run with its findings."""
        ...

    def latest(self, incident_id: int, status: RunStatus | None = None) -> TriageRun | None:
        """Return the newest run of an incident, of one status where given."""
        ...

    def done(self, incident_id: int, limit: int) -> list[TriageRun]:
        """Return the newest finished runs of an incident, oldest first."""
        ...


class MessageKind(StrEnum):
    """What a Slack message shows; its content is made from the store when it is sent."""

    CARD = "card"
    """The incident itself (``ref`` is the incident's id): one a incident, edited as it lives."""
    LINE = "line"
    """One timeline entry (``ref``), in the thread."""
    ROLL = "roll"
    """One page (``ref`` is the incident's id and the page) of the list of all that a storm holds, in its thread."""
    TRIAGE = "triage"
    """What the triage says (``ref`` is the incident's id), in the thread: one an incident, edited by later runs."""
    ACTION = "action"
    """One action's progress (``ref``), in the thread or on its own; edited as it runs."""
    DIGEST = "digest"
    """A KPI digest (``ref`` is a document's id)."""
    DOCUMENT = "document"
    """A stored, rendered text (``ref`` is a document's id): checklists, drills, reminders."""
    FEEDBACK = "feedback"
    """Whether the verdict was right (``ref`` is the incident's id): a question in the thread, edited to its answer."""
    FILE = "file"
    """A stored picture or file (``ref`` is a document's id)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What Slack may still do though we gave it up, and when (``at``) to make sure of it.

    ``post``: a second copy of the message may appear. ``edit``: an older text may come back.
    ``looks``: how often we made sure already.
    """

    at: datetime
    post: bool = False
    edit: bool = False
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message we owe, and how far we are with it.

    It is due while ``sent_revision < wanted_revision``; ``ts`` is empty until Slack named it.
    ``attempted_at`` is when an attempt to post or edit began whose outcome is not known yet; until ``unsure_until``
    it may still take effect, so a look before then that finds nothing proves nothing. ``doubt``: what is to be
    made sure of though the message is sent.
    """

    id: int
    delivery_id: str
    kind: MessageKind
    ref: str
    channel: str
    incident_id: int | None
    parent_id: int | None
    wanted_revision: int
    sent_revision: int
    ts: str
    attempts: int
    next_at: datetime
    created_at: datetime
    attempted_at: datetime | None = None
    unsure_until: datetime | None = None
    parent_ts: str = ""
    channel_id: str = ""
    parent_channel_id: str = ""
    last_error: str = ""
    urgency: int = 2
    doubt: Doubt | None = None

    @property
    def owed(self) -> bool:
        """Whether Slack has not got the latest of it."""
        return self.sent_revision < self.wanted_revision

    @property
    def place(self) -> str:
        """Slack's id of the channel that it stands in, or its thread does; empty where it has no place yet."""
        return self.channel_id or self.parent_channel_id


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much is owed: ``pending`` messages or edits, and since when the oldest of them waits."""

    pending: int
    oldest_at: datetime | None
    failing: int = 0
    last_error: str = ""


class Outbox(Protocol):
    """Messages owed to Slack: never dropped, never doubled."""

    def want(
        self,
        kind: MessageKind,
        ref: str,
        *,
        channel: str,
        now: datetime,
        incident_id: int | None = None,
        in_thread: bool = False,
        parent_id: int | None = None,
        urgency: int = 2,
        wait_seconds: float = 0.0,
    ) -> int:
        """Ask for a message, or for its edit where it is asked for already. Returns its id.

        ``in_thread``: below the incident's card; ``parent_id``: below another message. ``urgency``: 1 the most; a
        line that is more urgent than others takes the lines before it along. ``wait_seconds``: not before then.
        """
        ...

    def claim(
        self,
        now: datetime,
        *,
        owner: str,
        lease_seconds: float,
        limit: int,
        unsure_seconds: float = 0.0,
    ) -> list[Message]:
        """Take due messages: most urgent first, a thread's in their order and only below a posted parent.

        Those whose doubt is due come too. ``unsure_seconds``: how long what is begun now may still take effect,
        should this process end before it says what came of it.
        """
        ...

    def release(self) -> None:
        """Give every claimed message back at once, where no other process can be alive."""
        ...

    def release_of(self, owner: str, unsure_until: datetime) -> None:
        """Give back what a dead process had claimed; what it had begun may take effect until then, and no longer."""
        ...

    def posted(
        self,
        message_id: int,
        *,
        ts: str,
        channel_id: str,
        revision: int,
        now: datetime,
        doubt: Doubt | None = None,
    ) -> None:
        """Record that Slack has a revision of the message, and what of it is to be made sure of later."""
        ...

    def confirmed(self, message_id: int, doubt: Doubt | None) -> None:
        """Record that a doubt was looked into; None: nothing is left of it."""
        ...

    def unsure(self, message_id: int, until: datetime) -> None:
        """Record that an attempt begins which may take effect until then."""
        ...

    def defer(
        self,
        message_id: int,
        *,
        until: datetime,
        error: str = "",
        unknown: bool = False,
        counted: bool = True,
        unsure_until: datetime | None = None,
    ) -> None:
        """Give a message back for later; ``unknown``: it may have been done, look before doing it again.

        ``unsure_until``: an attempt has just ended that may take effect until then. A doubt that was due is put
        off as well.
        """
        ...

    def forget(self, message_id: int, now: datetime, *, moved: bool = False) -> None:
        """The message is gone from Slack: a new delivery id, to be posted anew; ``moved``: where its channel is now."""
        ...

    def get(self, message_id: int) -> Message | None:
        """Return one message."""
        ...

    def unposted_in_thread(self, parent_id: int, limit: int = 50) -> list[Message]:
        """Return a thread's messages that Slack has not got yet, in their order.

        Whoever holds the first of them holds them all: none is claimed before it is posted.
        """
        ...

    def find(self, kind: MessageKind, ref: str) -> Message | None:
        """Return the message that shows something."""
        ...

    def by_ts(self, channel_id: str, ts: str) -> Message | None:
        """Return the message that Slack knows by a ts."""
        ...

    def next_at(self) -> datetime | None:
        """When the next message falls due; None when nothing is owed."""
        ...

    def state(self) -> OutboxState:
        """How much is owed."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit trail: who did (or was denied) what to what. ``digest`` chains it to the one before."""

    seq: int
    at: datetime
    actor: str
    event: str
    target: str
    detail: Mapping[str, Json]
    previous: str
    digest: str


GENESIS = "0" * 64
"""What the first line of an audit trail is bound to."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where an audit trail ends: the number of its last line, and that line's digest. Shown as ``812:9f2c…``."""

    seq: int = 0
    digest: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"


class Audit(Protocol):
    """The append-only, hash-chained trail."""

    def append(
        self, *, at: datetime, actor: str, event: str, target: str, detail: Mapping[str, Json] | None = None
    ) -> AuditEntry:
        """Add a line behind the last one."""
        ...

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Return lines in order."""
        ...

    def head(self) -> Head:
        """Return where the trail ends; (0, GENESIS) where it has no line."""
        ...

    def about(self, incident: str) -> list[AuditEntry]:
        """Return the lines about an incident (``INC-42``) and about its actions, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered or computed thing worth keeping: a digest, a checklist's answer, a drill's report, a picture."""

    id: int
    kind: str
    made_at: datetime
    data: Mapping[str, Json]
    content: bytes = b""


class Notes(Protocol):
    """Small things: cursors, periods that were served, documents."""

    def get(self, key: str) -> str | None:
        """Return the value under a key."""
        ...

    def parsed(self, key: str, make: Callable[[str], T]) -> T | None:
        """Return what a note says; None where there is none, and where it cannot be read, which is noted."""
        ...

    def all_parsed(self, prefix: str, make: Callable[[str], T]) -> dict[str, T]:
        """Return every key that begins with a prefix and whose value is not empty; one that cannot be read is noted."""
        ...

    def put(self, key: str, value: str) -> None:
        """Set the value under a key."""
        ...

    def all(self, prefix: str) -> dict[str, str]:
        """Return every key that begins with a prefix, with its value."""
        ...

    def once(self, name: str, period: str, now: datetime) -> bool:
        """Claim a period of a job: True for the first who asks, False ever after."""
        ...

    def save_document(
        self, kind: str, data: Mapping[str, Json], *, made_at: datetime, content: bytes = b""
    ) -> int:
        """Keep a document and return its id."""
        ...

    def document(self, document_id: int) -> Document | None:
        """Return a document, None where there is none. Raises RecordUnreadable."""
        ...

    def document_as(self, document_id: int, make: Callable[[Document], T]) -> T | None:
        """Return what is made of a document, None where there is none. Raises RecordUnreadable, which is noted."""
        ...

    def rewrite_document(self, document_id: int, data: Mapping[str, Json]) -> None:
        """Put other data into a document: what is posted of it has to be wanted again."""
        ...


class Aging(Protocol):
    """Forgets what is older than it has to be kept; the audit trail is no part of it. Each returns how many."""

    def forget_signals(self, before: datetime, limit: int) -> int:
        """Remove signals last seen before a time, except those that wait or belong to an open incident."""
        ...

    def forget_findings(self, before: datetime, limit: int) -> int:
        """Remove findings and records of runs that ended before a time, except those of open incidents."""
        ...

    def forget_documents(self, before: datetime, limit: int) -> int:
        """Remove documents and pictures made before a time, except those that are still owed to Slack."""
        ...

    def forget_incidents(self, before: datetime, limit: int) -> int:
        """Remove resolved incidents that did not change since a time, with all that belongs to them.

        What hangs below them goes first, ``limit`` rows at a time.
        """
        ...

    def give_back(self, pages: int) -> int:
        """Give the disk back what was freed, so many pages at a time. Returns how many are still free."""
        ...

    def forget_periods(self, before: datetime, limit: int) -> int:
        """Remove claims of periods and events made before a time: nothing asks for those again."""
        ...


class Tx(Protocol):
    """One transaction's view of the memory."""

    @property
    def signals(self) -> Signals: ...  # noqa: D102 - each is documented by its protocol
    @property
    def incidents(self) -> Incidents: ...  # noqa: D102
    @property
    def timeline(self) -> Timeline: ...  # noqa: D102
    @property
    def runs(self) -> Runs: ...  # noqa: D102
    @property
    def outbox(self) -> Outbox: ...  # noqa: D102
    @property
    def audit(self) -> Audit: ...  # noqa: D102
    @property
    def notes(self) -> Notes: ...  # noqa: D102
    @property
    def actions(self) -> Actions: ...  # noqa: D102
    @property
    def events(self) -> Events: ...  # noqa: D102
    @property
    def answers(self) -> Answers: ...  # noqa: D102
    @property
    def aging(self) -> Aging: ...  # noqa: D102

    def exclusive(self, name: str) -> None:
        """Hold a lock of that name until the commit: one holder among all replicas."""
        ...


WRITE_SECONDS = 15.0
"""How long anybody waits for a commit who does not say how long."""
WEBHOOK_SECONDS = 4.5
"""How long a webhook waits for its commit: Alertmanager sends again what was answered 503."""


class Store(Protocol):
    """Opens transactions. A write raises NotStored or OutcomeUnknown, a read StoreUnavailable, where it cannot."""

    async def write(self, work: Callable[[Tx], T], *, within: float = WRITE_SECONDS) -> T:
        """Run a unit of work and return its answer once it is on disk, or raise within so many seconds."""
        ...

    async def keep(self, signals: Sequence[Signal]) -> int:
        """Store signals, in one statement with those that others keep at this moment. Returns how many were new."""
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a reading unit on a consistent snapshot."""
        ...
