"""Notices that the desk's ``.env`` changed: which keys, and no value that could be a secret."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triage.desk import Desk
from triage.desk_events import DeskEvent, Gravity
from triage.env_text import EnvEntry, EnvText, read_env
from triage.errors import DeskFailure, FileNotClear, Refused, SourceError
from triage.incidents.timeline import tell_events
from triage.masking import masked
from triage.model import Source, Subject, SubjectKind
from triage.ports.actions import EnvFile
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.wording import listed

NOTE = "changes/env"
SHOWN = frozenset({"HUMMINGBOT_IMAGE", "EXT_SIGNAL_RISK_ENABLED", "BUS_SOFT_PAUSE_ON_OUTAGE"})
"""Keys whose values are told: they decide what runs, and hold no secret."""
_UNCLEAR = "(unclear)"
_SIZE_MAX = 1024 * 1024


@dataclass(slots=True)
class EnvWatch:
    """Compares ``.env`` with what it was. Values are remembered as salted digests only.

    ``agent`` is asked where this process has no way to the file: it tells stand-ins for the values of most keys.
    """

    store: Store
    desk: Desk
    clock: Clock
    stored: Callable[[], None]
    agent: EnvFile | None = None
    _stamp: tuple[int, int] | None = None

    async def run(self) -> bool:
        """Look once; returns whether something changed. A file that cannot be read is none of our business."""
        found = await (self._ask(self.agent) if self.agent is not None else asyncio.to_thread(self._read))
        if found is None:
            return False
        read, modified = found
        now = self.clock.now()
        changed = await self.store.write(lambda tx: self._compare(tx, read, min(modified, now), now))
        if changed:
            self.stored()
        return changed

    async def _ask(self, agent: EnvFile) -> tuple[EnvText, datetime] | None:
        try:
            values = await agent.read()
        except FileNotClear as error:
            return EnvText(doubts=(str(error),)), self.clock.now()
        except (DeskFailure, Refused, SourceError):
            return None  # an agent that is away, or a file that cannot be read, is told elsewhere
        return EnvText(tuple(EnvEntry(key, value, 0, 0) for key, value in values.items())), self.clock.now()

    def _read(self) -> tuple[EnvText, datetime] | None:
        """Read the file where it was touched since the last look."""
        path = Path(self.desk.paths.env)
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
        return read_env(text), datetime.fromtimestamp(stat.st_mtime, UTC)

    def _compare(self, tx: Tx, read: EnvText, modified: datetime, now: datetime) -> bool:
        values = read.values
        before = tx.notes.parsed(NOTE, _read)
        salt = before["salt"] if before else secrets.token_hex(16)
        # Where a line is not clear, what looks like a key may be a piece of a secret: then no name is kept or told.
        known = {_UNCLEAR: repr((sorted(values.items()), read.doubts))} if read.doubts else values
        digests = {name: _digest(salt, value) for name, value in known.items()}
        if before and before["digests"] == digests:
            return False
        shown = {name: masked(known[name].strip()) for name in SHOWN if name in known}
        tx.notes.put(NOTE, json.dumps({"salt": salt, "digests": digests, "shown": shown}))
        if not before:
            return False
        event = self._event(before, digests, shown, modified, read.doubts)
        if tx.events.add([event], now=now):
            tell_events(tx, self.desk, [event], incidents=tx.incidents.open(), now=now, told={event.key})
        return True

    def _event(
        self,
        before: Mapping[str, Mapping[str, str]],
        digests: Mapping[str, str],
        shown: Mapping[str, str],
        modified: datetime,
        doubts: tuple[str, ...],
    ) -> DeskEvent:
        was = before["digests"]
        names = sorted(name for name in {*was, *digests} if was.get(name) != digests.get(name))
        said = [self._said(name, before["shown"], shown, digests) for name in names]
        unclear = doubts[:1] or (("a line was not clear",) if _UNCLEAR in names else ())
        told = f"which keys is not told: {unclear[0]}" if unclear else listed(said, 8)
        whole = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]
        return DeskEvent(
            key=f"env/{int(modified.timestamp() * 1000)}/{whole}",
            source=Source.OPERATOR,
            at=modified,
            subject=Subject(SubjectKind.DESK, self.desk.name),
            gravity=Gravity.INFO,
            category="env",
            text=f".env changed: {told}",
            change=True,
            data={"keys": [] if unclear else names},
        )

    @staticmethod
    def _said(
        name: str, before: Mapping[str, str], after: Mapping[str, str], digests: Mapping[str, str]
    ) -> str:
        if name in before and name in after:
            return f"{name} {before[name]} → {after[name]}"
        return name if name in digests else f"{name} (removed)"


def _read(text: str) -> dict[str, Any]:
    """Return what was kept: ``salt``, and by name ``digests`` and ``shown``."""
    kept = json.loads(text)
    return {"salt": str(kept["salt"]), "digests": dict(kept["digests"]), "shown": dict(kept["shown"])}


def _digest(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()[:16]
