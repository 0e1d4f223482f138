"""Notices that the desk's Compose file changed: which services, and nothing of what stands there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity
from triage.incidents.timeline import tell_events
from triage.model import Source, Subject, SubjectKind
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.signals.compose_text import REST, service_blocks
from triage.wording import listed

NOTE = "changes/compose"
_SIZE_MAX = 1024 * 1024


@dataclass(slots=True)
class ComposeWatch:
    """Compares the Compose file with what it was, service by service; kept are salted digests only.

    Where this process has no way to the file (the desk's host is another one), nothing is noticed.
    """

    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    _stamp: tuple[int, int] | None = None

    async def run(self) -> bool:
        """Look once; returns whether something changed. A file that cannot be read is none of our business."""
        found = await asyncio.to_thread(self._read)
        if found is None:
            return False
        text, modified = found
        now = self.clock.now()
        changed = await self.store.write(lambda tx: self._compare(tx, text, min(modified, now), now))
        if changed:
            self.stored()
        return changed

    def _read(self) -> tuple[str, datetime] | None:
        """Read the file where it was touched since the last look."""
        path = Path(self.desk.paths.compose) / self.desk.compose.file
        if not path.is_file():  # a FIFO would hold the thread for ever, a device never ends
            return None
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp or stat.st_size > _SIZE_MAX:
                return None
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        self._stamp = stamp
        return text, datetime.fromtimestamp(stat.st_mtime, UTC)

    def _compare(self, tx: Tx, text: str, modified: datetime, now: datetime) -> bool:
        note = tx.notes.get(NOTE)
        before = json.loads(note) if note else None
        salt = before["salt"] if before else secrets.token_hex(16)
        digests = {name: _digest(salt, block) for name, block in service_blocks(text).items()}
        if before and before["digests"] == digests:
            return False
        tx.notes.put(NOTE, json.dumps({"salt": salt, "digests": digests}))
        if not before:
            return False
        was = before["digests"]
        names = sorted(name for name in {*was, *digests} if was.get(name) != digests.get(name))
        event = DeskEvent(
            key=f"compose/{int(modified.timestamp() * 1000)}/{_digest(salt, text)}",
            source=Source.OPERATOR,
            at=modified,
            subject=Subject(SubjectKind.DESK, self.desk.name),
            gravity=Gravity.INFO,
            category="compose",
            text=f"{self.desk.compose.file} changed: {listed(names, 8)}",
            change=True,
            data={"services": [] if REST in names else names},
        )
        if tx.events.add([event], now=now):
            tell_events(tx, self.desk, [event], incidents=tx.incidents.open(), now=now, told={event.key})
        return True


def _digest(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()[:16]
