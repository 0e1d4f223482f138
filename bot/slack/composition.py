"""What goes into one message: the rendering, and the deliveries it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from loguru import logger
from sqlalchemy.exc import DBAPIError

from bot.slack.blocks.thread import LINE as LINE_MAX
from bot.slack.rendered import Rendered, Renderer
from bot.slack.renderers import render_lines, renderer_of, unshowable
from triage.errors import RecordUnreadable
from triage.model import Json
from triage.ports.store import Message, MessageKind, Tx

TOGETHER, CHARACTERS = 120, 8_000
"""Lines of a thread in one message, and what they may have in all: with more waiting, Slack was slower than the desk."""
LINE_COSTS = 24
"""Characters of a line beside its text: its time, its sign."""

NO_ORDER = frozenset({MessageKind.ACTION, MessageKind.TRIAGE, MessageKind.ROLL, MessageKind.FEEDBACK})
"""What stands in a thread without a place in its order: lines fold across it."""


@dataclass(frozen=True, slots=True)
class Composition:
    """``rendered`` is None when there is nothing to show; ``stands_for`` has the claimed message first."""

    rendered: Rendered | None
    stands_for: tuple[Message, ...]
    channel: str

    @property
    def payload(self) -> dict[str, Json]:
        """The metadata by which the message is found again."""
        first = self.stands_for[0]
        return {
            "delivery_id": first.delivery_id,
            "incident_id": first.incident_id,
            "revision": first.wanted_revision,
            "also": [message.delivery_id for message in self.stands_for[1:]],
        }


def compose(
    tx: Tx, message: Message, now: datetime, renderers: Mapping[MessageKind, Renderer]
) -> Composition:
    """Render a message as the store has it now; a renderer that fails does not lose the message."""
    current = tx.outbox.get(message.id) or message
    together = [current, *(_following(tx, current) if not current.post_id else ())]
    channel = channel_of(tx, current)
    try:
        if len(together) > 1:
            return Composition(render_lines(tx, together, now), tuple(together), channel)
        return Composition(renderer_of(renderers, current)(tx, current, now), (current,), channel)
    except DBAPIError:  # the store's own trouble, which it says by itself: the message waits
        raise
    except RecordUnreadable as error:  # said once, by the store
        logger.bind(message=message.id, kind=message.kind.value, ref=message.ref).error(
            "not rendered: {error}", error=error
        )
        return Composition(unshowable(message), (current,), channel)
    except Exception:  # noqa: BLE001 - any mistake of a renderer: the message must not be lost, nor stop others
        logger.bind(message=message.id, kind=message.kind.value, ref=message.ref).exception("not rendered")
        return Composition(unshowable(message), (current,), channel)


def channel_of(tx: Tx, message: Message) -> str:
    """Return where a message goes: a thread stays where its parent is, whatever the settings say by now."""
    parent = tx.outbox.get(message.parent_id) if message.parent_id is not None else None
    return (parent.channel_id if parent is not None else message.channel_id) or message.channel


def _following(tx: Tx, message: Message) -> Sequence[Message]:
    """Return the lines right behind a line that wait as well.

    One that was attempted stands in another message. What was asked for since the attempt began goes by itself, for it may
    have gone meanwhile (``bot.store.passing``).
    """
    if message.kind is not MessageKind.LINE or message.parent_id is None or message.aside:
        return ()
    waiting = tx.outbox.unposted_in_thread(message.parent_id, TOGETHER + 20)
    behind = [
        other for other in waiting if other.id > message.id and other.kind not in NO_ORDER and not other.aside
    ]
    lines = [
        other
        for other in takewhile(lambda other: other.kind is MessageKind.LINE, behind)
        if other.attempted_at is None and not _since(message, other)
    ][: TOGETHER - 1]
    left, kept = CHARACTERS - _length(tx, message), []
    for line in lines:
        left -= _length(tx, line)
        if left < 0:
            break
        kept.append(line)
    return kept


def _since(message: Message, other: Message) -> bool:
    return message.attempted_at is not None and other.created_at > message.attempted_at


def _length(tx: Tx, line: Message) -> int:
    entry = tx.timeline.get(int(line.ref))
    return 0 if entry is None else min(len(entry.text), LINE_MAX) + LINE_COSTS
