"""Triage runs, their findings and verdicts; a run whose owner died is taken again when its lease ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.store import tables
from bot.store.text import clean
from triage.model import Finding, FindingStatus, RunStatus, TriageRun, Verdict

_t = tables.runs
_f = tables.findings
_verdicts = TypeAdapter(Verdict)


class RunTable:
    """Implements ``triage.ports.store.Runs``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def queue(self, incident_id: int, reason: str, now: datetime) -> int:
        """Queue a run, or return the one of this incident that is still queued."""
        waiting = sa.select(_t.c.id).where(
            _t.c.incident_id == incident_id, _t.c.status == RunStatus.QUEUED.value
        )
        if (known := self._connection.execute(waiting).scalar()) is not None:
            return int(known)
        statement = sa.insert(_t).values(
            incident_id=incident_id,
            reason=clean(reason),
            status=RunStatus.QUEUED.value,
            playbook="",
            requested_at=now,
            verdict={},
            lease_owner="",
        )
        return int(self._connection.execute(statement.returning(_t.c.id)).scalar_one())

    def take(self, now: datetime, *, owner: str, lease_seconds: float) -> TriageRun | None:
        """Claim the oldest run that is queued, or whose owner died; None when there is nothing to do."""
        free = (_t.c.status == RunStatus.QUEUED.value) | (
            (_t.c.status == RunStatus.RUNNING.value) & (_t.c.lease_until < now)
        )
        oldest = sa.select(_t.c.id).where(free).order_by(_t.c.id).limit(1).with_for_update(skip_locked=True)
        run_id = self._connection.execute(oldest).scalar()
        if run_id is None:
            return None
        claim = (
            sa.update(_t)
            .where(_t.c.id == run_id)
            .values(
                status=RunStatus.RUNNING.value,
                started_at=now,
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_seconds),
            )
        )
        self._connection.execute(claim)
        return self.get(int(run_id))

    def release(self, run_id: int | None = None) -> None:
        """Give a claimed run back to be taken at once; None: all of them."""
        running = _t.c.status == RunStatus.RUNNING.value
        mine = running if run_id is None else running & (_t.c.id == run_id)
        self._connection.execute(
            sa.update(_t).where(mine).values(status=RunStatus.QUEUED.value, lease_owner="", lease_until=None)
        )

    def finish(self, run: TriageRun) -> None:
        """Store a run with its findings and its verdict."""
        self._connection.execute(
            sa.update(_t)
            .where(_t.c.id == run.id)
            .values(
                status=RunStatus.DONE.value,
                playbook=run.playbook,
                finished_at=run.finished_at,
                verdict=_verdicts.dump_python(run.verdict, mode="json"),
                lease_owner="",
                lease_until=None,
            )
        )
        self._connection.execute(sa.delete(_f).where(_f.c.run_id == run.id))  # a run taken twice counts once
        if run.findings:
            self._connection.execute(sa.insert(_f), [_row(run.id, finding) for finding in run.findings])

    def get(self, run_id: int) -> TriageRun | None:
        """Return a run with its findings."""
        return self._one(sa.select(_t).where(_t.c.id == run_id))

    def latest(self, incident_id: int, status: RunStatus | None = None) -> TriageRun | None:
        """Return the newest run of an incident, of one status where given."""
        query = sa.select(_t).where(_t.c.incident_id == incident_id).order_by(_t.c.id.desc()).limit(1)
        return self._one(query if status is None else query.where(_t.c.status == status.value))

    def _one(self, query: sa.Select[Any]) -> TriageRun | None:
        row = self._connection.execute(query).mappings().first()
        if row is None:
            return None
        run = _run(row)
        findings = self._connection.execute(
            sa.select(_f).where(_f.c.run_id == run.id).order_by(_f.c.id)
        ).mappings()
        return replace(run, findings=tuple(_finding(finding) for finding in findings))


def _row(run_id: int, finding: Finding) -> dict[str, Any]:
    values = asdict(finding)
    values["status"] = finding.status.value
    for name in ("name", "headline", "source", "why"):
        values[name] = clean(values[name])
    return {"run_id": run_id, **values, "details": list(finding.details), "data": dict(finding.data)}


def _run(row: Mapping[Any, Any]) -> TriageRun:
    return TriageRun(
        id=row["id"],
        incident_id=row["incident_id"],
        reason=row["reason"],
        requested_at=row["requested_at"],
        status=RunStatus(row["status"]),
        playbook=row["playbook"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        verdict=_verdicts.validate_python(row["verdict"]),
    )


def _finding(row: Mapping[Any, Any]) -> Finding:
    return Finding(
        name=row["name"],
        status=FindingStatus(row["status"]),
        headline=row["headline"],
        source=row["source"],
        why=row["why"],
        seconds=row["seconds"],
        details=tuple(row["details"]),
        data=row["data"],
        observed_at=row["observed_at"],
    )
