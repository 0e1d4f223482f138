"""Caches the incidents that each pass over the inbox reads: most of them are as they were a moment ago.

Making them of their rows took longer than all else of sorting an alert while a few hundred were open. What is
cached counts only while its stamp is what it was, so that nothing can be out of date: on PostgreSQL the whole row, on
SQLite what it says of other connections' commits, for our own changes are known.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from triage.model import Incident


def as_stored(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    """Return a table's columns as the driver gives them: no value is converted."""
    return [sa.type_coerce(column, sa.types.NullType).label(column.name) for column in table.c]


@dataclass(slots=True)
class IncidentCache:
    """The incidents of the last reading, by id, each beside its stamp of then. For one thread."""

    _known: dict[int, tuple[object, Incident]] = field(default_factory=dict)

    def incidents(
        self,
        stamps: Mapping[int, object],
        make: Callable[[list[int]], list[Incident]],
        *,
        changing: Container[int],
    ) -> list[Incident]:
        """Return the incidents of these ids, in their order; ``make`` reads those that are new or have another stamp.

        One that ``make`` leaves out cannot be read, and is left out here too. Of those that are ``changing`` nothing is
        kept: the transaction may still be rolled back.
        """
        known = {
            key: found
            for key, stamp in stamps.items()
            if (found := self._known.get(key)) is not None and found[0] == stamp
        }
        missing = [key for key in stamps if key not in known]
        for incident in make(missing) if missing else ():
            known[incident.id] = (stamps[incident.id], incident)
        self._known = {key: found for key, found in known.items() if key not in changing}
        return [known[key][1] for key in stamps if key in known]

    def forget(self, incident_id: int) -> None:
        """Forget one that is changed."""
        self._known.pop(incident_id, None)
