"""Small things: cursors, periods that were served, documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.text import clean
from bot.store.upsert import insert, insert_or_update
from triage.errors import RecordUnreadable
from triage.model import Json
from triage.ports.store import Document

T = TypeVar("T")
_n = tables.notes
_p = tables.periods
_d = tables.documents
_LAST_CHARACTER = chr(0x10FFFF)
_GET = Prepared(sa.select(_n.c.value).where(_n.c.key == sa.bindparam("wanted")))


class NoteTable:
    """Implements ``triage.ports.store.Notes``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def get(self, key: str) -> str | None:
        """Return the value under a key."""
        value = _GET.scalar(self._connection, {"wanted": clean(key)})
        return None if value is None else str(value)

    def parsed(self, key: str, make: Callable[[str], T]) -> T | None:
        """Return what a note says; None if there is none or it cannot be read (which is recorded)."""
        text = self.get(key)
        return self._made(key, text, make) if text else None

    def all_parsed(self, prefix: str, make: Callable[[str], T]) -> dict[str, T]:
        """Return every key that begins with a prefix and whose value is not empty; one that cannot be read is noted."""
        made = {key: self._made(key, text, make) for key, text in self.all(prefix).items() if text}
        return {key: found for key, found in made.items() if found is not None}

    def _made(self, key: str, text: str, make: Callable[[str], T]) -> T | None:
        try:
            found = make(text)
        except Exception as error:  # noqa: BLE001 - whatever it is that one note holds
            self._unreadable.note("notes", key, error)
            return None
        self._unreadable.over("notes", key)
        return found

    def put(self, key: str, value: str) -> None:
        """Set the value under a key."""
        statement = insert_or_update(self._connection, _n, "key", changing=("value",))
        statement.run(self._connection, {"key": clean(key), "value": clean(value)})

    def all(self, prefix: str) -> dict[str, str]:
        """Return every key that begins with a prefix, with its value."""
        wanted = clean(prefix)
        query = sa.select(_n.c.key, _n.c.value).where(_n.c.key.startswith(wanted, autoescape=True))
        if self._connection.dialect.name == "sqlite":
            # Its LIKE reads every note there is; a server's order of texts is another than that of their bytes.
            query = query.where(_n.c.key >= wanted, _n.c.key < wanted + _LAST_CHARACTER)
        return {row.key: row.value for row in self._connection.execute(query)}

    def once(self, name: str, period: str, now: datetime) -> bool:
        """Claim a period of a job: True for the first who asks, False ever after."""
        statement = insert(self._connection, _p).values(name=clean(name), period=clean(period), at=now)
        statement = statement.on_conflict_do_nothing(index_elements=["name", "period"])
        return self._connection.execute(statement.returning(_p.c.name)).scalar() is not None

    def save_document(
        self, kind: str, data: Mapping[str, Json], *, made_at: datetime, content: bytes = b""
    ) -> int:
        """Keep a document and return its id."""
        statement = sa.insert(_d).values(kind=clean(kind), made_at=made_at, data=dict(data), content=content)
        return int(self._connection.execute(statement.returning(_d.c.id)).scalar_one())

    def document(self, document_id: int) -> Document | None:
        """Return a document, None where there is none. Raises RecordUnreadable."""
        return self.document_as(document_id, lambda document: document)

    def document_as(self, document_id: int, make: Callable[[Document], T]) -> T | None:
        """Return what is made of a document, None where there is none. Raises RecordUnreadable, which is noted."""
        query = sa.select(_d).where(_d.c.id == document_id)
        try:
            row = self._connection.execute(query).mappings().first()
            return None if row is None else make(Document(**dict(row)))
        except sa.exc.DBAPIError:
            raise
        except Exception as error:
            self._unreadable.note(_d.name, document_id, error)
            raise RecordUnreadable(f"document {document_id} cannot be read") from error

    def rewrite_document(self, document_id: int, data: Mapping[str, Json]) -> None:
        """Put other data into a document."""
        self._connection.execute(sa.update(_d).where(_d.c.id == document_id).values(data=dict(data)))
