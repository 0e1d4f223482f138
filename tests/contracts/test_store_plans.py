"""The way of an alert to its first post reads by index: it takes the same with no history and with years of it."""

import re
from dataclasses import replace
from datetime import timedelta

from bot.store import SqlStore
from tests.contracts.statements import noted
from tests.contracts.store_samples import NOW, signal
from triage.desk import Desk
from triage.incidents.intake import Intake
from triage.model import IncidentShape, RunStatus, SignalStatus, Subject, SubjectKind, Verdict
from triage.ports.store import Tx

GROWING = (
    "signals",
    "incidents",
    "episodes",
    "timeline",
    "messages",
    "triage_runs",
    "findings",
    "audit",
    "events",
)
"""Tables that grow with the years."""
SCAN = re.compile(r"SCAN (?P<table>\w+)(?P<index> USING (COVERING )?INDEX (?P<name>\w+))?")
LAST = re.compile(r"ORDER BY audit.seq DESC\s+LIMIT")
PARTIAL = {"ix_signals_inbox", "ix_incidents_open", "ix_messages_due", "ix_triage_runs_waiting"}
"""Indexes that hold only what waits or is open: to read one of them whole is to read little."""


async def way_of_an_alert(store: SqlStore) -> None:
    """Store, sort, post, triage and resolve an alert, and look at the state as ``/readyz`` does; then several at once."""
    intake = Intake(Desk(), lambda one: one.name)
    for number, status in enumerate((SignalStatus.FIRING, SignalStatus.FIRING, SignalStatus.RESOLVED)):
        at = NOW + timedelta(seconds=number)
        one = replace(signal(f"e{number % 2}"), status=status, received_at=at)
        await store.keep([one])
        await store.write(lambda tx, at=at: intake.sort_inbox(tx, at))  # type: ignore[misc]
    for message in await store.write(lambda tx: tx.outbox.claim(NOW, owner="me", lease_seconds=30, limit=8)):
        await store.write(
            lambda tx, one=message: tx.outbox.posted(  # type: ignore[misc]
                one.id, post_id=f"{one.id}.1", channel_id="C1", revision=one.wanted_revision, now=NOW
            )
        )
    await store.write(lambda tx: tx.outbox.next_at())
    run = await store.write(lambda tx: tx.runs.take(NOW, owner="me", lease_seconds=9))
    assert run is not None
    done = replace(run, status=RunStatus.DONE, finished_at=NOW, verdict=Verdict())
    await store.write(lambda tx: tx.runs.finish(done))
    await store.write(lambda tx: tx.runs.release_of("me", but=[]))

    def look(tx: Tx) -> None:
        tx.incidents.open()
        tx.outbox.state()
        tx.signals.waiting()

    await store.read(look)
    for number, status in enumerate((SignalStatus.FIRING, SignalStatus.RESOLVED), start=3):
        at = NOW + timedelta(seconds=number)
        boxes = [Subject(SubjectKind.CONTAINER, f"box{one}") for one in range(20)]
        group = [
            replace(
                signal(f"g{one}", subject=box), name=f"Alert{one}", status=status, received_at=at, ends_at=at
            )
            for one, box in enumerate(boxes)
        ]
        for half in (group[:10], group[10:]):  # the first open a storm, the others join it
            await store.keep(half)
            await store.write(lambda tx, at=at: intake.sort_inbox(tx, at))  # type: ignore[misc]
        storms = await store.read(lambda tx: [one.shape for one in tx.incidents.recent(NOW)])
        assert IncidentShape.STORM in storms


async def test_no_statement_on_the_way_of_an_alert_reads_a_table_that_grows(sqlite_store: SqlStore) -> None:
    """Asked of the planner, for every statement that was run."""
    with noted(sqlite_store) as ran:
        await way_of_an_alert(sqlite_store)
    asked = {text: values for text, values in ran.items() if text.startswith(("SELECT", "UPDATE", "DELETE"))}
    assert len(asked) > 15

    def plans(tx: Tx) -> list[str]:
        found = []
        for statement, values in asked.items():
            for row in tx.signals._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values):  # type: ignore[attr-defined]
                scan = SCAN.match(str(row[3]))
                if LAST.search(statement):  # one row, from the end
                    continue
                if scan and scan["table"] in GROWING and scan["name"] not in PARTIAL:
                    found.append(f"{row[3]}: {statement}")
        return found

    assert await sqlite_store.read(plans) == []
