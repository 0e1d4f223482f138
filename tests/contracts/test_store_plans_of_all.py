"""What the clock, a click or a command asks reads by index too: every method of the store, with lists of several values."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import sqlalchemy as sa

from bot.store import SqlStore, action_tables, event_tables
from bot.store.tables import metadata
from bot.store.transaction import Transaction
from tests.contracts.statements import noted
from tests.contracts.store_samples import NOW
from tests.contracts.store_samples import incident as _incident
from triage.model import RunStatus, Severity, Source, Subject, SubjectKind, TimelineKind
from triage.ports.store import MessageKind

GROWING = frozenset(metadata.tables) - {"action_locks", "alembic_version"}
"""Tables that grow with the years: all but the locks, of which there is one a target."""
SCAN = re.compile(r"SCAN (?P<table>\w+)(?P<index> USING (COVERING )?INDEX (?P<name>\w+))?")
FROM_THE_END = re.compile(r"FROM (?P<table>\w+)\s+ORDER BY (?P=table)\.(id|seq)( DESC)?\s+LIMIT")
"""So many rows from one end of a table, with no condition that could leave out others."""
SMALL = {
    "ix_signals_inbox",
    "ix_incidents_open",
    "ix_messages_due",
    "ix_messages_confirm_at",
    "ix_triage_runs_waiting",
}
"""Indexes that hold only what waits or is open: to read one of them whole is to read little."""

BEGIN, END = NOW - timedelta(hours=1), NOW
BOXES = [Subject(SubjectKind.CONTAINER, f"box{one}") for one in range(3)]
PAIRS = [(Source.ALERTMANAGER, f"e{one}") for one in range(3)]

ASKED: dict[str, Callable[[Transaction], object]] = {
    "signals.inbox": lambda tx: tx.signals.inbox(5),
    "signals.waiting": lambda tx: tx.signals.waiting(),
    "signals.waiting_ids": lambda tx: tx.signals.waiting_ids(5),
    "signals.waiting_one": lambda tx: tx.signals.waiting_one(1),
    "signals.waiting_text": lambda tx: tx.signals.waiting_text(1),
    "signals.ended": lambda tx: tx.signals.ended(PAIRS),
    "signals.fired_after_end": lambda tx: tx.signals.fired_after_end(BEGIN, 60),
    "signals.last_seen": lambda tx: tx.signals.last_seen(1),
    "signals.of": lambda tx: tx.signals.of(1),
    "incidents.get": lambda tx: tx.incidents.get(1),
    "incidents.by_handle": lambda tx: tx.incidents.by_handle("h"),
    "incidents.open": lambda tx: tx.incidents.open(),
    "incidents.any_open": lambda tx: tx.incidents.any_open(),
    "incidents.recent": lambda tx: tx.incidents.recent(BEGIN),
    "incidents.storm_at": lambda tx: tx.incidents.storm_at(NOW, before=timedelta(hours=1)),
    "incidents.near": lambda tx: tx.incidents.near(5, 3),
    "incidents.episodes": lambda tx: tx.incidents.episodes([1, 2, 3]),
    "incidents.episodes_of": lambda tx: tx.incidents.episodes_of(1, "n", BOXES[0]),
    "incidents.notable_episodes": lambda tx: tx.incidents.notable_episodes(1),
    "incidents.tally": lambda tx: tx.incidents.tally(1),
    "incidents.episode": lambda tx: tx.incidents.episode(*PAIRS[0]),
    "incidents.episodes_named": lambda tx: tx.incidents.episodes_named(PAIRS),
    "incidents.firing_of": lambda tx: tx.incidents.firing_of(["a", "b", "c"]),
    "incidents.names": lambda tx: tx.incidents.names([1, 2, 3]),
    "incidents.roll": lambda tx: tx.incidents.roll([1, 2, 3], first=5, most=5),
    "incidents.leading": lambda tx: tx.incidents.leading([1, 2, 3], ["page", "critical"], 5),
    "incidents.roll_counts": lambda tx: tx.incidents.roll_counts([1, 2, 3]),
    "incidents.lately": lambda tx: tx.incidents.lately(1, BEGIN, 5),
    "incidents.counts": lambda tx: tx.incidents.counts(1),
    "incidents.how_many": lambda tx: tx.incidents.how_many([1, 2, 3]),
    "timeline.of": lambda tx: (
        tx.timeline.of(1),
        tx.timeline.of(1, TimelineKind.EVENT, TimelineKind.CHANGE, TimelineKind.OPENED),
    ),
    "timeline.get": lambda tx: tx.timeline.get(1),
    "runs.take": lambda tx: (
        tx.runs.take(NOW, owner="me", lease_seconds=9),
        tx.runs.take(NOW, owner="me", lease_seconds=9, only=Severity.SEV1),
    ),
    "runs.release": lambda tx: [tx.runs.release(run) for run in (None, 1)],  # type: ignore[func-returns-value] # run for each
    "runs.renew": lambda tx: tx.runs.renew(1, "me", NOW),
    "runs.release_of": lambda tx: tx.runs.release_of("me", but=[1, 2, 3]),
    "runs.evidence": lambda tx: tx.runs.evidence(1),
    "runs.get": lambda tx: tx.runs.get(1),
    "runs.latest": lambda tx: (tx.runs.latest(1), tx.runs.latest(1, RunStatus.DONE)),
    "runs.done": lambda tx: tx.runs.done(1, 5),
    "outbox.claim": lambda tx: tx.outbox.claim(NOW, owner="me", lease_seconds=9, limit=8),
    "outbox.held_until": lambda tx: tx.outbox.held_until(1, "me"),
    "outbox.release": lambda tx: tx.outbox.release(),
    "outbox.release_of": lambda tx: tx.outbox.release_of("me", NOW),
    "outbox.confirmed": lambda tx: tx.outbox.confirmed(1, None),
    "outbox.give_back": lambda tx: tx.outbox.give_back(
        "me", but=[1, 2, 3], now=NOW, error="e", unbegun=[NOW]
    ),
    "outbox.hasten": lambda tx: tx.outbox.hasten("e", NOW),
    "outbox.put_behind": lambda tx: tx.outbox.put_behind([1, 2, 3], 2, now=NOW, wait_seconds=1),
    "outbox.get": lambda tx: tx.outbox.get(1),
    "outbox.unposted_in_thread": lambda tx: tx.outbox.unposted_in_thread(1),
    "outbox.find": lambda tx: tx.outbox.find(MessageKind.CARD, "1"),
    "outbox.by_post_id": lambda tx: tx.outbox.by_post_id("C1", "1.0"),
    "outbox.next_at": lambda tx: tx.outbox.next_at(),
    "outbox.state": lambda tx: tx.outbox.state(),
    "audit.entries": lambda tx: tx.audit.entries(after=5, limit=5),
    "audit.head": lambda tx: tx.audit.head(),
    "notes.get": lambda tx: tx.notes.get("k"),
    "notes.all": lambda tx: tx.notes.all("fallback/pending/"),
    "notes.document": lambda tx: tx.notes.document(1),
    "actions.get": lambda tx: tx.actions.get(1),
    "actions.by_handle": lambda tx: tx.actions.by_handle("h"),
    "actions.proposed": lambda tx: tx.actions.proposed(),
    "actions.of_incident": lambda tx: tx.actions.of_incident(1),
    "actions.children": lambda tx: tx.actions.children(1),
    "actions.recent": lambda tx: tx.actions.recent(),
    "actions.with_status": lambda tx: tx.actions.with_status("proposed", "confirmed", "running"),
    "actions.to_verify": lambda tx: tx.actions.to_verify(NOW),
    "actions.plan": lambda tx: tx.actions.plan(1, "d"),
    "actions.steps": lambda tx: tx.actions.steps(1),
    "actions.locked_by": lambda tx: tx.actions.locked_by("bot1"),
    "actions.unlock": lambda tx: tx.actions.unlock(1),
    "events.raised": lambda tx: tx.events.raised(BEGIN),
    "events.mark_raised": lambda tx: tx.events.mark_raised(["a", "b", "c"]),
    "events.by_reason": lambda tx: tx.events.by_reason(Source.DEAD_LETTER, start=BEGIN, end=END),
    "events.counted_since": lambda tx: tx.events.counted_since(),
    "events.of": lambda tx: [
        tx.events.of(about, since=BEGIN, until=END, changes_only=changes, source=source)
        for about in ([], BOXES)
        for changes in (True, False)
        for source in (None, Source.AUDIT)
        if about or changes  # what was said of all at a time, changes or not, nobody asks
    ],
    "events.on_timeline": lambda tx: tx.events.on_timeline(1),
    "events.unpark": lambda tx: tx.events.unpark("k"),
    "events.forget": lambda tx: tx.events.forget(before=BEGIN, keep=100),
    "answers.of": lambda tx: tx.answers.of(1),
    "answers.traits": lambda tx: tx.answers.traits(1),
    "answers.having": lambda tx: tx.answers.having("t", 5, 5),
    "aging.forget_signals": lambda tx: tx.aging.forget_signals(NOW, 5),
    "aging.forget_findings": lambda tx: tx.aging.forget_findings(NOW + timedelta(days=1), 5),
    "aging.forget_incidents": lambda tx: tx.aging.forget_incidents(BEGIN, 5),
}
"""By repository and method: what it is asked, with several values wherever it takes a list."""
READS_ALL = {
    "signals.take_up": "once, at a start",
    "audit.about": "for a postmortem, by a reader",
    "answers.tally": "one row an answered incident, by a reader",
    "aging.newest": "once, where the clock was never judged before",
    "events.failed_on": "once, at a start, by a reader; of entries that listening.keep_events bounds",
    "events.sizes": "of a table that listening.keep_events bounds",
    "aging.forget_documents": "an index of what retention bounds, at most so many a bite",
    "aging.forget_periods": "of claims that retention bounds, at most so many a bite",
    "actions.ran": "the newest by their ids until there are so many",
}
"""What may read a table, and why nobody waits for it."""
WRITES_ROWS = frozenset(
    {
        *("signals.add", "signals.add_each", "signals.sort", "incidents.handle", "incidents.save"),
        *("incidents.put_episode", "incidents.put_episodes", "timeline.add", "timeline.add_all"),
        *("runs.queue", "runs.finish", "outbox.want", "outbox.posted", "outbox.unsure", "outbox.defer"),
        *(
            "outbox.step_aside",
            "outbox.forget",
            "audit.append",
            "notes.parsed",
            "notes.all_parsed",
            "notes.put",
        ),
        *("notes.once", "notes.save_document", "notes.document_as", "notes.rewrite_document", "actions.add"),
        *(
            "actions.save",
            "actions.keep_plan",
            "actions.put_steps",
            "actions.lock",
            "events.add",
            "events.park",
        ),
        *("events.counts", "events.related", "answers.put", "answers.set_traits", "aging.give_back"),
    }
)
"""What names its rows by their keys, or asks only what is asked above."""


def methods() -> Iterator[str]:
    """Yield every public method of every repository of a transaction."""
    for name, made in vars(Transaction).items():
        if hasattr(made, "func"):
            repository = made.func.__annotations__["return"]
            table = getattr(__import__(Transaction.__module__, fromlist=[repository]), repository)
            yield from (f"{name}.{method}" for method in vars(table) if not method.startswith("_"))


def test_each_method_of_the_store_is_looked_at() -> None:
    """One that is new is asked here too, or it is said why not."""
    assert set(methods()) == set(ASKED) | set(READS_ALL) | WRITES_ROWS


async def test_no_regular_statement_reads_a_table_that_grows(sqlite_store: SqlStore) -> None:
    """Asked of the planner; in the year's end it would be the writer that everybody waits for."""
    await sqlite_store.write(lambda tx: tx.runs.queue(tx.incidents.save(_incident()).id, "opened", NOW))
    found = []
    for name, ask in ASKED.items():
        with noted(sqlite_store) as ran:
            await sqlite_store.write(ask)  # type: ignore[arg-type] # the transaction itself
        for statement, values in ran.items():
            if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
                plan = await sqlite_store.read(lambda tx, s=statement, v=values: _plan(tx, s, v))  # type: ignore[misc]
                found += [f"{name}: {step}: {statement}" for step in plan if _reads_all(step, statement)]
    assert not found, "\n".join(found)


def test_what_refers_to_another_table_is_found_by_index() -> None:
    """Where a row is removed the database looks for what refers to it: no planner tells of that."""
    assert {action_tables.actions.metadata, event_tables.events.metadata} == {metadata}
    assert [
        f"{table.name}.{key.parent.name}"
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.parent.name not in set(_first_columns(table))
    ] == []


def _first_columns(table: sa.Table) -> Iterator[str]:
    for index in table.indexes:
        if index.dialect_options["sqlite"].get("where") is None:
            yield next(iter(index.columns)).name
    for constraint in table.constraints:
        if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint):
            yield next(iter(constraint.columns)).name


def _plan(tx: Transaction, statement: str, values: object) -> list[str]:
    rows = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type] # the driver's
    return [str(row[3]) for row in rows]


def _reads_all(step: str, statement: str) -> bool:
    scan = SCAN.match(step)
    if not scan or scan["table"] not in GROWING or scan["name"] in SMALL:
        return False
    end = FROM_THE_END.search(statement)
    return end is None or end["table"] != scan["table"]
