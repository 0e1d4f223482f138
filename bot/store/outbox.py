"""The outbox: messages owed to Slack, claimed under a lease; due while more is wanted than was sent."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import outbox_statements as statements
from bot.store import tables
from bot.store.health import Unreadable
from bot.store.passing import passing
from bot.store.prepared import Prepared
from bot.store.reading import read_all
from bot.store.shapes import texts, whole_numbers
from bot.store.text import clean
from bot.store.value_lists import padded
from triage.incidents.notifications import LINE_URGENCY
from triage.ports.store import ASIDE, Message, MessageKind, OutboxState, Recheck

_LOOKED_THROUGH = 200
"""Messages of a thread among which one is looked for that need not wait."""


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
            "post_id": "",
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
        wanted = int(statements.want(self._connection.dialect.name).scalar(self._connection, row))
        if kind is MessageKind.LINE and urgency < LINE_URGENCY:  # the lines before it go first, and with it
            hurry = {"parent": row["parent_id"], "to": urgency, "due": row["next_at"]}
            statements.HURRY.run(self._connection, hurry)
        return wanted

    def _card(self, incident_id: int | None) -> int:
        card_id = statements.CARD.scalar(self._connection, {"card": str(incident_id)})
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
        times = {"now": now, "far": now + statements.FAR}
        ids = self._passing_at(now)[:limit]
        ids += statements.DUE.scalars(self._connection, {**times, "most": limit - len(ids)})
        if len(ids) < limit:
            rechecks = {**times, "most": limit - len(ids)}
            ids += statements.RECHECKS_DUE.scalars(self._connection, rechecks)
        if not ids:
            return []
        # Read before the claim: ``attempted_at`` is then what an earlier, unfinished attempt left.
        claimed = self._messages(statements.ALL_OF, ids=padded(ids))
        claim = {
            "ids": padded(ids),
            "owner": owner,
            "until": now + timedelta(seconds=lease_seconds),
            "unsure": now + timedelta(seconds=unsure_seconds),
            "now": now,
        }
        statements.CLAIM.run(self._connection, claim)
        if len(claimed) < len(set(ids)):
            claimed += self._mended(set(ids) - {message.id for message in claimed}, now)
        return sorted(claimed, key=lambda message: (message.urgency, message.id))

    def _passing(self) -> list[tuple[Message, datetime]]:
        """Return the lines that go before what of their threads is in doubt, and from when on they may."""
        threads = statements.DOUBTED.scalars(self._connection, {})
        found = (
            passing(self.unposted_in_thread(one, _LOOKED_THROUGH), statements.UNORDERED) for one in threads
        )
        return [each for each in found if each is not None and each[0].parent_post_id]

    def _passing_at(self, now: datetime) -> list[int]:
        far = now + statements.FAR
        lines = [line.id for line, at in self._passing() if at <= now or at > far]
        if not lines:
            return []
        return statements.FREE.scalars(self._connection, {"ids": padded(lines), "now": now, "far": far})

    def _mended(self, unreadable: set[int], now: datetime) -> list[Message]:
        """Return what can be read without its recheck; everything is looked at again then.

        What cannot be read even so waits without holding up what is behind it, and is tried again later.
        """
        ids = sorted(unreadable)
        statements.RECHECK_ALL.run(self._connection, {"ids": padded(ids)})
        mended = self._messages(statements.ALL_OF, ids=padded(ids))
        if left := sorted(unreadable - {message.id for message in mended}):
            statements.PUT_OFF.run(
                self._connection, {"ids": padded(left), "again": now + statements.UNREADABLE_AGAIN}
            )
        return mended

    def held_until(self, message_id: int, owner: str) -> datetime | None:
        """Return when an owner's lease of a message ends; None where the message is not his, or not any more."""
        held = {"message": message_id, "owner": owner}
        until: datetime | None = statements.HELD_UNTIL.scalar(self._connection, held)
        return until

    def release(self) -> None:
        """Give every claimed message back at once; what may have been posted stays marked as such."""
        statements.RELEASE.run(self._connection, {})

    def release_of(self, owner: str, unsure_until: datetime) -> None:
        """Give back what a dead process had claimed; what it had begun may take effect until then, and no longer."""
        statements.RELEASE_OF.run(self._connection, {"owner": owner, "unsure": unsure_until})

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
        """Record that Slack has a revision of the message, and what of it is to be made sure of later."""
        changes = {
            "message": message_id,
            "post_id": clean(post_id),
            "channel_id": clean(channel_id),
            "sent_revision": revision,
            "wanted_at": now,
            "attempts": 0,
            "attempted_at": None,
            "unsure_until": None,
            **_recheck_values(recheck),
            "lease_owner": "",
            "lease_until": None,
            "last_error": "",
            # Due at once when more is wanted: also after the clock was set back.
            "next_at": tables.EPOCH,
        }
        statements.CHANGE.run(self._connection, changes)

    def confirmed(self, message_id: int, recheck: Recheck | None) -> None:
        """Record that a recheck was made; None: no further one is needed."""
        freed = {"attempted_at": None, "unsure_until": None, "lease_owner": "", "lease_until": None}
        statements.CHANGE.run(self._connection, {"message": message_id, **freed, **_recheck_values(recheck)})

    def unsure(self, message_id: int, until: datetime) -> None:
        """Record that an attempt begins which may take effect until then."""
        statements.CHANGE.run(self._connection, {"message": message_id, "unsure_until": until})

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
            statements.DEFER_UNSURE.run(self._connection, {**changes, "unsure": unsure_until})
        else:
            (statements.DEFER if unknown else statements.DEFER_NOT_DONE).run(self._connection, changes)

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
        held = {"owner": owner, "but": sorted(but)}
        for claimed in unbegun:  # first: what is given back is nobody's any more
            statements.NOT_BEGUN.run(self._connection, {**held, "claimed": claimed})
        given = {**held, "until": now, "error": clean(error), "counted": 0}
        statements.GIVE_BACK.run(self._connection, given)

    def hasten(self, error: str, now: datetime) -> None:
        """Let what waits because of an error be due now: its reason is gone."""
        statements.HASTEN.run(self._connection, {"error": clean(error), "now": now})

    def put_behind(
        self, incident_ids: Collection[int], urgency: int, *, now: datetime, wait_seconds: float
    ) -> None:
        """Let the unposted cards of incidents wait for what is more urgent than ``urgency``.

        Those that ask for nobody at once also wait so many seconds: whoever told of them already goes on telling.
        """
        refs = [str(one) for one in incident_ids]
        later = now + timedelta(seconds=wait_seconds)
        values = {"refs": padded(refs), "to": urgency, "later": later}
        statements.PUT_BEHIND.run(self._connection, values)

    def step_aside(self, message_id: int) -> None:
        """Let what comes after a message in its thread go on without it; it is still owed."""
        statements.CHANGE.run(self._connection, {"message": message_id, "urgency": ASIDE})

    def forget(self, message_id: int, now: datetime, *, moved: bool = False, doubted: bool = False) -> None:
        """Give a message that is gone from Slack a new delivery id, to be posted anew.

        ``doubted``: a late copy of it may come yet. It keeps its delivery id, by which that one is found.
        """
        if doubted:
            statements.POST_ANEW.run(self._connection, {"message": message_id, "now": now})
            return
        values = {"message": message_id, "new_id": uuid.uuid4().hex, "now": now}
        (statements.MOVE if moved else statements.FORGET).run(self._connection, values)

    def get(self, message_id: int) -> Message | None:
        """Return one message."""
        return next(iter(self._messages(statements.ONE, message=message_id)), None)

    def unposted_in_thread(self, parent_id: int, limit: int = 50) -> list[Message]:
        """Return a thread's messages that Slack has not got yet, in their order."""
        return self._messages(statements.UNPOSTED, parent=parent_id, most=limit)

    def find(self, kind: MessageKind, ref: str) -> Message | None:
        """Return the message that shows something."""
        return next(iter(self._messages(statements.FIND, kind=kind.value, ref=clean(ref))), None)

    def by_post_id(self, channel_id: str, post_id: str) -> Message | None:
        """Return the message that the chat knows by an id."""
        return next(
            iter(self._messages(statements.BY_POST_ID, channel_id=clean(channel_id), post_id=clean(post_id))),
            None,
        )

    def _messages(self, query: Prepared, **values: object) -> list[Message]:
        return read_all(self._connection, query, values, _message, self._unreadable, key=tables.messages.c.id)

    def next_at(self) -> datetime | None:
        """When the next message falls due; None when nothing is owed."""
        times = (
            query.scalar(self._connection, {}) for query in (statements.NEXT_AT, statements.NEXT_RECHECK)
        )
        passing_at = (at for _, at in self._passing())
        return min((at for at in (*times, *passing_at) if at is not None), default=None)

    def state(self) -> OutboxState:
        """Return how many messages or edits are owed, and since when the oldest of them waits."""
        pending, oldest, failing, error = statements.STATE.tuples(self._connection, {})[0]
        return OutboxState(pending=pending, oldest_at=oldest, failing=failing, last_error=error or "")


def _message(row: Mapping[Any, Any]) -> Message:
    whole_numbers(row, "wanted_revision", "sent_revision", "urgency", "attempts")
    texts(row, "delivery_id", "ref", "channel", "post_id", "channel_id", "last_error")
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
        post_id=row["post_id"],
        attempts=row["attempts"],
        next_at=row["next_at"],
        created_at=row["created_at"],
        attempted_at=row["attempted_at"],
        unsure_until=row["unsure_until"],
        parent_post_id=row["parent_post_id"] or "",
        channel_id=row["channel_id"],
        parent_channel_id=row["parent_channel_id"] or "",
        last_error=row["last_error"],
        urgency=row["urgency"],
        recheck=_recheck(row["confirm_at"], row["data"]),
    )


def _recheck_values(recheck: Recheck | None) -> dict[str, Any]:
    if recheck is None:
        return {"confirm_at": None, "data": {}}
    return {
        "confirm_at": recheck.at,
        "data": {
            "post": recheck.post,
            "edit": recheck.edit,
            "looks": recheck.looks,
            "looked_at": recheck.looked_at.isoformat() if recheck.looked_at is not None else None,
        },
    }


def _recheck(at: datetime | None, data: Mapping[str, Any]) -> Recheck | None:
    if at is None:
        return None
    looked = data.get("looked_at")
    return Recheck(
        at,
        post=bool(data.get("post")),
        edit=bool(data.get("edit")),
        looks=int(data.get("looks") or 0),
        looked_at=datetime.fromisoformat(looked) if looked else None,
    )
