"""Triage runs, their findings and verdicts; a run whose owner died is taken again when its lease ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.reading import read_all
from bot.store.shapes import json_object, texts
from bot.store.text import clean
from triage.model import Finding, FindingStatus, RunStatus, Severity, TriageRun, Verdict

_t = tables.runs
_f = tables.findings
_verdicts = TypeAdapter(Verdict)

# Built once: building such a statement takes longer than running it.
_QUEUED = Prepared(
    sa.select(_t.c.id).where(
        _t.c.incident_id == sa.bindparam("incident"), _t.c.status == RunStatus.QUEUED.value
    )
)
_INSERT = Prepared(sa.insert(_t).returning(_t.c.id))
_i = tables.incidents
# Written out, not bound: the index of the runs that wait is used only where the planner sees its condition.
_WAITS = _t.c.status != sa.literal_column(f"'{RunStatus.DONE.value}'")
FAR_LEASE, FAR_TURN = timedelta(minutes=10), timedelta(hours=1)
"""Nothing waits for so long: a time further off is from before the clock was set back, and over."""
_next = (
    sa.select(_t.c.id)
    .join(_i, _i.c.id == _t.c.incident_id)
    .where(
        _WAITS,
        (
            (_t.c.status == RunStatus.QUEUED.value)
            & (
                (_t.c.not_before <= sa.bindparam("now", type_=tables.UtcTime))
                | (_t.c.not_before > sa.bindparam("far_turn", type_=tables.UtcTime))
            )
        )
        | (
            (_t.c.status == RunStatus.RUNNING.value)
            & (
                (_t.c.lease_until < sa.bindparam("now", type_=tables.UtcTime))
                | (_t.c.lease_until > sa.bindparam("far_lease", type_=tables.UtcTime))
            )
        ),
    )
    .order_by(_i.c.severity, _t.c.id)  # "Sev-1" comes before "Sev-2" as text too
    .limit(1)
    .with_for_update(skip_locked=True, of=_t)
)
_NEXT = Prepared(_next)
# Not a condition of the joined incident: SQLite would begin with it, and read every incident there ever was.
_so_grave = _i.alias("grave")
_NEXT_ONLY = Prepared(
    _next.where(
        sa.exists().where(_so_grave.c.id == _t.c.incident_id, _so_grave.c.severity == sa.bindparam("only"))
    )
)
_CHANGE = Prepared(sa.update(_t).where(_t.c.id == sa.bindparam("run")))
_SOONER = Prepared(
    sa.update(_t)
    .where(_t.c.id == sa.bindparam("run"), _t.c.not_before > sa.bindparam("begin", type_=tables.UtcTime))
    .values(not_before=sa.bindparam("begin", type_=tables.UtcTime))
)
_ONE = Prepared(sa.select(_t).where(_t.c.id == sa.bindparam("run")))
_latest = sa.select(_t).where(_t.c.incident_id == sa.bindparam("incident")).order_by(_t.c.id.desc()).limit(1)
_LATEST = Prepared(_latest)
_LATEST_IN = Prepared(_latest.where(_t.c.status == sa.bindparam("wanted")))
_DONE = Prepared(
    sa.select(_t.c.id)
    .where(_t.c.incident_id == sa.bindparam("incident"), _t.c.status == RunStatus.DONE.value)
    .order_by(_t.c.id.desc())
    .limit(sa.bindparam("most"))
)
_ADD_FINDINGS = Prepared(sa.insert(_f))
_HOW_MANY = Prepared(sa.select(sa.func.count()).where(_f.c.run_id == sa.bindparam("run")))
_FINDINGS = Prepared(sa.select(_f).where(_f.c.run_id == sa.bindparam("run")).order_by(_f.c.id))
_e = tables.evidence
_ADD_EVIDENCE = Prepared(sa.insert(_e))
_EVIDENCE = Prepared(sa.select(_e.c.content).where(_e.c.run_id == sa.bindparam("run")))
_NO_EVIDENCE = Prepared(sa.delete(_e).where(_e.c.run_id == sa.bindparam("run")))
_NO_FINDINGS = Prepared(sa.delete(_f).where(_f.c.run_id == sa.bindparam("run")))


class RunTable:
    """Implements ``triage.ports.store.Runs``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def queue(
        self, incident_id: int, reason: str, now: datetime, *, not_before: datetime | None = None
    ) -> int:
        """Queue a run, or return the one of this incident that is still queued; the earlier time counts."""
        begin = not_before or now
        if (known := _QUEUED.scalar(self._connection, {"incident": incident_id})) is not None:
            _SOONER.run(self._connection, {"run": known, "begin": begin})
            return int(known)
        row: dict[str, Any] = {
            "incident_id": incident_id,
            "reason": clean(reason),
            "status": RunStatus.QUEUED.value,
            "playbook": "",
            "requested_at": now,
            "not_before": begin,
            "verdict": {},
            "lease_owner": "",
        }
        return int(_INSERT.scalar(self._connection, row))

    def take(
        self, now: datetime, *, owner: str, lease_seconds: float, only: Severity | None = None
    ) -> TriageRun | None:
        """Claim a run that waits or whose owner died: of the gravest incident, the oldest of those."""
        times = {"now": now, "far_turn": now + FAR_TURN, "far_lease": now + FAR_LEASE}
        query, values = (_NEXT, times) if only is None else (_NEXT_ONLY, {**times, "only": only.value})
        run_id = query.scalar(self._connection, values)
        if run_id is None:
            return None
        claim = {
            "run": run_id,
            "status": RunStatus.RUNNING.value,
            "started_at": now,
            "lease_owner": owner,
            "lease_until": now + timedelta(seconds=lease_seconds),
        }
        _CHANGE.run(self._connection, claim)
        if (taken := self.get(int(run_id))) is not None:
            return taken
        # It cannot be read. Before its end a run holds nothing but when and why it was asked for: it runs all the same.
        asked_anew = {
            "run": run_id,
            "requested_at": now,
            "not_before": now,
            "finished_at": None,
            "verdict": {},
        }
        _CHANGE.run(self._connection, asked_anew)
        return self.get(int(run_id))

    def release(self, run_id: int | None = None) -> None:
        """Give a claimed run back to be taken at once; None: all of them."""
        running = _WAITS & (_t.c.status == RunStatus.RUNNING.value)
        mine = running if run_id is None else running & (_t.c.id == run_id)
        self._connection.execute(
            sa.update(_t).where(mine).values(status=RunStatus.QUEUED.value, lease_owner="", lease_until=None)
        )

    def renew(self, run_id: int, owner: str, until: datetime) -> None:
        """Keep a run that an owner still holds for longer."""
        held = (_t.c.id == run_id) & (_t.c.lease_owner == owner) & (_t.c.status == RunStatus.RUNNING.value)
        self._connection.execute(sa.update(_t).where(held).values(lease_until=until))

    def release_of(self, owner: str, *, but: Collection[int]) -> None:
        """Give back what is claimed by an owner, except some runs."""
        running = _WAITS & (_t.c.status == RunStatus.RUNNING.value)
        mine = running & (_t.c.lease_owner == owner) & _t.c.id.not_in(but)
        self._connection.execute(
            sa.update(_t).where(mine).values(status=RunStatus.QUEUED.value, lease_owner="", lease_until=None)
        )

    def finish(self, run: TriageRun, evidence: bytes = b"") -> None:
        """Store a run with its findings, its verdict, and its packed record, if any."""
        done: dict[str, Any] = {
            "run": run.id,
            "status": RunStatus.DONE.value,
            "playbook": clean(run.playbook),
            "finished_at": run.finished_at,
            "verdict": _verdicts.dump_python(run.verdict, mode="json"),
            "lease_owner": "",
            "lease_until": None,
        }
        _CHANGE.run(self._connection, done)
        _NO_FINDINGS.run(self._connection, {"run": run.id})  # a run taken twice counts once
        if run.findings:
            _ADD_FINDINGS.run_each(self._connection, [_row(run.id, finding) for finding in run.findings])
        _NO_EVIDENCE.run(self._connection, {"run": run.id})
        if evidence:
            _ADD_EVIDENCE.run(self._connection, {"run_id": run.id, "content": evidence})

    def evidence(self, run_id: int) -> bytes | None:
        """Return the packed record of a run; None where none was kept."""
        content = _EVIDENCE.scalar(self._connection, {"run": run_id})
        return None if content is None else bytes(content)

    def get(self, run_id: int) -> TriageRun | None:
        """Return a run with its findings."""
        return self._one(_ONE, run=run_id)

    def latest(self, incident_id: int, status: RunStatus | None = None) -> TriageRun | None:
        """Return the newest run of an incident, of one status where given."""
        if status is None:
            return self._one(_LATEST, incident=incident_id)
        return self._one(_LATEST_IN, incident=incident_id, wanted=status.value)

    def done(self, incident_id: int, limit: int) -> list[TriageRun]:
        """Return the newest finished runs of an incident, oldest first."""
        ids = _DONE.scalars(self._connection, {"incident": incident_id, "most": limit})
        return [run for run_id in sorted(ids) if (run := self.get(int(run_id))) is not None]

    def _one(self, query: Prepared, **values: object) -> TriageRun | None:
        found = read_all(self._connection, query, values, _run, self._unreadable)
        run = next(iter(found), None)
        if run is None or run.status is not RunStatus.DONE:  # findings are stored with its end
            return run
        return replace(run, findings=self._findings(run.id))

    def _findings(self, run_id: int) -> tuple[Finding, ...]:
        """Return what a run found; what of it cannot be read is a finding too: it may have been the bad one."""
        found = read_all(self._connection, _FINDINGS, {"run": run_id}, _finding, self._unreadable)
        if not self._unreadable.found:
            return tuple(found)
        lost = int(_HOW_MANY.scalar(self._connection, {"run": run_id})) - len(found)
        return (*found, _unreadable_findings(lost)) if lost else tuple(found)


def _unreadable_findings(number: int) -> Finding:
    why = "the store holds them, and cannot read them: /readyz names them"
    return Finding(
        "triage", FindingStatus.UNKNOWN, f"{number} of its findings cannot be read", "hbot-triage", why=why
    )


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
    texts(row, "name", "headline", "source", "why")
    return Finding(
        name=row["name"],
        status=FindingStatus(row["status"]),
        headline=row["headline"],
        source=row["source"],
        why=row["why"],
        seconds=row["seconds"],
        details=_details(row["details"]),
        data=json_object(row, "data"),
        observed_at=row["observed_at"],
    )


def _details(lines: object) -> tuple[str, ...]:
    if type(lines) is not list or any(type(line) is not str for line in lines):
        raise ValueError("details are no list of texts")
    return tuple(lines)
