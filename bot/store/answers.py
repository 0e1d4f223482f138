"""What people said the cause was, and the traits by which incidents are found again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.reading import read_all
from bot.store.text import clean
from bot.store.upsert import insert_or_update
from triage.ports.answers import CauseAnswer, Tally

_t = tables.cause_answers
_r = tables.traits
_CHANGING = ("run_id", "at", "actor", "right", "said", "strength", "cause", "text")

# Built once: building such a statement takes longer than running it.
_OF = sa.select(_t).where(_t.c.incident_id == sa.bindparam("incident"))
_TALLY = sa.select(_t.c.strength, sa.func.count(), sa.func.count().filter(_t.c.right)).group_by(_t.c.strength)
_BETWEEN = _TALLY.where(
    _t.c.at >= sa.bindparam("since", type_=tables.UtcTime),
    _t.c.at < sa.bindparam("until", type_=tables.UtcTime),
)
_NO_TRAITS = sa.delete(_r).where(_r.c.incident_id == sa.bindparam("incident"))
_TRAITS = sa.select(_r.c.trait).where(_r.c.incident_id == sa.bindparam("incident"))
_HAVING = (
    sa.select(_r.c.incident_id)
    .where(_r.c.trait == sa.bindparam("wanted"), _r.c.incident_id < sa.bindparam("before"))
    .order_by(_r.c.incident_id.desc())
    .limit(sa.bindparam("most"))
)


class AnswerTable:
    """Implements ``triage.ports.answers.Answers``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def put(self, answer: CauseAnswer) -> None:
        """Store an answer in place of the one before."""
        row = {
            name: clean(value) if isinstance(value, str) else value for name, value in asdict(answer).items()
        }
        statement = insert_or_update(self._connection, _t, "incident_id", changing=_CHANGING)
        statement.run(self._connection, row)

    def of(self, incident_id: int) -> CauseAnswer | None:
        """Return the answer that counts."""
        found = read_all(self._connection, _OF, {"incident": incident_id}, _answer, self._unreadable)
        return next(iter(found), None)

    def tally(self, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """Count the answers given in a time, by the strength of the verdict they are about."""
        if since is None and until is None:
            rows = self._connection.execute(_TALLY)
        else:
            span = {
                "since": since or tables.EPOCH,
                "until": until or datetime.max.replace(tzinfo=tables.EPOCH.tzinfo),
            }
            rows = self._connection.execute(_BETWEEN, span)
        return {strength: (int(count), int(right)) for strength, count, right in rows}

    def set_traits(self, incident_id: int, traits: Collection[str]) -> None:
        """Store by what an incident is found again, in place of what was stored before."""
        kept = {clean(trait) for trait in traits}
        if kept == self.traits(incident_id):
            return
        self._connection.execute(_NO_TRAITS, {"incident": incident_id})
        if kept:
            rows = [{"incident_id": incident_id, "trait": trait} for trait in sorted(kept)]
            self._connection.execute(sa.insert(_r), rows)

    def traits(self, incident_id: int) -> frozenset[str]:
        """Return the traits of an incident."""
        return frozenset(self._connection.execute(_TRAITS, {"incident": incident_id}).scalars())

    def having(self, trait: str, before_id: int, limit: int) -> list[int]:
        """Return the newest incidents older than one that have a trait, the newest first."""
        values = {"wanted": clean(trait), "before": before_id, "most": limit}
        return [int(one) for one in self._connection.execute(_HAVING, values).scalars()]


def _answer(row: Mapping[Any, Any]) -> CauseAnswer:
    return CauseAnswer(**{name: row[name] for name in ("incident_id", *_CHANGING)})
