"""Notices that the desk's ``.env`` changed: which keys, and no value that could be a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schedules.edited_file import EditedFile, PartDigests, Reads, digest, tell_edit
from triage.actions.attribution import action_behind_env
from triage.desk import Desk
from triage.env_text import EnvEntry, EnvText, read_env
from triage.errors import DeskFailure, FileNotClear, Refused, SourceError
from triage.masking import masked
from triage.ports.actions import EnvFile
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.wording import listed

NOTE = "changes/env"
SHOWN = frozenset({"HUMMINGBOT_IMAGE", "EXT_SIGNAL_RISK_ENABLED", "BUS_SOFT_PAUSE_ON_OUTAGE"})
"""Keys whose values are told: they decide what runs, and hold no secret."""
_UNCLEAR = "(unclear)"


@dataclass(slots=True)
class EnvWatch:
    """Compares ``.env`` with what it was. Values are remembered as salted digests only.

    ``agent`` is asked where this process has no way to the file: it tells stand-ins for the values of most keys.
    """

    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    reads: Reads
    agent: EnvFile | None = None
    _file: EditedFile | None = field(init=False)

    def __post_init__(self) -> None:
        """Find the file, where the desk has one."""
        env = self.desk.paths.env
        self._file = None if env is None else EditedFile(env)

    async def run(self) -> bool:
        """Look once; returns whether something changed. A file that cannot be read is none of our business."""
        found = await (self._ask(self.agent) if self.agent is not None else self._look())
        if found is None:
            return False
        read, modified = found
        now = self.clock.now()
        try:
            changed = await self.store.write(lambda tx: self._compare(tx, read, min(modified, now), now))
        except BaseException:  # what was read is not remembered: the next look reads it again
            self._file = None if self._file is None else EditedFile(self._file.path)
            raise
        if changed:
            self.stored()
        return changed

    async def _look(self) -> tuple[EnvText, datetime] | None:
        file = self._file
        if file is None:
            return None
        try:
            return await self.reads.read(lambda: _read(file), ".env")
        except DeskFailure:  # what a read that comes late has learned is not kept: the next one looks anew
            self._file = EditedFile(file.path)
            return None

    async def _ask(self, agent: EnvFile) -> tuple[EnvText, datetime] | None:
        try:
            values = await agent.read()
        except FileNotClear as error:
            return EnvText(doubts=(str(error),)), self.clock.now()
        except (DeskFailure, Refused, SourceError):
            return None  # an agent that is away, or a file that cannot be read, is told elsewhere
        return EnvText(tuple(EnvEntry(key, value, 0, 0) for key, value in values.items())), self.clock.now()

    def _compare(self, tx: Tx, read: EnvText, modified: datetime, now: datetime) -> bool:
        values = read.values
        before = tx.notes.parsed(NOTE, _kept)
        # Where a line is not clear, what looks like a key may be a piece of a secret: then no name is kept or told.
        known = {_UNCLEAR: repr((sorted(values.items()), read.doubts))} if read.doubts else values
        digests = PartDigests.of(known, before[0] if before else None)
        if before and digests == before[0]:
            return False
        shown = {name: masked(known[name].strip()) for name in SHOWN if name in known}
        tx.notes.put(NOTE, json.dumps({"salt": digests.salt, "digests": digests.parts, "shown": shown}))
        if not before:
            return False
        names = digests.changed(before[0])
        unclear = read.doubts[:1] or (("a line was not clear",) if _UNCLEAR in names else ())
        said = [self._said(name, before[1], shown, digests.parts) for name in names]
        told = f"which keys is not told: {unclear[0]}" if unclear else listed(said, 8)
        by = "" if unclear else action_behind_env(tx, values, names, now)
        tell_edit(
            tx,
            self.desk,
            category="env",
            digest=digest("", json.dumps(digests.parts, sort_keys=True)),
            modified=modified,
            text=f".env changed: {told}{f' (by {by})' if by else ''}",
            data={"keys": [] if unclear else names},
            now=now,
        )
        return True

    @staticmethod
    def _said(
        name: str, before: Mapping[str, str], after: Mapping[str, str], digests: Mapping[str, str]
    ) -> str:
        if name in before and name in after:
            return f"{name} {before[name]} → {after[name]}"
        return name if name in digests else f"{name} (removed)"


def _kept(text: str) -> tuple[PartDigests, dict[str, str]]:
    """Return the digests that were kept, and the values that may be shown, by name."""
    kept = json.loads(text)
    return PartDigests(str(kept["salt"]), dict(kept["digests"])), dict(kept["shown"])


def _read(file: EditedFile) -> tuple[EnvText, datetime] | None:
    found = file.read()
    return None if found is None else (read_env(found[0]), found[1])
