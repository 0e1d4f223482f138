"""Notices that the desk's Compose file changed: which services, and nothing of what stands there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from schedules.edited_file import EditedFile, PartDigests, digest, tell_edit
from triage.desk import Desk
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.signals.compose_text import REST, service_blocks
from triage.wording import listed

NOTE = "changes/compose"


@dataclass(slots=True)
class ComposeWatch:
    """Compares the Compose file with what it was, service by service; kept are salted digests only.

    Where this process has no way to the file (the desk's host is another one), nothing is noticed.
    """

    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    _file: EditedFile = field(init=False)

    def __post_init__(self) -> None:
        """Find the file."""
        self._file = EditedFile(Path(self.desk.paths.compose) / self.desk.compose.file)

    async def run(self) -> bool:
        """Look once; returns whether something changed. A file that cannot be read is none of our business."""
        found = await asyncio.to_thread(self._file.read)
        if found is None:
            return False
        text, modified = found
        now = self.clock.now()
        changed = await self.store.write(lambda tx: self._compare(tx, text, min(modified, now), now))
        if changed:
            self.stored()
        return changed

    def _compare(self, tx: Tx, text: str, modified: datetime, now: datetime) -> bool:
        before = tx.notes.parsed(NOTE, _kept)
        digests = PartDigests.of(service_blocks(text), before)
        if digests == before:
            return False
        tx.notes.put(NOTE, json.dumps({"salt": digests.salt, "digests": digests.parts}))
        if not before:
            return False
        names = digests.changed(before)
        tell_edit(
            tx,
            self.desk,
            category="compose",
            digest=digest(digests.salt, text),
            modified=modified,
            text=f"{self.desk.compose.file} changed: {listed(names, 8)}",
            data={"services": [] if REST in names else names},
            now=now,
        )
        return True


def _kept(text: str) -> PartDigests:
    kept = json.loads(text)
    return PartDigests(str(kept["salt"]), dict(kept["digests"]))
