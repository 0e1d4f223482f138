"""The outbox: messages owed to Slack, claimed under a lease; due while more is wanted than was sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.many import padded
from bot.store.reading import read_all
from bot.store.text import clean
from bot.store.upsert import insert_for
from triage.incidents.notifications import LINE_URGENCY
from triage.ports.store import Doubt, Message, MessageKind, OutboxState

_t = tables.messages
_parent = _t.alias("parent")
_before = _t.alias("before")
FREE = tuple(
    kind.value for kind in (MessageKind.ACTION, MessageKind.TRIAGE, MessageKind.ROLL, MessageKind.FEEDBACK)
)
"""Kinds that have no place in the order of a thread."""
PUT_OFF = 99
"""The urgency of a message that cannot be read: the last of all, and no line waits for it."""
UNREADABLE_AGAIN = timedelta(minutes=5)
_Now = sa.bindparam("now", type_=tables.UtcTime)

# Each statement is built once: building one takes longer than running it, and an alert's first post runs a dozen.


@cache
def _want(dialect: str) -> sa.Insert:
    statement = insert_for(dialect, _t)
    new = statement.excluded
    # Since when it is owed: an edit wanted anew while one is owed keeps the older time.
    owed_since = sa.case((_t.c.sent_revision < _t.c.wanted_revision, _t.c.wanted_at), else_=new.wanted_at)
    changes = {
        "wanted_revision": _t.c.wanted_revision + 1,
        "wanted_at": owed_since,
        "urgency": sa.case((_t.c.urgency > new.urgency, new.urgency), else_=_t.c.urgency),
        # What has become more urgent waits no longer for the turn that it had.
        "next_at": sa.case(
            (
                (_t.c.urgency > new.urgency) & (_t.c.sent_revision == 0) & (_t.c.next_at > new.next_at),
                new.next_at,
            ),
            else_=_t.c.next_at,
        ),
    }
    wanted = statement.on_conflict_do_update(index_elements=["kind", "ref"], set_=changes)
    return wanted.returning(_t.c.id)


def _free(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.or_(*(table.c.kind == kind for kind in FREE))  # an IN would be expanded anew with each claim


def _waiting(query: sa.Select[Any]) -> sa.Select[Any]:
    """Narrow to what could be sent: owed, its parent posted, nothing of its thread unposted before it.

    An action's message need not wait for the lines before it: somebody is watching for it. What is edited as it
    lives (a triage's summary, the pages of a storm) tells no order of things either; no line waits for such a one.
    """
    earlier = sa.exists().where(
        _before.c.parent_id == _t.c.parent_id,
        _before.c.id < _t.c.id,
        _before.c.sent_revision == 0,
        _before.c.urgency < PUT_OFF,
        ~_free(_before),
    )
    free = (_t.c.sent_revision > 0) | (_t.c.parent_id.is_(None)) | _free(_t)
    first_in_thread = free | ~earlier
    parent_posted = (_t.c.parent_id.is_(None)) | (_parent.c.ts != "")
    return (
        query.select_from(_t.outerjoin(_parent, _parent.c.id == _t.c.parent_id))
        .where(_t.c.sent_revision < _t.c.wanted_revision)
        .where(parent_posted, first_in_thread)
    )


_CARD = sa.select(_t.c.id).where(_t.c.kind == MessageKind.CARD.value, _t.c.ref == sa.bindparam("card"))
FAR = timedelta(minutes=10)
"""Nothing waits for so long: a time further off is from before the clock was set back, and over."""
_Far = sa.bindparam("far", type_=tables.UtcTime)
_FREE = _t.c.lease_until.is_(None) | (_t.c.lease_until < _Now) | (_t.c.lease_until > _Far)
_DUE = (
    _waiting(sa.select(_t.c.id))
    .where((_t.c.next_at <= _Now) | (_t.c.next_at > _Far), _FREE)
    .order_by(_t.c.urgency, _t.c.sent_revision > 0, _t.c.id)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True, of=_t)
)
_CLAIM = (
    sa.update(_t)
    .where(_t.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(
        lease_owner=sa.bindparam("owner"),
        lease_until=sa.bindparam("until", type_=tables.UtcTime),
        # Marks that a call may be under way: whoever finds the mark after a crash looks before posting again, and
        # makes sure of an edit later.
        attempted_at=sa.func.coalesce(_t.c.attempted_at, _Now),
        unsure_until=sa.case(
            (_t.c.attempted_at.is_(None), sa.bindparam("unsure", type_=tables.UtcTime)),
            else_=_t.c.unsure_until,
        ),
    )
)
_THESE = sa.update(_t).where(_t.c.id.in_(sa.bindparam("ids", expanding=True)))
_DOUBT_ALL = _THESE.values(data={"post": True, "edit": True, "looks": 0})
_PUT_OFF = _THESE.values(
    urgency=PUT_OFF,
    next_at=sa.bindparam("again", type_=tables.UtcTime),
    confirm_at=None,
    last_error="what the store holds of it cannot be read",
    lease_owner="",
    lease_until=None,
)
_HURRY = sa.update(_t).where(
    _t.c.parent_id == sa.bindparam("parent"),
    _t.c.kind == MessageKind.LINE.value,
    _t.c.sent_revision == 0,
    _t.c.urgency > sa.bindparam("than"),
)
_DOUBTFUL = (
    sa.select(_t.c.id)
    .where((_t.c.confirm_at <= _Now) | (_t.c.confirm_at > _Far), _t.c.sent_revision == _t.c.wanted_revision)
    .where(_FREE)
    .order_by(_t.c.confirm_at)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True, of=_t)
)
_NEXT_DOUBT = sa.select(
    sa.func.min(
        sa.case((_t.c.lease_until > _t.c.confirm_at, _t.c.lease_until), else_=_t.c.confirm_at),
        type_=tables.UtcTime,
    )
).where(_t.c.confirm_at.is_not(None), _t.c.sent_revision == _t.c.wanted_revision)
_RELEASE = sa.update(_t).where(_t.c.lease_until.is_not(None)).values(lease_owner="", lease_until=None)
_Unsure = sa.bindparam("unsure", type_=tables.UtcTime)
_RELEASE_OF = (
    sa.update(_t)
    .where(_t.c.lease_until.is_not(None), _t.c.lease_owner == sa.bindparam("owner"))
    .values(
        lease_owner="",
        lease_until=None,
        unsure_until=sa.case((_t.c.unsure_until > _Unsure, _Unsure), else_=_t.c.unsure_until),
    )
)
_CHANGE = sa.update(_t).where(_t.c.id == sa.bindparam("message"))
_DEFER = _CHANGE.values(
    next_at=sa.bindparam("until", type_=tables.UtcTime),
    last_error=sa.bindparam("error"),
    attempts=_t.c.attempts + sa.bindparam("counted", type_=sa.Integer),
    confirm_at=sa.case(
        (
            _t.c.confirm_at < sa.bindparam("until", type_=tables.UtcTime),
            sa.bindparam("until", type_=tables.UtcTime),
        ),
        else_=_t.c.confirm_at,
    ),
    lease_owner="",
    lease_until=None,
)
_DEFER_NOT_DONE = _DEFER.values(attempted_at=None, unsure_until=None)
_DEFER_UNSURE = _DEFER.values(unsure_until=sa.bindparam("unsure", type_=tables.UtcTime))
_FORGET = _CHANGE.values(
    delivery_id=sa.bindparam("new_id"),
    ts="",
    sent_revision=0,
    wanted_revision=sa.func.coalesce(_t.c.wanted_revision, 0) + 1,
    attempted_at=None,
    unsure_until=None,
    confirm_at=None,
    lease_owner="",
    lease_until=None,
    next_at=_Now,
)
_MOVE = _FORGET.values(channel_id="")
_SHOWN = (
    sa.select(_t, _parent.c.ts.label("parent_ts"), _parent.c.channel_id.label("parent_channel_id"))
    .join_from(_t, _parent, _parent.c.id == _t.c.parent_id, isouter=True)
    .order_by(_t.c.id)
)
_ALL_OF = _SHOWN.where(_t.c.id.in_(sa.bindparam("ids", expanding=True)))
_ONE = _SHOWN.where(_t.c.id == sa.bindparam("message"))
_UNPOSTED = _SHOWN.where(_t.c.parent_id == sa.bindparam("parent"), _t.c.sent_revision == 0).limit(
    sa.bindparam("most")
)
_FIND = _SHOWN.where(_t.c.kind == sa.bindparam("kind"), _t.c.ref == sa.bindparam("ref"))
_BY_TS = _SHOWN.where(_t.c.channel_id == sa.bindparam("channel_id"), _t.c.ts == sa.bindparam("ts"))
_NEXT_AT = _waiting(
    sa.select(
        sa.func.min(
            sa.case(
                (_t.c.lease_until.is_not(None) & (_t.c.lease_until > _t.c.next_at), _t.c.lease_until),
                else_=_t.c.next_at,
            ),
            type_=tables.UtcTime,
        )
    )
)
_STATE = sa.select(
    sa.func.count(),
    sa.func.min(_t.c.wanted_at, type_=tables.UtcTime),
    sa.func.count().filter(_t.c.last_error != ""),
    sa.func.max(_t.c.last_error),
).where(_t.c.sent_revision < _t.c.wanted_revision)


class OutboxTable:
    """Implements ``triage.ports.store.Outbox``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

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
        """Ask for a message, or for its edit where it is asked for already. Returns its id."""
        row: dict[str, Any] = {
            "delivery_id": uuid.uuid4().hex,
            "kind": kind.value,
            "ref": clean(ref),
            "channel": clean(channel),
            "incident_id": incident_id,
            "parent_id": self._card(incident_id) if in_thread else parent_id,
            "wanted_revision": 1,
            "sent_revision": 0,
            "ts": "",
            "channel_id": "",
            "urgency": urgency,
            "attempts": 0,
            "next_at": now + timedelta(seconds=wait_seconds),
            "created_at": now,
            "wanted_at": now,
            "lease_owner": "",
            "last_error": "",
            "data": {},
        }
        wanted = int(self._connection.execute(_want(self._connection.dialect.name), row).scalar_one())
        if kind is MessageKind.LINE and urgency < LINE_URGENCY:  # the lines before it go first, and with it
            self._connection.execute(
                _HURRY, {"parent": row["parent_id"], "than": urgency, "urgency": urgency}
            )
        return wanted

    def _card(self, incident_id: int | None) -> int:
        card_id = self._connection.execute(_CARD, {"card": str(incident_id)}).scalar()
        if card_id is None:  # posted at the top it would be a message of its own: a mistake that must show
            raise LookupError(f"a thread line for incident {incident_id}, which has no card yet")
        return int(card_id)

    def claim(
        self,
        now: datetime,
        *,
        owner: str,
        lease_seconds: float,
        limit: int,
        unsure_seconds: float = 0.0,
    ) -> list[Message]:
        """Take due messages: most urgent first, a thread's in their order and only below a posted parent."""
        times = {"now": now, "far": now + FAR}
        ids = list(self._connection.execute(_DUE, {**times, "most": limit}).scalars())
        if len(ids) < limit:
            ids += self._connection.execute(_DOUBTFUL, {**times, "most": limit - len(ids)}).scalars()
        if not ids:
            return []
        # Read before the claim: ``attempted_at`` is then what an earlier, unfinished attempt left.
        claimed = self._messages(_ALL_OF, ids=padded(ids))
        claim = {
            "ids": padded(ids),
            "owner": owner,
            "until": now + timedelta(seconds=lease_seconds),
            "unsure": now + timedelta(seconds=unsure_seconds),
            "now": now,
        }
        self._connection.execute(_CLAIM, claim)
        if len(claimed) < len(set(ids)):
            claimed += self._mended(set(ids) - {message.id for message in claimed}, now)
        return sorted(claimed, key=lambda message: (message.urgency, message.id))

    def _mended(self, unreadable: set[int], now: datetime) -> list[Message]:
        """Return what can be read without its doubt, of which the worst is taken then.

        What cannot be read even so waits without holding up what is behind it, and is tried again later.
        """
        ids = sorted(unreadable)
        self._connection.execute(_DOUBT_ALL, {"ids": padded(ids)})
        mended = self._messages(_ALL_OF, ids=padded(ids))
        if left := sorted(unreadable - {message.id for message in mended}):
            self._connection.execute(_PUT_OFF, {"ids": padded(left), "again": now + UNREADABLE_AGAIN})
        return mended

    def release(self) -> None:
        """Give every claimed message back at once; what may have been posted stays marked as such."""
        self._connection.execute(_RELEASE)

    def release_of(self, owner: str, unsure_until: datetime) -> None:
        """Give back what a dead process had claimed; what it had begun may take effect until then, and no longer."""
        self._connection.execute(_RELEASE_OF, {"owner": owner, "unsure": unsure_until})

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
        changes = {
            "message": message_id,
            "ts": clean(ts),
            "channel_id": clean(channel_id),
            "sent_revision": revision,
            "wanted_at": now,
            "attempts": 0,
            "attempted_at": None,
            "unsure_until": None,
            **_doubt_values(doubt),
            "lease_owner": "",
            "lease_until": None,
            "last_error": "",
            # Due at once when more is wanted: also after the clock was set back.
            "next_at": tables.EPOCH,
        }
        self._connection.execute(_CHANGE, changes)

    def confirmed(self, message_id: int, doubt: Doubt | None) -> None:
        """Record that a doubt was looked into; None: nothing is left of it."""
        freed = {"attempted_at": None, "unsure_until": None, "lease_owner": "", "lease_until": None}
        self._connection.execute(_CHANGE, {"message": message_id, **freed, **_doubt_values(doubt)})

    def unsure(self, message_id: int, until: datetime) -> None:
        """Record that an attempt begins which may take effect until then."""
        self._connection.execute(_CHANGE, {"message": message_id, "unsure_until": until})

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
        """Give a message back for later; ``unknown``: it may have been done, look before doing it again."""
        changes = {"message": message_id, "until": until, "error": clean(error), "counted": int(counted)}
        if unsure_until is not None:
            self._connection.execute(_DEFER_UNSURE, {**changes, "unsure": unsure_until})
        else:
            self._connection.execute(_DEFER if unknown else _DEFER_NOT_DONE, changes)

    def forget(self, message_id: int, now: datetime, *, moved: bool = False) -> None:
        """Give a message that is gone from Slack a new delivery id, to be posted anew."""
        values = {"message": message_id, "new_id": uuid.uuid4().hex, "now": now}
        self._connection.execute(_MOVE if moved else _FORGET, values)

    def get(self, message_id: int) -> Message | None:
        """Return one message."""
        return next(iter(self._messages(_ONE, message=message_id)), None)

    def unposted_in_thread(self, parent_id: int, limit: int = 50) -> list[Message]:
        """Return a thread's messages that Slack has not got yet, in their order."""
        return self._messages(_UNPOSTED, parent=parent_id, most=limit)

    def find(self, kind: MessageKind, ref: str) -> Message | None:
        """Return the message that shows something."""
        return next(iter(self._messages(_FIND, kind=kind.value, ref=clean(ref))), None)

    def by_ts(self, channel_id: str, ts: str) -> Message | None:
        """Return the message that Slack knows by a ts."""
        return next(iter(self._messages(_BY_TS, channel_id=clean(channel_id), ts=clean(ts))), None)

    def _messages(self, query: sa.Select[Any], **values: object) -> list[Message]:
        return read_all(self._connection, query, values, _message, self._unreadable, key=_t.c.id)

    def next_at(self) -> datetime | None:
        """When the next message falls due; None when nothing is owed."""
        times = (self._connection.execute(query).scalar() for query in (_NEXT_AT, _NEXT_DOUBT))
        return min((at for at in times if at is not None), default=None)

    def state(self) -> OutboxState:
        """How much is owed."""
        pending, oldest, failing, error = self._connection.execute(_STATE).one()
        return OutboxState(pending=pending, oldest_at=oldest, failing=failing, last_error=error or "")


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
        unsure_until=row["unsure_until"],
        parent_ts=row["parent_ts"] or "",
        channel_id=row["channel_id"],
        parent_channel_id=row["parent_channel_id"] or "",
        last_error=row["last_error"],
        urgency=row["urgency"],
        doubt=_doubt(row["confirm_at"], row["data"]),
    )


def _doubt_values(doubt: Doubt | None) -> dict[str, Any]:
    if doubt is None:
        return {"confirm_at": None, "data": {}}
    return {"confirm_at": doubt.at, "data": {"post": doubt.post, "edit": doubt.edit, "looks": doubt.looks}}


def _doubt(at: datetime | None, data: Mapping[str, Any]) -> Doubt | None:
    if at is None:
        return None
    return Doubt(at, bool(data.get("post")), bool(data.get("edit")), int(data.get("looks") or 0))
