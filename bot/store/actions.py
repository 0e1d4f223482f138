"""Actions, the plans that were shown, their steps, and the locks on their targets."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.store import action_tables as tables
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.reading import read_all
from bot.store.text import clean
from bot.store.upsert import insert
from bot.store.value_lists import padded
from triage.model import Json
from triage.plans.plan import DESK, Plan, plans
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus

_t = tables.actions
_p = tables.action_plans
_s = tables.action_steps
_l = tables.action_locks
_records = TypeAdapter(ActionRecord)

# Built once: every card that is shown asks for its actions.
_RECORDS = sa.select(_t.c.record).order_by(_t.c.id)
_BY_ID = Prepared(_RECORDS.where(_t.c.id == sa.bindparam("action")))
_BY_HANDLE = Prepared(_RECORDS.where(_t.c.handle == sa.bindparam("wanted")))
_OF_INCIDENT = Prepared(_RECORDS.where(_t.c.incident_id == sa.bindparam("incident")))
_CHILDREN = Prepared(_RECORDS.where(_t.c.parent_id == sa.bindparam("action")))
_WITH_STATUS = Prepared(_RECORDS.where(_t.c.status.in_(sa.bindparam("statuses", expanding=True))))
_NOW = sa.bindparam("now", type_=_t.c.verify_at.type)
# Not in the order of the ids: for it SQLite would read every action there ever was.
_TO_VERIFY = Prepared(
    sa.select(_t.c.record)
    .where(_t.c.verify_at <= _NOW, _t.c.lease_until.is_(None) | (_t.c.lease_until < _NOW))
    .order_by(_t.c.verify_at, _t.c.id)
)


class ActionTable:
    """Implements ``triage.ports.actions.Actions``."""

    def __init__(
        self,
        connection: sa.Connection,
        *,
        writing: bool,
        exclusive: Callable[[str], None],
        unreadable: Unreadable,
    ) -> None:
        self._connection = connection
        self._unreadable = unreadable
        self._writing = writing
        self._exclusive = exclusive

    def add(self, record: ActionRecord) -> ActionRecord:
        """Store a new action and return it with its id and handle."""
        record = replace(record, handle=secrets.token_urlsafe(12))
        statement = sa.insert(_t).values(_values(record)).returning(_t.c.id)
        record = replace(record, id=int(self._connection.execute(statement).scalar_one()))
        self.save(record)
        return record

    def save(self, record: ActionRecord) -> None:
        """Store what changed in an action."""
        self._connection.execute(sa.update(_t).where(_t.c.id == record.id).values(_values(record)))

    def get(self, action_id: int) -> ActionRecord | None:
        """Return an action; inside a write it stays locked until the commit."""
        return next(iter(self._select(_BY_ID, action=action_id)), None)

    def by_handle(self, handle: str) -> ActionRecord | None:
        """Return the action that a button's opaque id stands for."""
        return next(iter(self._select(_BY_HANDLE, wanted=clean(handle))), None)

    def proposed(self) -> list[ActionRecord]:
        """Return every proposal that is open, oldest first."""
        return self.with_status("proposed")

    def of_incident(self, incident_id: int) -> list[ActionRecord]:
        """Return the actions of an incident, oldest first."""
        return self._select(_OF_INCIDENT, incident=incident_id)

    def children(self, action_id: int) -> list[ActionRecord]:
        """Return the actions that follow from one."""
        return self._select(_CHILDREN, action=action_id)

    def recent(self, limit: int = 50) -> list[ActionRecord]:
        """Return the newest actions, the newest first."""
        query = sa.select(_t.c.record).order_by(_t.c.id.desc()).limit(limit)
        return read_all(self._connection, query, {}, _record, self._unreadable)

    def ran(self, limit: int) -> list[ActionRecord]:
        """Return the newest actions that touched the desk, or may have, the newest first."""
        statuses = [status.value for status in ActionStatus if status.ran]
        query = sa.select(_t.c.record).where(_t.c.status.in_(statuses)).order_by(_t.c.id.desc()).limit(limit)
        return read_all(self._connection, query, {}, _record, self._unreadable)

    def with_status(self, *statuses: str) -> list[ActionRecord]:
        """Return the actions in one of these statuses, oldest first."""
        return self._select(_WITH_STATUS, statuses=padded(list(statuses)))

    def to_verify(self, now: datetime) -> list[ActionRecord]:
        """Return ended actions whose verification is due and under nobody's lease, the longest due first."""
        return self._select(_TO_VERIFY, now=now)

    def _select(self, query: Prepared, **values: object) -> list[ActionRecord]:
        asked = query.locking if self._writing else query
        return read_all(self._connection, asked, values, _record, self._unreadable)

    def keep_plan(self, action_id: int, plan: Plan) -> None:
        """Keep a plan that is shown to somebody."""
        statement = insert(self._connection, _p).values(
            action_id=action_id, digest=plan.digest, plan=plans().dump_python(plan, mode="json")
        )
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["action_id", "digest"]))

    def plan(self, action_id: int, digest: str) -> Plan | None:
        """Return a plan that was shown, by its digest."""
        query = sa.select(_p.c.plan).where(_p.c.action_id == action_id, _p.c.digest == clean(digest))
        try:
            row = self._connection.execute(query).scalar()
            return None if row is None else plans().validate_python(row)
        except sa.exc.DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - a plan that cannot be read is one that nobody was shown
            self._unreadable.note(_p.name, action_id, error)
            return None

    def put_steps(self, action_id: int, steps: Sequence[StepRecord]) -> None:
        """Store steps, new ones or changed ones."""
        for step in steps:
            values = {
                "title": clean(step.title),
                "shown": clean(step.shown),
                "status": step.status.value,
                "started_at": step.started_at,
                "finished_at": step.finished_at,
                "output": clean(step.output),
                "note": clean(step.note),
            }
            statement = insert(self._connection, _s).values(action_id=action_id, number=step.number, **values)
            self._connection.execute(
                statement.on_conflict_do_update(index_elements=["action_id", "number"], set_=values)
            )

    def steps(self, action_id: int) -> list[StepRecord]:
        """Return the steps of an action in order."""
        query = sa.select(_s).where(_s.c.action_id == action_id).order_by(_s.c.number)
        return read_all(self._connection, query, {}, _step, self._unreadable, key=_s.c.number)

    def locked_by(self, target: str) -> int | None:
        """Return the action that holds a target, the desk's holder included; None when it is free."""
        query = sa.select(_l.c.action_id).limit(1)
        if target != DESK:  # the desk excludes everything, so for it any lock counts
            query = query.where(_l.c.target.in_((target, DESK)))
        holder = self._connection.execute(query).scalar()
        return None if holder is None else int(holder)

    def lock(self, target: str, action_id: int, now: datetime) -> int | None:
        """Take a target for an action: None when taken, else the id of the action that holds it."""
        self._exclusive("action_locks")  # "is the desk free of all" and "take it" must be one
        if (holder := self.locked_by(target)) is not None:
            return holder
        self._connection.execute(
            sa.insert(_l).values(target=clean(target), action_id=action_id, locked_at=now)
        )
        return None

    def unlock(self, action_id: int) -> None:
        """Give back what an action holds."""
        self._connection.execute(sa.delete(_l).where(_l.c.action_id == action_id))


def _record(row: Mapping[Any, Any]) -> ActionRecord:
    return _records.validate_python(row["record"])


def _values(record: ActionRecord) -> dict[str, Any]:
    return {
        "handle": record.handle,
        "kind": record.kind,
        "target": clean(record.target),
        "status": record.status.value,
        "incident_id": record.incident_id,
        "parent_id": record.parent_id,
        "proposed_at": record.proposed_at,
        "expires_at": record.expires_at,
        "owner": record.owner,
        "lease_until": record.lease_until,
        "verify_at": record.verify_at,
        "record": _cleaned(_records.dump_python(record, mode="json")),
    }


def _cleaned(value: Json) -> Json:
    """Make every text in a JSON value one that each database takes."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list) else value


def _step(row: Mapping[Any, Any]) -> StepRecord:
    return StepRecord(
        number=row["number"],
        title=row["title"],
        shown=row["shown"],
        status=StepStatus(row["status"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        output=row["output"],
        note=row["note"],
    )
