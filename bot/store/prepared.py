"""Statements that run with every alert: compiled once, and handed to SQLite's driver without a way round.

For each execution SQLAlchemy makes the key of its cache, a context and a result anew: 35 to 60 µs for what SQLite does in
5, and a first post runs three dozen. What a statement is given, returns and raises is the same here. PostgreSQL, whose
answers take longer than that, is asked in the ordinary way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

ROWS = 16
"""Rows in one INSERT at the most, else the next power of two below: so many statements are kept, and each is not large."""
Values = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement for values of some names, and lists of some lengths.

    ``slots``: what the text asks for, in its order; ``converted``: the number of each that is converted, and by what;
    ``lists``: by name, the slots that the values of a list take; ``constants``: what the statement itself holds. ``names``
    and ``conversions`` are those of a row: the number of a column, and what converts it.
    """

    text: str
    slots: list[str]
    converted: list[tuple[int, _Convert]]
    lists: dict[str, list[str]]
    constants: dict[str, Any]
    names: list[str]
    conversions: list[tuple[int, _Convert]]

    def bound(self, values: Values) -> list[Any]:
        """Return the values in the order of the text, as the driver takes them."""
        if self.constants or self.lists:
            values = {**self.constants, **values}
            for name, slots in self.lists.items():
                listed = values[name]
                flat = [part for one in listed for part in one] if len(slots) > len(listed) else listed
                values.update(zip(slots, flat, strict=True))
        return _with(self.converted, list(map(values.__getitem__, self.slots)))

    def row(self, fetched: Sequence[Any]) -> list[Any]:
        """Return a row's values as the columns' types give them."""
        return _with(self.conversions, list(fetched))


def _with(conversions: list[tuple[int, _Convert]], values: list[Any]) -> list[Any]:
    for number, convert in conversions:
        values[number] = convert(values[number])
    return values


class Prepared:
    """A statement that is made once. Values are given by the names of its parameters."""

    def __init__(self, statement: sa.Executable) -> None:
        self.statement: Any = statement
        self._lists = _lists_in(statement)
        self._plans: dict[tuple[object, ...], _Compiled] = {}

    @cached_property
    def locking(self) -> Prepared:
        """The same question, for rows that are read to be changed."""
        return Prepared(self.statement.with_for_update())

    def rows(self, connection: sa.Connection, values: Values) -> list[Mapping[Any, Any]]:
        """Return the rows, each by the names of its columns."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self.statement, values).mappings())
        plan = self._plan(connection, values)
        return [dict(zip(plan.names, plan.row(row), strict=True)) for row in _fetch(connection, plan, values)]

    def tuples(self, connection: sa.Connection, values: Values) -> list[tuple[Any, ...]]:
        """Return the rows, each in the order of its columns."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.execute(self.statement, values)]
        plan = self._plan(connection, values)
        fetched = _fetch(connection, plan, values)
        return [tuple(plan.row(row)) for row in fetched] if plan.conversions else fetched

    def scalars(self, connection: sa.Connection, values: Values) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self.tuples(connection, values)]

    def scalar(self, connection: sa.Connection, values: Values) -> Any:  # noqa: ANN401 - of whatever type the column is
        """Return the first value of the first row; None where there is none."""
        return next(iter(self.scalars(connection, values)), None)

    def run(self, connection: sa.Connection, values: Values) -> None:
        """Run a statement that changes something."""
        if connection.dialect.name != "sqlite":
            connection.execute(self.statement, values)
            return
        _fetch(connection, self._plan(connection, values), values)

    def run_each(self, connection: sa.Connection, rows: Sequence[Values]) -> None:
        """Run it once for each of some rows, which all have the same names."""
        if connection.dialect.name != "sqlite":
            connection.execute(self.statement, rows)
            return
        plan = self._plan(connection, rows[0])
        many = [plan.bound(row) for row in rows]
        try:
            _run_many(_driver(connection), plan.text, many)
        except sqlite3.Error as error:
            raise _named(plan.text, error) from error

    def _plan(self, connection: sa.Connection, values: Values) -> _Compiled:
        shape = (*values, *(len(values[name]) for name in self._lists))
        plan = self._plans.get(shape)
        if plan is None:  # two threads may both make it: they make the same
            plan = self._plans[shape] = _planned(self.statement, connection.dialect, values)
        return plan


def say(connection: sa.Connection, text: str) -> None:
    """Run a statement of SQLite's that has no values and no answer."""
    try:
        _driver(connection).execute(text)
    except sqlite3.Error as error:
        raise _named(text, error) from error


def others_commits(connection: sa.Connection) -> tuple[object, int]:
    """Return what stays the same while no other connection has changed SQLite's file; each connection has its own."""
    driver, text = _driver(connection), "PRAGMA data_version"
    try:
        (version,) = driver.execute(text).fetchone()
    except sqlite3.Error as error:
        raise _named(text, error) from error
    return driver, int(version)


def _lists_in(statement: Any) -> tuple[str, ...]:  # noqa: ANN401 - as in ``Prepared``
    """Return the names of the parameters that are lists: for each length of one the text is another."""
    parts = visitors.iterate(statement)
    return tuple({part.key for part in parts if isinstance(part, sa.BindParameter) and part.expanding})


def _planned(statement: Any, dialect: sa.Dialect, values: Values) -> _Compiled:  # noqa: ANN401 - as in ``Prepared``
    compiled = statement.compile(dialect=dialect, column_keys=list(values))

    def converts(name: str) -> _Convert | None:
        parameter = compiled.binds.get(name)  # one of a list's values has its own, in ``processors``
        return None if parameter is None else parameter.type.dialect_impl(dialect).bind_processor(dialect)

    state = compiled.construct_expanded_state(dict(values))
    taken = {*values, *(slot for slots in state.parameter_expansion.values() for slot in slots)}
    slots = list(state.positiontup)
    columns = list(getattr(statement, "exported_columns", ()))
    converters = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
    return _Compiled(
        text=state.statement,
        slots=slots,
        converted=_numbered(state.processors.get(name) or converts(name) for name in slots),
        lists={name: list(slots) for name, slots in state.parameter_expansion.items()},
        constants={name: value for name, value in state.parameters.items() if name not in taken},
        names=[column.key for column in columns],
        conversions=_numbered(converters),
    )


def _numbered(conversions: Iterable[_Convert | None]) -> list[tuple[int, _Convert]]:
    return [(number, convert) for number, convert in enumerate(conversions) if convert is not None]


def _fetch(connection: sa.Connection, plan: _Compiled, values: Values) -> list[Any]:
    try:
        return _driver(connection).execute(plan.text, plan.bound(values)).fetchall()
    except sqlite3.Error as error:
        raise _named(plan.text, error) from error


def _run_many(driver: sqlite3.Connection, text: str, many: list[list[Any]]) -> None:
    """Run a statement for each of some rows; an INSERT takes several of them at once.

    The driver gives the interpreter lock away twice for each run, and waits until the loop's thread gives it back.
    """
    row = f" VALUES ({', '.join('?' * len(many[0]))})"
    if len(many) == 1 or not text.startswith("INSERT") or row not in text:
        driver.executemany(text, many)
        return
    done = 0
    while done < len(many):
        some = many[done : done + min(ROWS, 1 << (len(many) - done).bit_length() - 1)]
        driver.execute(_for_rows(text, row, len(some)), [value for values in some for value in values])
        done += len(some)


@cache
def _for_rows(text: str, row: str, rows: int) -> str:
    """Return an INSERT of one row as one of several."""
    return text.replace(row, row + f", {row.removeprefix(' VALUES ')}" * (rows - 1), 1)


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment] # SQLite's own
    return driver


def _named(text: str, error: sqlite3.Error) -> BaseException:
    """Return the error of a statement as SQLAlchemy names it."""
    return sa.exc.DBAPIError.instance(text, None, error, sqlite3.Error)
