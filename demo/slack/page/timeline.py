"""What one person sees in a channel or a thread, in order, with day headings and runs of one author."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from demo.slack.page import dates

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from demo.slack.model import Channel, Message
    from demo.slack.workspace import Workspace

RUN_SECONDS = 300
SHOWN = 500


@dataclass(frozen=True)
class Entry:
    """A message as listed: `day` is the heading above it, `compact` leaves out author and picture."""

    message: Message
    day: str = ""
    compact: bool = False


def in_channel(channel: Channel, viewer: str) -> list[Message]:
    """Return what `viewer` sees in the channel itself, oldest first."""
    public = [message for message in channel.messages.values() if not message.is_reply or message.broadcast]
    private = [m for m in channel.ephemerals if m.ephemeral_to == viewer and m.thread_ts is None]
    return sorted([*public, *private], key=lambda message: message.ts) if private else public


def in_thread(workspace: Workspace, channel: Channel, ts: str, viewer: str) -> list[Message]:
    """Return a thread as `viewer` sees it: the parent, then the replies."""
    replies = workspace.thread(channel.id, ts)
    private = [m for m in channel.ephemerals if m.ephemeral_to == viewer and m.thread_ts == ts]
    return sorted([*replies, *private], key=lambda message: message.ts)


def entries(messages: list[Message], now: datetime, *, days: bool = True) -> list[Entry]:
    """Return messages as a list to show; without `days` it is a thread, whose first reply stands apart."""
    if not messages:
        return []
    first = messages[0]
    listed = [Entry(first, dates.day(first.ts, now) if days else "")]
    listed += [_entry(before, message, now, days=days) for before, message in pairwise(messages)]
    if not days and len(listed) > 1:
        listed[1] = Entry(listed[1].message)
    return listed


def entry_of(messages: list[Message], message: Message, now: datetime, *, days: bool = True) -> Entry:
    """Return how one message of a list is shown, given what stands before it."""
    index = next((n for n in range(len(messages) - 1, -1, -1) if messages[n] is message), 0)
    return entries(messages[max(0, index - 1) : index + 1], now, days=days)[-1]


def _entry(before: Message, message: Message, now: datetime, *, days: bool) -> Entry:
    new_day = days and dates.local(float(before.ts)).date() != dates.local(float(message.ts)).date()
    if new_day:
        return Entry(message, dates.day(message.ts, now))
    close = float(message.ts) - float(before.ts) < RUN_SECONDS
    alike = before.user == message.user and before.ephemeral_to == message.ephemeral_to
    return Entry(message, compact=close and alike and not before.tombstone and not message.broadcast)


def unread(messages: Iterable[Message], viewer: str, read: str) -> int:
    """Return how many messages of others came after `read`."""
    return sum(message.ts > read and message.user != viewer for message in messages)
