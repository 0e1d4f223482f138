"""Whether a transaction wrote something, and what became of its COMMIT when the answer was lost."""

from __future__ import annotations

import time

import sqlalchemy as sa

from bot.store import tables
from bot.store.deadlines import Deadlines
from bot.store.upsert import insert_or_update
from triage.errors import NotStored

ASK_SECONDS = 3.0
"""How long a server is asked what became of a COMMIT: it may still be at it."""
_PROBE = "store/probe"
_RIGHTS = ("INSERT", "UPDATE", "DELETE")
"""What is done to a table; the audit trail only grows."""


def written(connection: sa.Connection) -> str:
    """Return a mark of what a transaction wrote so far: it changes when something is written.

    On PostgreSQL it names the transaction, and is empty until something is written.
    """
    if connection.dialect.name == "postgresql":
        return str(connection.exec_driver_sql("SELECT txid_current_if_assigned()").scalar() or "")
    return str(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]


def was_committed(engine: sa.Engine, mark: str, deadlines: Deadlines) -> bool | None:
    """Ask what became of a transaction whose COMMIT was not answered; None: nobody knows.

    Also of a server that takes the question and stands still: it takes ``ASK_SECONDS`` and a connection's time at most.
    """
    if engine.dialect.name != "postgresql":
        return None
    until = time.monotonic() + ASK_SECONDS
    while True:
        try:
            left = max(0.0, until - time.monotonic())
            with engine.connect() as connection, deadlines.limit(connection, left):
                status = connection.execute(
                    sa.select(sa.func.txid_status(sa.cast(mark, sa.BigInteger)))
                ).scalar()
        except sa.exc.DBAPIError:
            status = None
        if status in {"committed", "aborted"}:
            return bool(status == "committed")
        if time.monotonic() > until:
            return None
        time.sleep(0.2)


def probe(connection: sa.Connection, at: float) -> None:
    """Write a little, so that the commit tells whether there is room."""
    statement = insert_or_update(connection, tables.notes, "key", changing=("value",))
    statement.run(connection, {"key": _PROBE, "value": f"{at:.0f}"})


def look_at_each_table(connection: sa.Connection) -> None:
    """Ask every table for all its columns and no row, and for our rights on it.

    Raises the database's error where one is not there, NotStored where we may not write into it.
    """
    for table in tables.metadata.sorted_tables:
        connection.execute(sa.select(table).limit(0)).close()
        if connection.dialect.name == "postgresql":
            for right in _RIGHTS if table is not tables.audit else _RIGHTS[:1]:
                if not connection.execute(sa.select(sa.func.has_table_privilege(table.name, right))).scalar():
                    raise NotStored(f"no right to {right} in the table {table.name}")
