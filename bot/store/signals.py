"""Signals: stored once by their key; the ones without an outcome are the inbox of correlation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.reading import read_all, whole_or_unreadable
from bot.store.shapes import json_object, text_object, texts
from bot.store.text import clean
from bot.store.upsert import insert_or_leave
from bot.store.value_lists import padded
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.ports.store import StoredSignal, WaitingSignal

_t = tables.signals
_MANY = 512
"""Keys in one question: databases limit how many values one statement may name."""

_INBOX = Prepared(sa.select(_t).where(_t.c.outcome == "").order_by(_t.c.id).limit(sa.bindparam("most")))
_KNOWN = Prepared(sa.select(_t.c.key).where(_t.c.key.in_(sa.bindparam("keys", expanding=True))))
_ENDED = Prepared(
    sa.select(_t.c.source, _t.c.episode).where(
        _t.c.episode.in_(sa.bindparam("episodes", expanding=True)),
        _t.c.status == SignalStatus.RESOLVED.value,
        _t.c.outcome != "",
    )
)
_SEEN_AGAIN = Prepared(
    sa.update(_t)
    .where(_t.c.key == sa.bindparam("known"))
    .values(last_seen_at=sa.bindparam("at"), seen=_t.c.seen + 1)
)
_SORTED = Prepared(
    sa.update(_t)
    .where(_t.c.id == sa.bindparam("signal"))
    .values(incident_id=sa.bindparam("incident"), outcome=sa.bindparam("why"))
)


class SignalTable:
    """Implements ``triage.ports.store.Signals``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def add(self, signals: Sequence[Signal]) -> int:
        """Store the signals; a repeat only moves ``last seen``. Returns how many were new."""
        return self.add_each([signals])[0]

    def add_each(self, groups: Sequence[Sequence[Signal]]) -> list[int]:
        """Store the signals of several callers in one statement. Returns how many were new, for each of them."""
        rows: dict[str, dict[str, Any]] = {}
        firsts = []
        for signals in groups:
            mine = [_row(signal) for signal in signals]
            firsts.append([row["key"] for row in mine if row["key"] not in rows])
            rows.update((row["key"], row) for row in mine)
        if not rows:
            return [0] * len(firsts)
        known = self._known(list(rows))
        self._insert([row for key, row in rows.items() if key not in known])
        if known:
            again = [{"known": key, "at": rows[key]["last_seen_at"]} for key in sorted(known)]
            _SEEN_AGAIN.run_each(self._connection, again)
        return [len(set(keys) - known) for keys in firsts]

    def _known(self, keys: list[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(keys), _MANY):
            known.update(_KNOWN.scalars(self._connection, {"keys": padded(keys[start : start + _MANY])}))
        return known

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        if self._connection.dialect.name == "postgresql":
            # Another replica may be storing the same ones: in one order, or each would wait for the other.
            # What happens to one episode stays in the order in which it came.
            rows.sort(key=itemgetter("episode"))
        insert_or_leave(self._connection, _t, "key").run_each(self._connection, rows)

    def inbox(self, limit: int) -> list[StoredSignal]:
        """Return the oldest signals that are not sorted yet. Raises RecordUnreadable where one of them cannot be read."""
        with whole_or_unreadable("a signal of the inbox"):
            return [_stored(row) for row in _INBOX.rows(self._connection, {"most": limit})]

    def sort(self, outcomes: Sequence[tuple[int, int | None, str]]) -> None:
        """Take signals (signal id, incident id or None, why) out of the inbox."""
        if outcomes:
            rows = [{"signal": one, "incident": incident, "why": why} for one, incident, why in outcomes]
            _SORTED.run_each(self._connection, rows)

    def waiting(self) -> int:
        """Return how many signals are not sorted yet."""
        query = sa.select(sa.func.count()).where(_t.c.outcome == "")
        return int(self._connection.execute(query).scalar_one())

    def waiting_ids(self, limit: int) -> list[int]:
        """Return the ids of the oldest signals that are not sorted yet, without reading what they hold."""
        query = sa.select(_t.c.id).where(_t.c.outcome == "").order_by(_t.c.id).limit(limit)
        return [int(found) for found in self._connection.execute(query).scalars()]

    def waiting_one(self, signal_id: int) -> StoredSignal | None:
        """Return one signal where it is not sorted yet. Raises RecordUnreadable."""
        query = sa.select(_t).where(_t.c.id == signal_id, _t.c.outcome == "")
        with whole_or_unreadable(f"signal {signal_id}"):
            row = self._connection.execute(query).mappings().first()
            return None if row is None else _stored(row)

    def waiting_text(self, signal_id: int) -> WaitingSignal | None:
        """Return what of an unsorted signal can be read even where the signal cannot."""
        asked = (_t.c.id, _t.c.status, _t.c.name, _t.c.subject_name, _t.c.severity, _t.c.incident_id)
        query = sa.select(*asked).where(_t.c.id == signal_id, _t.c.outcome == "")
        row = self._connection.execute(query).first()
        return None if row is None else WaitingSignal(*row)

    def take_up(self, outcome: str) -> int:
        """Put every signal whose outcome begins with a text back into the inbox. Returns how many."""
        query = sa.select(_t.c.id).where(_t.c.outcome.startswith(outcome, autoescape=True))
        ids = list(self._connection.execute(query).scalars())
        for start in range(0, len(ids), _MANY):
            some = _t.c.id.in_(ids[start : start + _MANY])
            self._connection.execute(sa.update(_t).where(some).values(outcome=""))
        return len(ids)

    def ended(self, keys: Iterable[tuple[Source, str]]) -> set[tuple[Source, str]]:
        """Return those of these episodes whose resolve was sorted; one that waits has its turn when it is sorted."""
        wanted = {(source.value, clean(episode)): (source, episode) for source, episode in keys}
        names, found = sorted({episode for _, episode in wanted}), set[tuple[Source, str]]()
        for start in range(0, len(names), _MANY):
            rows = _ENDED.tuples(self._connection, {"episodes": padded(names[start : start + _MANY])})
            found.update(wanted[source, episode] for source, episode in rows if (source, episode) in wanted)
        return found

    def fired_after_end(self, since: datetime, margin_seconds: float) -> list[tuple[StoredSignal, datetime]]:
        """Return alerts that were said to fire, since a time, well after every episode of theirs had ended.

        What came once, and before the end did, is none, whatever the times say: a clock was set back meanwhile, or is
        another replica's.
        """
        e, end = tables.episodes, _t.alias("end")
        of_alert = (e.c.source == _t.c.source) & (e.c.fingerprint == _t.c.fingerprint)
        ended_behind = sa.exists().where(
            end.c.source == _t.c.source,
            end.c.episode == _t.c.episode,
            end.c.status == SignalStatus.RESOLVED.value,
            end.c.id > _t.c.id,
        )
        ended = sa.select(sa.func.max(e.c.last_seen_at)).where(of_alert).scalar_subquery()
        fires = sa.exists().where(of_alert, e.c.firing)
        query = sa.select(_t, sa.type_coerce(ended, tables.UtcTime).label("ended_at")).where(
            _t.c.last_seen_at > since,
            _t.c.source == Source.ALERTMANAGER.value,
            _t.c.status == SignalStatus.FIRING.value,
            _t.c.fingerprint != "",
            _t.c.outcome != "",
            ~fires,
            (_t.c.seen > 1) | ~ended_behind,
            sa.type_coerce(_t.c.last_seen_at, sa.BigInteger)
            > sa.type_coerce(ended, sa.BigInteger) + int(margin_seconds * 1_000_000),
        )
        found = read_all(
            self._connection,
            query,
            {},
            lambda row: (_stored(row), row["ended_at"]),
            self._unreadable,
            key=_t.c.id,
        )
        # In order here: asked to order them by id, SQLite reads every signal there ever was.
        return sorted(found, key=lambda each: each[0].id)

    def last_seen(self, incident_id: int) -> datetime | None:
        """Return when a signal of the incident, or a repeat of one, came last."""
        last = sa.func.max(_t.c.last_seen_at, type_=tables.UtcTime)
        when: datetime | None = self._connection.execute(
            sa.select(last).where(_t.c.incident_id == incident_id)
        ).scalar()
        return when

    def of(self, incident_id: int) -> list[StoredSignal]:
        """Return the signals of an incident, oldest first."""
        query = sa.select(_t).where(_t.c.incident_id == incident_id).order_by(_t.c.id)
        return read_all(self._connection, query, {}, _stored, self._unreadable)


def _row(signal: Signal) -> dict[str, Any]:
    return {
        "key": clean(signal.key),
        "source": signal.source.value,
        "episode": clean(signal.episode),
        "status": signal.status.value,
        "name": clean(signal.name),
        "subject_kind": signal.subject.kind.value,
        "subject_name": clean(signal.subject.name),
        "severity": signal.severity.value,
        "starts_at": signal.starts_at,
        "ends_at": signal.ends_at,
        "received_at": signal.received_at,
        "last_seen_at": signal.received_at,
        "labels": dict(signal.labels),
        "annotations": dict(signal.annotations),
        "generator_url": clean(signal.generator_url),
        "fingerprint": clean(signal.fingerprint),
        "data": dict(signal.data),
    }


def _stored(row: Mapping[Any, Any]) -> StoredSignal:
    texts(row, "episode", "name", "subject_name", "generator_url", "fingerprint")
    return StoredSignal(
        id=row["id"],
        incident_id=row["incident_id"],
        signal=Signal(
            source=Source(row["source"]),
            episode=row["episode"],
            status=SignalStatus(row["status"]),
            name=row["name"],
            subject=Subject(SubjectKind(row["subject_kind"]), row["subject_name"]),
            severity=Severity(row["severity"]),
            starts_at=row["starts_at"],
            received_at=row["received_at"],
            ends_at=row["ends_at"],
            labels=text_object(row, "labels"),
            annotations=text_object(row, "annotations"),
            generator_url=row["generator_url"],
            fingerprint=row["fingerprint"],
            data=json_object(row, "data"),
        ),
    )
