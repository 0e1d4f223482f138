"""Reads records so that one which cannot be read costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.store.health import Unreadable

T = TypeVar("T")


def read_all(
    connection: sa.Connection,
    query: sa.Select[Any],
    values: Mapping[str, Any],
    make: Callable[[sa.RowMapping], T],
    unreadable: Unreadable,
) -> list[T]:
    """Return what a query finds, in its order; a record that cannot be read is noted and left out.

    The query is one over one table with an ``id``. An error of the database itself is raised.
    """
    try:
        return [make(row) for row in connection.execute(query, values).mappings()]
    except sa.exc.DBAPIError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is that one record holds
        return _one_by_one(connection, query, values, make, unreadable)


def _one_by_one(
    connection: sa.Connection,
    query: sa.Select[Any],
    values: Mapping[str, Any],
    make: Callable[[sa.RowMapping], T],
    unreadable: Unreadable,
) -> list[T]:
    table = query.get_final_froms()[0]
    column = table.c["id"]
    found = []
    for record in connection.execute(query.with_only_columns(column), values).scalars().all():
        one = sa.select(*query.selected_columns).where(column == record)
        try:
            row = connection.execute(one).mappings().first()
            if row is not None:
                found.append(make(row))
        except sa.exc.DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - as above; it is kept, and said
            unreadable.note(str(getattr(table, "name", "records")), int(record), error)
    return found
