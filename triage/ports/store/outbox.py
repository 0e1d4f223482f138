"""Messages owed to the chat."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class MessageKind(StrEnum):
    """What a message shows; its content is made from the store when it is sent."""

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


ASIDE = 99
"""The urgency of a message that the chat refuses by itself, or that cannot be read: the last of all, none waits for it."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """When (``at``) to look in the chat again: a call that timed out may still take effect.

    ``post``: a second copy of the message may appear. ``edit``: an older text may come back.
    ``looks``: how often we looked already; ``looked_at``: when the last look for a copy began, None before the first.
    """

    at: datetime
    post: bool = False
    edit: bool = False
    looks: int = 0
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message we owe, and how far we are with it.

    It is due while ``sent_revision < wanted_revision``; ``post_id`` is empty until the chat named it.
    ``attempted_at`` is when an attempt to post or edit began whose outcome is not known yet; until ``unsure_until``
    it may still take effect, so a look before then that finds nothing proves nothing. ``recheck``: what is to be
    looked at again though the message is sent.
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
    post_id: str
    attempts: int
    next_at: datetime
    created_at: datetime
    attempted_at: datetime | None = None
    unsure_until: datetime | None = None
    parent_post_id: str = ""
    channel_id: str = ""
    parent_channel_id: str = ""
    last_error: str = ""
    urgency: int = 2
    recheck: Recheck | None = None

    @property
    def owed(self) -> bool:
        """Whether the chat has not got the latest of it."""
        return self.sent_revision < self.wanted_revision

    @property
    def aside(self) -> bool:
        """Whether what comes after it in its thread goes on without it."""
        return self.urgency >= ASIDE

    @property
    def place(self) -> str:
        """The chat's id of the channel that it stands in, or its thread does; empty where it has no place yet."""
        return self.channel_id or self.parent_channel_id


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How much is owed: ``pending`` messages or edits, and since when the oldest of them waits."""

    pending: int
    oldest_at: datetime | None
    failing: int = 0
    last_error: str = ""


class Outbox(Protocol):
    """Messages owed to the chat: never dropped, never doubled."""

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

        ``in_thread``: below the incident's card; ``parent_id``: below another message. ``urgency``: 0 the most; a
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

        Those whose recheck is due come too. ``unsure_seconds``: how long what is begun now may still take effect,
        should this process end before it says what came of it.
        """
        ...

    def held_until(self, message_id: int, owner: str) -> datetime | None:
        """Return when an owner's lease of a message ends; None where the message is not his, or not any more."""
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
        post_id: str,
        channel_id: str,
        revision: int,
        now: datetime,
        recheck: Recheck | None = None,
    ) -> None:
        """Record that the chat has a revision of the message, and what of it is to be made sure of later."""
        ...

    def confirmed(self, message_id: int, recheck: Recheck | None) -> None:
        """Record that a recheck was made; None: no further one is needed."""
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

        ``unsure_until``: an attempt has just ended that may take effect until then. A recheck that was due is put
        off as well.
        """
        ...

    def give_back(
        self,
        owner: str,
        *,
        but: Collection[int],
        now: datetime,
        error: str,
        unbegun: Collection[datetime] = (),
    ) -> None:
        """Give back all that an owner still holds, ``but`` for some; whoever takes it looks first what came of it.

        ``unbegun``: the times of claims of which nothing was begun: what was not in doubt before them is not now.
        """
        ...

    def hasten(self, error: str, now: datetime) -> None:
        """Let what waits because of an error be due now: its reason is gone."""
        ...

    def put_behind(
        self, incident_ids: Collection[int], urgency: int, *, now: datetime, wait_seconds: float
    ) -> None:
        """Let the unposted cards of incidents wait for what is more urgent than ``urgency``.

        Those that ask for nobody at once also wait so many seconds: whoever told of them already goes on telling.
        """
        ...

    def step_aside(self, message_id: int) -> None:
        """Let what comes after a message in its thread go on without it; it is still owed."""
        ...

    def forget(self, message_id: int, now: datetime, *, moved: bool = False, doubted: bool = False) -> None:
        """The message is gone from the chat: a new delivery id, to be posted anew; ``moved``: where its channel is now.

        ``doubted``: a late copy of it may come yet, so that it keeps its delivery id and its recheck.
        """
        ...

    def get(self, message_id: int) -> Message | None:
        """Return one message."""
        ...

    def unposted_in_thread(self, parent_id: int, limit: int = 50) -> list[Message]:
        """Return a thread's messages that the chat has not got yet, in their order.

        Whoever holds the first of them holds them all, but for those that stepped aside: none is claimed before it is
        posted.
        """
        ...

    def find(self, kind: MessageKind, ref: str) -> Message | None:
        """Return the message that shows something."""
        ...

    def by_post_id(self, channel_id: str, post_id: str) -> Message | None:
        """Return the message that the chat knows by an id."""
        ...

    def next_at(self) -> datetime | None:
        """When the next message falls due; None when nothing is owed."""
        ...

    def state(self) -> OutboxState:
        """Return how many messages or edits are owed, and since when the oldest of them waits."""
        ...
