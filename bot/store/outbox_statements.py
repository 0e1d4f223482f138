"""The outbox's statements, each built once.

Building one takes longer than running it, and an alert's first post runs a dozen.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.prepared import Prepared
from bot.store.upsert import insert_for
from triage.ports.store import ASIDE, MessageKind

_t = tables.messages
_parent = _t.alias("parent")
_before = _t.alias("before")
UNORDERED = tuple(
    kind.value for kind in (MessageKind.ACTION, MessageKind.TRIAGE, MessageKind.ROLL, MessageKind.FEEDBACK)
)
"""Kinds that have no place in the order of a thread."""
UNREADABLE_AGAIN = timedelta(minutes=5)
_Now = sa.bindparam("now", type_=tables.UtcTime)


@cache
def want(dialect: str) -> Prepared:
    """Return the statement that asks for a message, or for its edit where it is asked for already."""
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
    return Prepared(wanted.returning(_t.c.id))


def _unordered(table: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.or_(
        *(table.c.kind == kind for kind in UNORDERED)
    )  # an IN would be expanded anew with each claim


def _waiting(query: sa.Select[Any]) -> sa.Select[Any]:
    """Narrow to what could be sent: owed, its parent posted, nothing of its thread unposted before it.

    An action's message need not wait for the lines before it: somebody is watching for it. What is edited as it
    lives (a triage's summary, the pages of a storm) tells no order of things either; no line waits for such a one.
    """
    earlier = sa.exists().where(
        _before.c.parent_id == _t.c.parent_id,
        _before.c.id < _t.c.id,
        _before.c.sent_revision == 0,
        _before.c.urgency < ASIDE,
        ~_unordered(_before),
    )
    free = (_t.c.sent_revision > 0) | (_t.c.parent_id.is_(None)) | _unordered(_t)
    first_in_thread = free | ~earlier
    # Asked of each by its id, not joined: PostgreSQL takes a third of all messages for owed, and would read all parents.
    parent = sa.select(_parent.c.post_id).where(_parent.c.id == _t.c.parent_id).scalar_subquery()
    parent_posted = (_t.c.parent_id.is_(None)) | (parent != "")
    return query.where(_t.c.sent_revision < _t.c.wanted_revision).where(parent_posted, first_in_thread)


CARD = Prepared(
    sa.select(_t.c.id).where(_t.c.kind == MessageKind.CARD.value, _t.c.ref == sa.bindparam("card"))
)
FAR = timedelta(minutes=10)
"""Nothing waits for so long: a time further off is from before the clock was set back, and over."""
_Far = sa.bindparam("far", type_=tables.UtcTime)
UNCLAIMED = _t.c.lease_until.is_(None) | (_t.c.lease_until < _Now) | (_t.c.lease_until > _Far)
DUE = Prepared(
    _waiting(sa.select(_t.c.id))
    .where((_t.c.next_at <= _Now) | (_t.c.next_at > _Far), UNCLAIMED)
    .order_by(_t.c.urgency, _t.c.sent_revision > 0, _t.c.id)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True, of=_t)
)
DOUBTED = Prepared(
    sa.select(_t.c.parent_id)
    .distinct()
    .where(_t.c.sent_revision < _t.c.wanted_revision, _t.c.sent_revision == 0, _t.c.urgency < ASIDE)
    .where(_t.c.attempted_at.is_not(None), _t.c.parent_id.is_not(None))
)
FREE = Prepared(
    sa.select(_t.c.id)
    .where(_t.c.id.in_(sa.bindparam("ids", expanding=True)), UNCLAIMED)
    .with_for_update(skip_locked=True, of=_t)
)
CLAIM = Prepared(
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
RECHECK_ALL = Prepared(_THESE.values(data={"post": True, "edit": True, "looks": 0}))
PUT_OFF = Prepared(
    _THESE.values(
        urgency=ASIDE,
        next_at=sa.bindparam("again", type_=tables.UtcTime),
        confirm_at=None,
        last_error="what the store holds of it cannot be read",
        lease_owner="",
        lease_until=None,
    )
)
_Due = sa.bindparam("due", type_=tables.UtcTime)
# What waits for others to be one message with them waits no longer; what waits because it failed does.
_WAITS_FOR_OTHERS = (_t.c.next_at > _Due) & _t.c.attempted_at.is_(None) & (_t.c.last_error == "")
HURRY = Prepared(
    sa.update(_t)
    .where(
        _t.c.parent_id == sa.bindparam("parent"),
        _t.c.kind == MessageKind.LINE.value,
        _t.c.sent_revision == 0,
        _t.c.urgency > sa.bindparam("to"),
        _t.c.urgency < ASIDE,
    )
    .values(urgency=sa.bindparam("to"), next_at=sa.case((_WAITS_FOR_OTHERS, _Due), else_=_t.c.next_at))
)
PUT_BEHIND = Prepared(
    sa.update(_t)
    .where(
        _t.c.kind == MessageKind.CARD.value,
        _t.c.ref.in_(sa.bindparam("refs", expanding=True)),
        _t.c.sent_revision == 0,
        _t.c.urgency <= sa.bindparam("to"),
    )
    .values(
        urgency=sa.bindparam("to"),
        next_at=sa.case((_t.c.urgency > 1, sa.bindparam("later", type_=tables.UtcTime)), else_=_t.c.next_at),
    )
)
RECHECKS_DUE = Prepared(
    sa.select(_t.c.id)
    .where((_t.c.confirm_at <= _Now) | (_t.c.confirm_at > _Far), _t.c.sent_revision == _t.c.wanted_revision)
    .where(UNCLAIMED)
    .order_by(_t.c.confirm_at)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True, of=_t)
)
NEXT_RECHECK = Prepared(
    sa.select(
        sa.func.min(
            sa.case((_t.c.lease_until > _t.c.confirm_at, _t.c.lease_until), else_=_t.c.confirm_at),
            type_=tables.UtcTime,
        )
    ).where(_t.c.confirm_at.is_not(None), _t.c.sent_revision == _t.c.wanted_revision)
)
HELD_UNTIL = Prepared(
    sa.select(_t.c.lease_until).where(
        _t.c.id == sa.bindparam("message"), _t.c.lease_owner == sa.bindparam("owner")
    )
)
# A message is claimed while it is owed or to be rechecked: two questions that each have an index. Asked by the lease
# alone, every message there ever was would be read.
_CLAIMABLE = sa.union_all(
    sa.select(_t.c.id).where(_t.c.sent_revision < _t.c.wanted_revision),
    sa.select(_t.c.id).where(_t.c.confirm_at.is_not(None)),
)
_CLAIMED = sa.update(_t).where(_t.c.id.in_(_CLAIMABLE), _t.c.lease_until.is_not(None))
RELEASE = Prepared(_CLAIMED.values(lease_owner="", lease_until=None))
_Unsure = sa.bindparam("unsure", type_=tables.UtcTime)
_CLAIMED_BY = _CLAIMED.where(_t.c.lease_owner == sa.bindparam("owner"))
RELEASE_OF = Prepared(
    _CLAIMED_BY.values(
        lease_owner="",
        lease_until=None,
        unsure_until=sa.case((_t.c.unsure_until > _Unsure, _Unsure), else_=_t.c.unsure_until),
    )
)
_CHANGE = sa.update(_t).where(_t.c.id == sa.bindparam("message"))
CHANGE = Prepared(_CHANGE)
_DEFERRED: dict[str, Any] = {
    "next_at": sa.bindparam("until", type_=tables.UtcTime),
    "last_error": sa.bindparam("error"),
    "attempts": _t.c.attempts + sa.bindparam("counted", type_=sa.Integer),
    "confirm_at": sa.case(
        (
            _t.c.confirm_at < sa.bindparam("until", type_=tables.UtcTime),
            sa.bindparam("until", type_=tables.UtcTime),
        ),
        else_=_t.c.confirm_at,
    ),
    "lease_owner": "",
    "lease_until": None,
}
_DEFER = _CHANGE.values(**_DEFERRED)
DEFER = Prepared(_DEFER)
HASTEN = Prepared(
    sa.update(_t)
    .where(_t.c.sent_revision < _t.c.wanted_revision, _t.c.next_at > _Now)
    .where(_t.c.last_error == sa.bindparam("error"))
    .values(next_at=_Now)
)
_HELD = _CLAIMED_BY.where(_t.c.id.not_in(sa.bindparam("but", expanding=True)))
GIVE_BACK = Prepared(_HELD.values(**_DEFERRED))
NOT_BEGUN = Prepared(
    # An attempt of unknown outcome that is older has kept its own time.
    _HELD.where(_t.c.attempted_at == sa.bindparam("claimed", type_=tables.UtcTime)).values(
        attempted_at=None, unsure_until=None
    )
)
DEFER_NOT_DONE = Prepared(_DEFER.values(attempted_at=None, unsure_until=None))
DEFER_UNSURE = Prepared(_DEFER.values(unsure_until=sa.bindparam("unsure", type_=tables.UtcTime)))
_POST_ANEW = _CHANGE.values(
    post_id="",
    sent_revision=0,
    wanted_revision=sa.func.coalesce(_t.c.wanted_revision, 0) + 1,
    attempted_at=None,
    unsure_until=None,
    lease_owner="",
    lease_until=None,
    next_at=_Now,
)
POST_ANEW = Prepared(_POST_ANEW)
_FORGET = _POST_ANEW.values(delivery_id=sa.bindparam("new_id"), confirm_at=None)
FORGET = Prepared(_FORGET)
MOVE = Prepared(_FORGET.values(channel_id=""))
_SHOWN = (
    sa.select(_t, _parent.c.post_id.label("parent_post_id"), _parent.c.channel_id.label("parent_channel_id"))
    .join_from(_t, _parent, _parent.c.id == _t.c.parent_id, isouter=True)
    .order_by(_t.c.id)
)
ALL_OF = Prepared(_SHOWN.where(_t.c.id.in_(sa.bindparam("ids", expanding=True))))
ONE = Prepared(_SHOWN.where(_t.c.id == sa.bindparam("message")))
UNPOSTED = Prepared(
    _SHOWN.where(_t.c.parent_id == sa.bindparam("parent"), _t.c.sent_revision == 0).limit(
        sa.bindparam("most")
    )
)
FIND = Prepared(_SHOWN.where(_t.c.kind == sa.bindparam("kind"), _t.c.ref == sa.bindparam("ref")))
BY_POST_ID = Prepared(
    _SHOWN.where(_t.c.channel_id == sa.bindparam("channel_id"), _t.c.post_id == sa.bindparam("post_id"))
)
NEXT_AT = Prepared(
    _waiting(
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
)
STATE = Prepared(
    sa.select(
        sa.func.count(),
        sa.func.min(_t.c.wanted_at, type_=tables.UtcTime),
        sa.func.count().filter(_t.c.last_error != ""),
        sa.func.max(_t.c.last_error),
    ).where(_t.c.sent_revision < _t.c.wanted_revision)
)
