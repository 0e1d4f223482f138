"""Caches the incidents that each pass over the inbox reads: most of them are as they were a moment ago.

Making them of their rows took longer than all else of sorting an alert while a few hundred were open. What is
cached counts only while the whole row is what it was, so that nothing can be out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from triage.model import Incident


def as_stored(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """Return a table's columns as the driver gives them: no value is converted."""
    return [sa.type_coerce(column, sa.types.NullType).label(column.name) for column in table.c]


@dataclass(slots=True)
class IncidentCache:
    """The incidents of the last reading, by id, each beside the row that it was made of. For one thread."""

    _known: dict[int, tuple[Sequence[Any], Incident]] = field(default_factory=dict)

    def incidents(
        self, rows: Sequence[Sequence[Any]], make: Callable[[list[int]], list[Incident]]
    ) -> list[Incident]:
        """Return the incidents of rows whose first value is the id; ``make`` reads those that are new or changed.

        One that ``make`` leaves out cannot be read, and is left out here too.
        """
        known = {row[0]: found for row in rows if (found := self._known.get(row[0])) and found[0] == row}
        missing = {row[0]: row for row in rows if row[0] not in known}
        for incident in make(list(missing)) if missing else ():
            known[incident.id] = (missing[incident.id], incident)
        self._known = known
        return [known[row[0]][1] for row in rows if row[0] in known]
