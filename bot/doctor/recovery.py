"""Copies every row that can be read out of a damaged SQLite file into a new one, and says what became of each table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.doctor.pages import DatabasePages, Row
from bot.store.tables import metadata

_Column = tuple[str, Any, bool]
"""A column's name, its default, and whether it is the row's own number."""


def recover(path: Path, made: Path) -> list[str]:
    """Fill the new file from the damaged one, parents before children. Returns what to say, table by table."""
    said: list[str] = []
    pages = DatabasePages(path)
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(made)) as new:
        old.text_factory = lambda text: text.decode("utf-8", "replace")
        new.execute("PRAGMA foreign_keys=OFF")
        of_schema = new.execute("SELECT key, value FROM notes").fetchall()
        new.execute("DELETE FROM notes")  # else the old file's own would count as rows that could not be read
        for table in metadata.sorted_tables:
            said.append(f"  {table.name}: {_copied(_TableReading(old, pages, table), new)}")
            new.commit()
        new.executemany("INSERT OR REPLACE INTO notes (key, value) VALUES (?, ?)", of_schema)
        orphans = _drop_orphans(new)
        if orphans:
            said.append(f"  {orphans} rows belonged to what is lost and were left out; the copy has them.")
        new.commit()
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return said


def _copied(reading: _TableReading, new: sqlite3.Connection) -> str:
    names = reading.names
    insert = f"INSERT INTO {reading.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of our own schema
    kept = refused = 0
    for row in reading.rows():
        taken = row is not None and _inserted(new, insert, row)
        kept, refused = kept + taken, refused + (not taken)
    said = f"{kept} rows recovered"
    if reading.missing:
        said += ", nothing of it was found"
    if reading.pages_lost:
        said += f", {reading.pages_lost} of its pages could not be read"
    return said + (f", {refused} rows were damaged and left out" if refused else "")


class _TableReading:
    """Reads one table: by SQLite, and what that does not reach, page by page."""

    def __init__(self, old: sqlite3.Connection, pages: DatabasePages, table: sa.Table) -> None:
        self.table = table.name
        self.names = [column.name for column in table.columns]
        self.missing = False
        self.pages_lost = 0
        self._old = old
        self._pages = pages
        self._schema = table

    def rows(self) -> Iterator[Sequence[object] | None]:
        """Yield the rows, None for one that is damaged; afterwards it is known how many pages could not be read."""
        seen: set[int] = set()
        for order in ("ASC", "DESC"):
            asked = f"SELECT rowid, {', '.join(self.names)} FROM {self.table} ORDER BY rowid {order}"  # noqa: S608 - names of our own schema
            try:
                for rowid, *row in self._old.execute(asked):
                    if rowid in seen:
                        break
                    seen.add(rowid)
                    yield row
                else:
                    if order == "ASC":
                        return
            except (sqlite3.Error, ValueError, OverflowError):
                continue
        yield from self._others(seen)

    def _others(self, seen: set[int]) -> Iterator[Sequence[object] | None]:
        root = self._pages.roots.get(self.table)
        if root is None:
            self.missing = not seen
            return
        found = self._pages.table(root)
        self.pages_lost = found.pages_lost
        columns = self._columns_of(found.rows)
        for row in found.rows:
            if row[0] not in seen:
                values = _named(row, columns)
                fits = all(_fits(column, values.get(column.name)) for column in self._schema.columns)
                yield [values.get(name) for name in self.names] if fits else None

    def _columns_of(self, rows: Sequence[Row]) -> list[_Column]:
        """Return the columns as the file says that it has them; as ours are where that is damaged too."""
        columns = _columns(self._pages.statement(self.table))
        longest = max((len(values) for _, values in rows), default=0)
        if {name for name, *_ in columns} >= set(self.names) and len(columns) >= longest:
            return columns
        return [
            (column.name, None, column is self._schema.autoincrement_column)
            for column in self._schema.columns
        ]


def _fits(column: sa.Column[Any], value: object) -> bool:
    """Whether a value can be a column's: else the page it was found on is another table's, or damaged."""
    if value is None or not isinstance(column.type, (sa.Integer, sa.Text)):
        return True
    return isinstance(value, int if isinstance(column.type, sa.Integer) else str)


def _named(row: Row, columns: Sequence[_Column]) -> dict[str, object]:
    """Return a row by its columns' names; one that was written before a column was added has its default."""
    rowid, values = row
    return {
        name: rowid if is_key else (values[at] if at < len(values) else default)
        for at, (name, default, is_key) in enumerate(columns)
    }


def _columns(statement: str) -> list[_Column]:
    """Return the columns of a CREATE TABLE; none where it cannot be understood."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(statement)
            (name,) = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()
            info = database.execute(
                "SELECT name, type, dflt_value, pk FROM pragma_table_info(?)", (name,)
            ).fetchall()
            keys = sum(bool(pk) for *_, pk in info)
            return [
                (
                    column,
                    None if default is None else database.execute(f"SELECT {default}").fetchone()[0],
                    bool(pk) and keys == 1 and kind.upper() == "INTEGER",
                )
                for column, kind, default, pk in info
            ]
        except (sqlite3.Error, sqlite3.Warning, TypeError):
            return []


def _inserted(new: sqlite3.Connection, insert: str, row: Sequence[object]) -> bool:
    try:
        new.execute(insert, row)
    except (
        sqlite3.IntegrityError,
        OverflowError,
    ):  # what was read is no row of this table; a full disk is another error
        return False
    return True


def _drop_orphans(new: sqlite3.Connection) -> int:
    """Leave out rows whose parent is lost, until every reference holds."""
    dropped = 0
    while found := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, *_ in found:
            dropped += new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,)).rowcount  # noqa: S608 - as above
    return dropped
