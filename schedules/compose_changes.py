"""Notices that the desk's Compose file changed: which services, and nothing of what stands there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from schedules.edited_file import EditedFile, PartDigests, Reads, digest, tell_edit
from triage.concurrency import each
from triage.desk import Desk
from triage.errors import DeskFailure
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.signals.compose_text import REST, service_blocks
from triage.wording import listed

NOTE = "changes/compose"
"""What is remembered of the first file; of a further one, with its name behind."""
_OVERRIDES = tuple(
    f"{stem}.override.{end}" for stem in ("docker-compose", "compose") for end in ("yml", "yaml")
)
"""What Compose lays over its default file by itself."""


@dataclass(slots=True)
class ComposeWatch:
    """Compares the Compose files with what they were, service by service; kept are salted digests only.

    Where this process has no way to the file (the desk's host is another one), nothing is noticed.
    """

    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    reads: Reads
    _files: dict[str, EditedFile] = field(init=False)

    def __post_init__(self) -> None:
        """Find the files; of the default one the override beside it counts too, also where it comes or goes."""
        names = self.desk.compose.named_files or (self.desk.compose.file, *_OVERRIDES)
        self._files = {name: EditedFile(Path(self.desk.paths.compose) / name) for name in names}

    async def run(self) -> bool:
        """Look once; returns whether something changed. A file that cannot be read is none of our business."""
        return any(await each([*self._files.items()], lambda one: self._look(*one)))

    async def _look(self, name: str, file: EditedFile) -> bool:
        try:
            found = await self.reads.read(lambda: self._read(file), name)
        except DeskFailure:  # what a read that comes late has learned is not kept: the next one looks anew
            self._files[name] = EditedFile(file.path)
            return False
        if found is None:
            return False
        text, modified = found
        now = self.clock.now()
        try:
            changed = await self.store.write(
                lambda tx: self._compare(tx, name, text, min(modified, now), now)
            )
        except BaseException:  # what was read is not remembered: the next look reads it again
            self._files[name] = EditedFile(file.path)
            raise
        if changed:
            self.stored()
        return changed

    def _read(self, file: EditedFile) -> tuple[str, datetime] | None:
        """Read a file that was touched; an override that is not there, beside a file that is, holds nothing."""
        main = next(iter(self._files.values()))
        if self.desk.compose.named_files or file is main or file.path.exists() or not main.path.is_file():
            return file.read()
        return ("", self.clock.now()) if file.gone() else None

    def _compare(self, tx: Tx, name: str, text: str, modified: datetime, now: datetime) -> bool:
        note = NOTE if name == next(iter(self._files)) else f"{NOTE}/{name}"
        before = tx.notes.parsed(note, _kept)
        digests = PartDigests.of(service_blocks(text), before)
        if digests == before:
            return False
        tx.notes.put(note, json.dumps({"salt": digests.salt, "digests": digests.parts}))
        if not before:
            return False
        names = digests.changed(before)
        tell_edit(
            tx,
            self.desk,
            category="compose",
            digest=digest(digests.salt, text),
            modified=modified,
            text=f"{name} changed: {listed(names, 8)}",
            data={"services": [] if REST in names else names},
            now=now,
        )
        return True


def _kept(text: str) -> PartDigests:
    kept = json.loads(text)
    return PartDigests(str(kept["salt"]), dict(kept["digests"]))
