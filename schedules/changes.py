"""Notices that the desk's ``.env`` changed: which keys, and no value that could be a secret."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from triage.desk import Desk
from triage.model import Source, Subject, SubjectKind
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.signals.model import DeskEvent, Gravity
from triage.signals.timeline import tell_events
from triage.wording import listed

NOTE = "changes/env"
SHOWN = frozenset({"HUMMINGBOT_IMAGE", "EXT_SIGNAL_RISK_ENABLED", "BUS_SOFT_PAUSE_ON_OUTAGE"})
"""Keys whose values are told: they decide what runs, and hold no secret."""
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$", re.MULTILINE)
_SIZE_MAX = 1024 * 1024


@dataclass(slots=True)
class EnvWatch:
    """Compares ``.env`` with what it was. Values are remembered as salted digests only."""

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
        values, modified = found
        now = self.clock.now()
        changed = await self.store.write(lambda tx: self._compare(tx, values, min(modified, now), now))
        if changed:
            self.stored()
        return changed

    def _read(self) -> tuple[dict[str, str], datetime] | None:
        """Read the file where it was touched since the last look."""
        path = Path(self.desk.paths.env)
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp or stat.st_size > _SIZE_MAX:
                return None
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        self._stamp = stamp
        return dict(_LINE.findall(text)), datetime.fromtimestamp(stat.st_mtime, UTC)

    def _compare(self, tx: Tx, values: Mapping[str, str], modified: datetime, now: datetime) -> bool:
        note = tx.notes.get(NOTE)
        before = json.loads(note) if note else None
        salt = before["salt"] if before else secrets.token_hex(16)
        digests = {name: _digest(salt, value) for name, value in values.items()}
        if before and before["digests"] == digests:
            return False
        shown = {name: values[name].strip() for name in SHOWN if name in values}
        tx.notes.put(NOTE, json.dumps({"salt": salt, "digests": digests, "shown": shown}))
        if not before:
            return False
        event = self._event(before, digests, shown, modified)
        if tx.events.add([event], now=now):
            tell_events(tx, self.desk, [event], incidents=tx.incidents.open(), now=now, told={event.key})
        return True

    def _event(
        self,
        before: Mapping[str, Mapping[str, str]],
        digests: Mapping[str, str],
        shown: Mapping[str, str],
        modified: datetime,
    ) -> DeskEvent:
        was = before["digests"]
        names = sorted(name for name in {*was, *digests} if was.get(name) != digests.get(name))
        said = [self._said(name, before["shown"], shown, digests) for name in names]
        whole = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]
        return DeskEvent(
            key=f"env/{int(modified.timestamp() * 1000)}/{whole}",
            source=Source.OPERATOR,
            at=modified,
            subject=Subject(SubjectKind.DESK, self.desk.name),
            gravity=Gravity.INFO,
            category="env",
            text=f".env changed: {listed(said, 8)}",
            change=True,
            data={"keys": names},
        )

    @staticmethod
    def _said(
        name: str, before: Mapping[str, str], after: Mapping[str, str], digests: Mapping[str, str]
    ) -> str:
        if name in before and name in after:
            return f"{name} {before[name]} → {after[name]}"
        return name if name in digests else f"{name} (removed)"


def _digest(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()[:16]
