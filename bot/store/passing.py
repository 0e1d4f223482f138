"""A line that must be noticed waits for no other message of its thread whose outcome is not known.

It may go where no attempt in doubt can hold it: a line's attempt tells of the lines that were owed when it began, so one
that was asked for later is in none of them. Which lines an attempt takes along ``composition`` says, by the same times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from triage.incidents.notifications import LINE_URGENCY
from triage.ports.store import Message, MessageKind

HEARD = timedelta(seconds=1.5)
"""So long after an attempt began its answer is still waited for: Slack mostly gives one within half a second."""


def passing(waiting: Sequence[Message], unordered: Collection[str]) -> tuple[Message, datetime] | None:
    """Return the first line that goes before those in doubt, and from when on it may; None where there is none.

    ``waiting``: what of a thread is not posted, in its order. ``unordered``: kinds that no line waits for.
    """
    begun = [
        (message.attempted_at, message.kind)
        for message in waiting
        if message.attempted_at is not None and not message.aside and message.kind.value not in unordered
    ]
    if not begun:
        return None
    held_until = max((at for at, kind in begun if kind is MessageKind.LINE), default=None)
    line = next((one for one in waiting if _may_pass(one, held_until)), None)
    return None if line is None else (line, max(line.next_at, max(at for at, _ in begun) + HEARD))


def _may_pass(line: Message, held_until: datetime | None) -> bool:
    notified = line.kind is MessageKind.LINE and line.urgency < LINE_URGENCY
    return notified and line.attempted_at is None and (held_until is None or line.created_at > held_until)
