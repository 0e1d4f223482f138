"""What years of history cost an alert: from its webhook's commit to its claimed first post, with none and with 100,000.

Alternately on an empty database and on one with so many resolved incidents, each with its alert, its signals, its
timeline, a triage and its messages; the median of each, and their ratio.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.figures import Figure, tell
from bot.store import SqlStore, open_store, tables
from bot.store.migrate import migrate
from triage.desk import Desk
from triage.incidents.intake import Intake
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.ports.store import Tx

INCIDENTS, ALERTS, RATIO = 100_000, 200, 1.3
NOW = datetime(2026, 2, 20, 3, 0, tzinfo=UTC)


def fill(path: Path, count: int) -> None:
    """Write so many resolved incidents into a new database."""
    migrate(f"sqlite:///{path}")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for start in range(1, count + 1, 5000):
            numbers = range(start, min(start + 5000, count + 1))
            for table, make in ROWS.items():
                rows = [
                    row
                    for number in numbers
                    for row in make(number, NOW - timedelta(minutes=3 * (count - number) + 60))
                ]
                connection.execute(sa.insert(table), rows)
    engine.dispose()


def _incident(number: int, at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": number, "handle": f"h{number}", "title": "bot1 hard stop", "name": "BotHardStopActive",
            "subjects": [["bot", f"bot{number % 3}"]], "severity": "Sev-2", "status": "resolved",
            "shape": "single", "opened_at": at, "changed_at": at, "acknowledged_by": "", "resolved_at": at,
            "resolved_by": "", "reopened": 0, "quiet": False, "last_seen_at": at,
        }
    ]  # fmt: skip


def _alert(number: int, at: datetime) -> dict[str, Any]:
    return {
        "source": "alertmanager", "episode": f"fp{number % 500}/{number}", "name": "BotHardStopActive",
        "subject_kind": "bot", "subject_name": f"bot{number % 3}", "severity": "Sev-2", "starts_at": at, "ends_at": at,
        "last_seen_at": at, "labels": {"bot": "bot1"}, "annotations": {}, "generator_url": "",
        "fingerprint": f"fp{number % 500}", "incident_id": number,
    }  # fmt: skip


def _episode(number: int, at: datetime) -> list[dict[str, Any]]:
    return [{**_alert(number, at), "firing": False, "is_event": False}]


def _signals(number: int, at: datetime) -> list[dict[str, Any]]:
    common = {
        **_alert(number, at),
        "received_at": at,
        "data": {},
        "outcome": "open: nothing open is about this",
    }
    return [{**common, "key": f"{number}/{status}", "status": status} for status in ("firing", "resolved")]


def _timeline(number: int, at: datetime) -> list[dict[str, Any]]:
    common = {
        "incident_id": number,
        "at": at,
        "recorded_at": at,
        "kind": "opened",
        "text": "x" * 60,
        "actor": "",
    }
    return [
        {**common, "source": "alertmanager", "key": f"{number}/{each}", "told": True, "data": {}}
        for each in range(3)
    ]


def _run(number: int, at: datetime) -> list[dict[str, Any]]:
    values = {column.name: at for column in tables.runs.columns if isinstance(column.type, tables.UtcTime)}
    return [
        {
            **values, "incident_id": number, "reason": "opened", "status": "done", "playbook": "default",
            "verdict": {}, "lease_owner": "", "lease_until": None,
        }
    ]  # fmt: skip


def _messages(number: int, at: datetime) -> list[dict[str, Any]]:
    common = {
        "channel": "incidents", "incident_id": number, "wanted_revision": 1, "sent_revision": 1, "channel_id": "C1",
        "urgency": 2, "attempts": 0, "next_at": at, "created_at": at, "wanted_at": at, "lease_owner": "",
        "last_error": "", "data": {}, "ref": str(number),
    }  # fmt: skip
    return [
        {**common, "delivery_id": f"{number}-{kind}", "kind": kind, "post_id": f"{number}.{kind}"}
        for kind in ("card", "triage", "line")
    ]


ROWS = {
    tables.incidents: _incident,
    tables.episodes: _episode,
    tables.signals: _signals,
    tables.timeline: _timeline,
    tables.runs: _run,
    tables.messages: _messages,
}


async def first_post(store: SqlStore, number: int) -> float:
    """Bring one alert from its commit to its claimed message; returns seconds."""
    intake, at = Intake(Desk(), lambda one: one.name), NOW + timedelta(minutes=number)
    subject = Subject(SubjectKind.HOST, f"host{number}")
    new = Signal(
        source=Source.ALERTMANAGER,
        episode=f"new{number}/1",
        status=SignalStatus.FIRING,
        name=f"New{number}",
        subject=subject,
        severity=Severity.SEV2,
        starts_at=at,
        received_at=at,
        fingerprint=f"new{number}",
    )
    began = time.perf_counter()
    await store.keep([new])
    await store.write(lambda tx: intake.sort_inbox(tx, at))
    claimed = await store.write(lambda tx: tx.outbox.claim(at, owner="bench", lease_seconds=30, limit=8))
    took = time.perf_counter() - began
    assert claimed, "the card is there to be sent"

    def settle(tx: Tx) -> None:
        for message in claimed:
            revision = message.wanted_revision
            tx.outbox.posted(
                message.id, post_id=f"{message.id}.1", channel_id="C1", revision=revision, now=at
            )
        run = tx.runs.take(at, owner="bench", lease_seconds=30)
        if run is not None:
            tx.runs.finish(replace(run, finished_at=at))
        for incident in tx.incidents.open():
            tx.incidents.save(
                replace(incident, resolved_at=at, status=type(incident.status).RESOLVED, changed_at=at)
            )

    await store.write(settle)
    return took


async def measure(folder: Path) -> list[Figure]:
    """Measure both, in turns: other load on the machine falls on each alike."""
    files = {"none": folder / "empty.db", "history": folder / "history.db"}
    fill(files["none"], 0)
    fill(files["history"], INCIDENTS)
    took: dict[str, list[float]] = {name: [] for name in files}
    async with (
        open_store(f"sqlite:///{files['none']}") as empty,
        open_store(f"sqlite:///{files['history']}") as full,
    ):
        for number in range(ALERTS):
            for name, store in (("none", empty), ("history", full)):
                took[name].append(await first_post(store, number))
    none, history = (statistics.median(took[name]) * 1000 for name in ("none", "history"))
    return [
        Figure("history: first post with no history, p50", none, "ms"),
        Figure(f"history: first post beside {INCIDENTS:,} incidents, p50", history, "ms"),
        Figure("history: ratio", history / none, "", RATIO),
    ]


def main() -> int:
    """Run the bench."""
    with tempfile.TemporaryDirectory() as folder:
        return tell(asyncio.run(measure(Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
