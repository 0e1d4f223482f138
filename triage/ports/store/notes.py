"""Values under keys, claimed periods, and documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from triage.model import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """A rendered or computed thing worth keeping: a digest, a checklist's answer, a drill's report, a picture."""

    id: int
    kind: str
    made_at: datetime
    data: Mapping[str, Json]
    content: bytes = b""


class Notes(Protocol):
    """Small things: cursors, periods that were served, documents."""

    def get(self, key: str) -> str | None:
        """Return the value under a key."""
        ...

    def parsed(self, key: str, make: Callable[[str], T]) -> T | None:
        """Return what a note says; None if there is none or it cannot be read (which is recorded)."""
        ...

    def all_parsed(self, prefix: str, make: Callable[[str], T]) -> dict[str, T]:
        """Return every key that begins with a prefix and whose value is not empty; one that cannot be read is noted."""
        ...

    def put(self, key: str, value: str) -> None:
        """Set the value under a key."""
        ...

    def all(self, prefix: str) -> dict[str, str]:
        """Return every key that begins with a prefix, with its value."""
        ...

    def once(self, name: str, period: str, now: datetime) -> bool:
        """Claim a period of a job: True for the first who asks, False ever after."""
        ...

    def save_document(
        self, kind: str, data: Mapping[str, Json], *, made_at: datetime, content: bytes = b""
    ) -> int:
        """Keep a document and return its id."""
        ...

    def document(self, document_id: int) -> Document | None:
        """Return a document, None where there is none. Raises RecordUnreadable."""
        ...

    def document_as(self, document_id: int, make: Callable[[Document], T]) -> T | None:
        """Return what is made of a document, None where there is none. Raises RecordUnreadable, which is noted."""
        ...

    def rewrite_document(self, document_id: int, data: Mapping[str, Json]) -> None:
        """Put other data into a document: what is posted of it has to be wanted again."""
        ...
