"""The outbox: messages owed to Slack, claimed under a lease; due while more is wanted than was sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.text import clean
from bot.store.upsert import insert
from triage.ports.store import Message, MessageKind, OutboxState

_t = tables.messages
_parent = _t.alias("parent")
_before = _t.alias("before")


class OutboxTable:
    """Implements ``triage.ports.store.Outbox``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

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
    ) -> int:
        """Ask for a message, or for its edit where it is asked for already. Returns its id."""
        if in_thread:
            parent_id = self._card(incident_id)
        statement = insert(self._connection, _t).values(
            delivery_id=uuid.uuid4().hex,
            kind=kind.value,
            ref=ref,
            channel=channel,
            incident_id=incident_id,
            parent_id=parent_id,
            wanted_revision=1,
            sent_revision=0,
            ts="",
            channel_id="",
            urgency=urgency,
            attempts=0,
            next_at=now,
            created_at=now,
            wanted_at=now,
            lease_owner="",
            last_error="",
            data={},
        )
        # Since when it is owed: an edit wanted anew while one is owed keeps the older time.
        owed_since = sa.case(
            (_t.c.sent_revision < _t.c.wanted_revision, _t.c.wanted_at), else_=sa.literal(now, tables.UtcTime)
        )
        statement = statement.on_conflict_do_update(
            index_elements=["kind", "ref"],
            set_={
                "wanted_revision": _t.c.wanted_revision + 1,
                "wanted_at": owed_since,
                "urgency": sa.case((_t.c.urgency > urgency, urgency), else_=_t.c.urgency),
            },
        )
        return int(self._connection.execute(statement.returning(_t.c.id)).scalar_one())

    def _card(self, incident_id: int | None) -> int:
        query = sa.select(_t.c.id).where(_t.c.kind == MessageKind.CARD.value, _t.c.ref == str(incident_id))
        card_id = self._connection.execute(query).scalar()
        if card_id is None:  # posted at the top it would be a message of its own: a mistake that must show
            raise LookupError(f"a thread line for incident {incident_id}, which has no card yet")
        return int(card_id)

    def claim(self, now: datetime, *, owner: str, lease_seconds: float, limit: int) -> list[Message]:
        """Take due messages: most urgent first, a thread's in their order and only below a posted parent."""
        ids = list(self._connection.execute(_due(now).limit(limit)).scalars())
        if not ids:
            return []
        # Read before the claim: ``attempted_at`` is then what an earlier, unfinished attempt left.
        claimed = self._messages(_t.c.id.in_(ids))
        self._connection.execute(
            sa.update(_t)
            .where(_t.c.id.in_(ids))
            .values(
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_seconds),
                # Marks that a post may be under way: whoever finds the mark after a crash looks before posting.
                attempted_at=sa.case(
                    (
                        _t.c.sent_revision == 0,
                        sa.func.coalesce(_t.c.attempted_at, sa.literal(now, tables.UtcTime)),
                    )
                ),
            )
        )
        return sorted(claimed, key=lambda message: (message.urgency, message.id))

    def release(self) -> None:
        """Give every claimed message back at once; what may have been posted stays marked as such."""
        claimed = _t.c.lease_until.is_not(None)
        self._connection.execute(sa.update(_t).where(claimed).values(lease_owner="", lease_until=None))

    def posted(self, message_id: int, *, ts: str, channel_id: str, revision: int, now: datetime) -> None:
        """Record that Slack has a revision of the message."""
        self._update(
            message_id,
            ts=ts,
            channel_id=channel_id,
            sent_revision=revision,
            wanted_at=now,
            attempts=0,
            attempted_at=None,
            lease_owner="",
            lease_until=None,
            last_error="",
            next_at=now,
        )

    def defer(
        self,
        message_id: int,
        *,
        until: datetime,
        error: str = "",
        unknown: bool = False,
        counted: bool = True,
    ) -> None:
        """Give a message back for later; ``unknown``: it may have been posted, look before posting again."""
        values: dict[str, Any] = {
            "next_at": until,
            "last_error": clean(error),
            "lease_owner": "",
            "lease_until": None,
        }
        if not unknown:
            values["attempted_at"] = None
        if counted:
            values["attempts"] = _t.c.attempts + 1
        self._update(message_id, **values)

    def forget(self, message_id: int, now: datetime) -> None:
        """Give a message that is gone from Slack a new delivery id, to be posted anew."""
        self._update(
            message_id,
            delivery_id=uuid.uuid4().hex,
            ts="",
            sent_revision=0,
            wanted_revision=sa.func.coalesce(_t.c.wanted_revision, 0) + 1,
            attempted_at=None,
            lease_owner="",
            lease_until=None,
            next_at=now,
        )

    def _update(self, message_id: int, **values: Any) -> None:  # noqa: ANN401 - columns of the table
        self._connection.execute(sa.update(_t).where(_t.c.id == message_id).values(**values))

    def get(self, message_id: int) -> Message | None:
        """Return one message."""
        return next(iter(self._messages(_t.c.id == message_id)), None)

    def unposted_in_thread(self, parent_id: int, limit: int = 50) -> list[Message]:
        """Return a thread's messages that Slack has not got yet, in their order."""
        return self._messages((_t.c.parent_id == parent_id) & (_t.c.sent_revision == 0), limit)

    def find(self, kind: MessageKind, ref: str) -> Message | None:
        """Return the message that shows something."""
        return next(iter(self._messages((_t.c.kind == kind.value) & (_t.c.ref == ref))), None)

    def by_ts(self, channel_id: str, ts: str) -> Message | None:
        """Return the message that Slack knows by a ts."""
        return next(iter(self._messages((_t.c.channel_id == channel_id) & (_t.c.ts == ts))), None)

    def _messages(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Message]:
        query = (
            sa.select(_t, _parent.c.ts.label("parent_ts"))
            .join_from(_t, _parent, _parent.c.id == _t.c.parent_id, isouter=True)
            .where(condition)
            .order_by(_t.c.id)
            .limit(limit)
        )
        return [_message(row) for row in self._connection.execute(query).mappings()]

    def next_at(self) -> datetime | None:
        """When the next message falls due; None when nothing is owed."""
        moment = sa.func.min(
            sa.case(
                (_t.c.lease_until.is_not(None) & (_t.c.lease_until > _t.c.next_at), _t.c.lease_until),
                else_=_t.c.next_at,
            ),
            type_=tables.UtcTime,
        )
        query = _waiting(sa.select(moment))
        when: datetime | None = self._connection.execute(query).scalar()
        return when

    def state(self) -> OutboxState:
        """How much is owed."""
        owed = _t.c.sent_revision < _t.c.wanted_revision
        query = sa.select(
            sa.func.count(),
            sa.func.min(_t.c.wanted_at, type_=tables.UtcTime),
            sa.func.count().filter(_t.c.last_error != ""),
            sa.func.max(_t.c.last_error),
        ).where(owed)
        pending, oldest, failing, error = self._connection.execute(query).one()
        return OutboxState(pending=pending, oldest_at=oldest, failing=failing, last_error=error or "")


def _waiting(query: sa.Select[Any]) -> sa.Select[Any]:
    """Narrow to what could be sent: owed, its parent posted, nothing of its thread unposted before it."""
    earlier = sa.exists().where(
        _before.c.parent_id == _t.c.parent_id, _before.c.id < _t.c.id, _before.c.sent_revision == 0
    )
    first_in_thread = (_t.c.sent_revision > 0) | (_t.c.parent_id.is_(None)) | ~earlier
    parent_posted = (_t.c.parent_id.is_(None)) | (_parent.c.ts != "")
    return (
        query.select_from(_t.outerjoin(_parent, _parent.c.id == _t.c.parent_id))
        .where(_t.c.sent_revision < _t.c.wanted_revision)
        .where(parent_posted, first_in_thread)
    )


def _due(now: datetime) -> sa.Select[Any]:
    free = _t.c.lease_until.is_(None) | (_t.c.lease_until < now)
    return (
        _waiting(sa.select(_t.c.id))
        .where(_t.c.next_at <= now, free)
        .order_by(_t.c.urgency, _t.c.sent_revision > 0, _t.c.id)
        .with_for_update(skip_locked=True, of=_t)
    )


def _message(row: Mapping[Any, Any]) -> Message:
    return Message(
        id=row["id"],
        delivery_id=row["delivery_id"],
        kind=MessageKind(row["kind"]),
        ref=row["ref"],
        channel=row["channel"],
        incident_id=row["incident_id"],
        parent_id=row["parent_id"],
        wanted_revision=row["wanted_revision"],
        sent_revision=row["sent_revision"],
        ts=row["ts"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        created_at=row["created_at"],
        attempted_at=row["attempted_at"],
        parent_ts=row["parent_ts"] or "",
        channel_id=row["channel_id"],
        last_error=row["last_error"],
        urgency=row["urgency"],
        data=row["data"],
    )
