"""Prepared statements give and raise what SQLAlchemy does, whatever they hold."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bot.store import SqlStore, tables
from bot.store.prepared import Prepared
from bot.store.upsert import insert_or_leave
from tests.contracts.store_samples import NOW, episode, incident, signal
from triage.errors import StoreUnavailable
from triage.ports.store import Tx

_i, _e, _s = tables.incidents, tables.episodes, tables.signals
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
STATEMENTS: list[tuple[Any, dict[str, object]]] = [
    (sa.select(_i).where(_i.c.id.in_(_IDS)).order_by(_i.c.id), {"ids": [1, 2]}),
    (sa.select(_i.c.id).where(_i.c.id.in_(_IDS)), {"ids": [2]}),
    (sa.select(_i.c.id).where(_i.c.id.in_(_IDS)), {"ids": []}),
    (
        sa.select(_e).where(sa.tuple_(_e.c.source, _e.c.episode).in_(sa.bindparam("keys", expanding=True))),
        {"keys": [("alertmanager", "e1"), ("alertmanager", "e2"), ("audit", "e1")]},
    ),
    (
        sa.select(sa.func.min(_i.c.opened_at, type_=tables.UtcTime)).where(
            _i.c.status != "resolved", _i.c.changed_at <= sa.bindparam("now", type_=tables.UtcTime)
        ),
        {"now": NOW},
    ),
    (sa.select(_s.c.labels, _s.c.ends_at).where(_s.c.outcome == "").limit(sa.bindparam("most")), {"most": 5}),
]


async def filled(store: SqlStore) -> None:
    """Put a few records of each kind into the store."""

    def fill(tx: Tx) -> None:
        for number in (1, 2):
            one = tx.incidents.save(incident(title=f"t{number}"))
            tx.incidents.put_episode(episode(one.id, f"e{number}"))

    await store.write(fill)
    await store.keep([signal("s1"), signal("s2")])


@pytest.mark.parametrize("number", range(len(STATEMENTS)))
async def test_rows_are_those_of_sqlalchemy(store: SqlStore, number: int) -> None:
    """Lists, pairs, constants, times and JSON; asked twice, and locked as well, it is the same."""
    await filled(store)
    statement, values = STATEMENTS[number]
    prepared = Prepared(statement)

    def ask(tx: Any) -> None:  # noqa: ANN401 - the connection behind the port
        expected = [tuple(row) for row in tx.connection.execute(statement, values)]
        assert prepared.tuples(tx.connection, values) == expected
        assert [tuple(row.values()) for row in prepared.rows(tx.connection, values)] == expected
        assert prepared.scalars(tx.connection, values) == [row[0] for row in expected]
        assert prepared.scalar(tx.connection, values) == (expected[0][0] if expected else None)

    await store.read(ask)


async def test_what_is_read_to_be_changed_is_locked(store: SqlStore) -> None:
    """The same rows, asked for as ``FOR UPDATE``."""
    await filled(store)
    prepared = Prepared(STATEMENTS[0][0])
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert "FOR UPDATE" in str(prepared.locking.statement.compile(dialect=dialect))
    found: Any = await store.write(
        lambda tx: prepared.locking.rows(tx.connection, STATEMENTS[0][1])  # type: ignore[attr-defined]
    )
    assert [row["title"] for row in found] == ["t1", "t2"]


async def test_an_error_has_the_name_that_sqlalchemy_gives_it(store: SqlStore) -> None:
    """A broken rule is the unit's own fault, a table that is gone the store's; no value stands in what is said."""
    await filled(store)
    twice = Prepared(sa.insert(tables.notes))

    def break_a_rule(tx: Any) -> None:  # noqa: ANN401 - as above
        twice.run_each(tx.connection, [{"key": "k", "value": "hunter2"}] * 2)

    with pytest.raises(sa.exc.IntegrityError) as broken:
        await store.write(break_a_rule)
    if store.alone:
        assert "hunter2" not in str(broken.value)
    gone = Prepared(sa.select(sa.table("nothing_here", sa.column("id"))))
    with pytest.raises(StoreUnavailable):
        await store.write(lambda tx: gone.rows(tx.connection, {}))  # type: ignore[attr-defined]


async def test_a_time_without_its_zone_is_refused(sqlite_store: SqlStore) -> None:
    """It would be silently shifted."""
    naive = datetime.now(UTC).replace(tzinfo=None)
    query, _ = STATEMENTS[4]
    with pytest.raises(ValueError, match="naive"):
        await sqlite_store.read(lambda tx: Prepared(query).scalar(tx.connection, {"now": naive}))  # type: ignore[attr-defined]


async def test_many_rows_of_which_some_are_known(store: SqlStore) -> None:
    """What has the same key already stays as it is."""

    def put(tx: Any) -> list[str]:  # noqa: ANN401 - as above
        statement = insert_or_leave(tx.connection, tables.notes, "key")
        statement.run(tx.connection, {"key": "a", "value": "1"})
        statement.run_each(tx.connection, [{"key": "a", "value": "2"}, {"value": "3", "key": "b"}])
        return [tx.notes.get("a"), tx.notes.get("b")]

    assert await store.write(put) == ["1", "3"]


async def test_many_rows_are_few_statements(sqlite_store: SqlStore) -> None:
    """In their order, each with its own values; a row that changes something is a statement of its own."""
    rows = [{"key": f"k{number}", "value": f"v{number % 3}"} for number in range(37)]
    change = Prepared(
        sa.update(tables.notes)
        .where(tables.notes.c.key == sa.bindparam("k"))
        .values(value=sa.bindparam("new"))
    )

    def put(tx: Any) -> tuple[list[str], list[str]]:  # noqa: ANN401 - as above
        driver, said = tx.connection.connection.driver_connection, list[str]()
        driver.set_trace_callback(said.append)
        insert_or_leave(tx.connection, tables.notes, "key").run_each(tx.connection, rows)
        change.run_each(tx.connection, [{"k": "k1", "new": "a"}, {"k": "k2", "new": "b"}])
        driver.set_trace_callback(None)
        notes = Prepared(sa.select(tables.notes.c.value).order_by(sa.text("rowid")))
        return said, notes.scalars(tx.connection, {})

    said, found = await sqlite_store.write(put)
    assert [one.split()[0] for one in said] == ["INSERT"] * 4 + ["UPDATE"] * 2
    assert found[-len(rows) :] == ["v0", "a", "b", *(row["value"] for row in rows[3:])]


async def test_a_list_that_is_one_value_costs_no_plan_of_its_own(store: SqlStore) -> None:
    """An incident's subjects grow through a storm: the statement that saves them is compiled once."""
    save = Prepared(sa.update(_i).where(_i.c.id.in_(_IDS)))
    subjects = [[["bot", f"b{number}"] for number in range(length)] for length in range(5)]

    def grow(tx: Any) -> None:  # noqa: ANN401 - the connection behind the port
        for some in subjects:
            save.run(tx.connection, {"subjects": some, "ids": (1, 2)})
        assert Prepared(sa.select(_i.c.subjects)).scalars(tx.connection, {}) == [subjects[-1]] * 2

    await filled(store)
    await store.write(grow)
    assert len(save._plans) <= 1
