"""A file of the desk that people edit: read where it was touched, remembered as salted digests of its parts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity
from triage.incidents.timeline import tell_events
from triage.model import Json, Source, Subject, SubjectKind
from triage.ports.store import Tx

T = TypeVar("T")
_SIZE_MAX = 1024 * 1024


class Reads(Protocol):
    """Reads of the desk's files on threads, under a deadline."""

    async def read(self, work: Callable[[], T], what: str) -> T:
        """Run a read. Raises DeskFailure where it takes too long, which ``/readyz`` shows."""
        ...


@dataclass(slots=True)
class EditedFile:
    """Gives a file's text where it was touched since it was read last."""

    path: Path
    _stamp: tuple[int, int] | None = None
    _gone: bool = False

    def gone(self) -> bool:
        """Say once that the file is not there; what comes back in its place is read, whatever its time and size."""
        first, self._gone, self._stamp = not self._gone, True, None
        return first

    def read(self) -> tuple[str, datetime] | None:
        """Return the text and when it was modified; None where nothing touched it, or where it cannot be read."""
        if not self.path.is_file():  # a FIFO would hold the thread for ever, a device never ends
            return None
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp or stat.st_size > _SIZE_MAX:
                return None
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        self._stamp, self._gone = stamp, False
        return text, datetime.fromtimestamp(stat.st_mtime, UTC)


@dataclass(frozen=True, slots=True)
class PartDigests:
    """What is kept of a file: the digest of each part by its name, all with one ``salt``."""

    salt: str
    parts: Mapping[str, str]

    @classmethod
    def of(cls, parts: Mapping[str, str], before: PartDigests | None) -> PartDigests:
        """Return the digests of parts, to be compared with those of ``before``."""
        salt = before.salt if before else secrets.token_hex(16)
        return cls(salt, {name: digest(salt, value) for name, value in parts.items()})

    def changed(self, before: PartDigests) -> list[str]:
        """Return the names of the parts that are new, gone or different."""
        names = sorted({*before.parts, *self.parts})
        return [name for name in names if before.parts.get(name) != self.parts.get(name)]


def digest(salt: str, value: str) -> str:
    """Return 16 hex digits that stand for a value and do not tell it."""
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()[:16]


def tell_edit(
    tx: Tx,
    desk: Desk,
    *,
    category: str,
    digest: str,
    modified: datetime,
    text: str,
    data: Mapping[str, Json],
    now: datetime,
) -> None:
    """Store that a file was edited, once, and tell the open incidents. ``digest``: of what the file holds now."""
    event = DeskEvent(
        key=f"{category}/{int(modified.timestamp() * 1000)}/{digest}",
        source=Source.OPERATOR,
        at=modified,
        subject=Subject(SubjectKind.DESK, desk.name),
        gravity=Gravity.INFO,
        category=category,
        text=text,
        change=True,
        data=data,
    )
    if tx.events.add([event], now=now):
        tell_events(tx, desk, [event], incidents=tx.incidents.open(), now=now, in_thread={event.key})
