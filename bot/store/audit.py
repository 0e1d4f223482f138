"""The audit trail: each line's digest covers the line before, so a changed, missing or moved line shows.

With a key the digests are HMACs: who can write the database cannot make lines that verify. A cut tail shows where the
head (sequence and digest of the last line) was written down elsewhere: see ``bot.audit_anchor``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.prepared import Prepared
from bot.store.text import clean, json_text
from triage.model import Json
from triage.ports.store import GENESIS, AuditEntry, Head

_t = tables.audit
_LAST = Prepared(sa.select(_t.c.seq, _t.c.digest).order_by(_t.c.seq.desc()).limit(1))
_INSERT = Prepared(sa.insert(_t))


class AuditTable:
    """Implements ``triage.ports.store.Audit``."""

    def __init__(
        self, connection: sa.Connection, *, exclusive: Callable[[str], None], key: bytes = b""
    ) -> None:
        self._connection = connection
        self._key = key
        self._exclusive = exclusive

    def append(
        self, *, at: datetime, actor: str, event: str, target: str, detail: Mapping[str, Json] | None = None
    ) -> AuditEntry:
        """Add a line behind the last one."""
        self._exclusive("audit")  # two replicas must not both chain to the same line
        last = self.head()
        seq, previous = last.seq + 1, last.digest
        text = _canonical(json.loads(json_text(dict(detail or {}))))
        row: dict[str, Any] = {
            "seq": seq,
            "at": at,
            "actor": clean(actor),
            "event": clean(event),
            "target": clean(target),
            "detail": text,
            "previous": previous,
        }
        row["digest"] = digest_of(row, self._key)
        _INSERT.run(self._connection, row)
        return AuditEntry(**{**row, "detail": json.loads(text)})

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Return lines in order."""
        return self._read(sa.select(_t).where(_t.c.seq > after).order_by(_t.c.seq).limit(limit))

    def head(self) -> Head:
        """Return the last line's number and digest; (0, GENESIS) where there is none."""
        return next((Head(*last) for last in _LAST.tuples(self._connection, {})), Head())

    def about(self, incident: str) -> list[AuditEntry]:
        """Return the lines about an incident and about its actions, in order."""
        named = _t.c.detail.contains(
            json.dumps({"incident": incident}, separators=(",", ":"))[1:-1], autoescape=True
        )
        found = self._read(sa.select(_t).where((_t.c.target == incident) | named).order_by(_t.c.seq))
        return [entry for entry in found if incident in {entry.target, entry.detail.get("incident")}]

    def _read(self, query: sa.Select[Any]) -> list[AuditEntry]:
        rows = self._connection.execute(query).mappings()
        return [AuditEntry(**{**dict(row), "detail": _detail(row["detail"])}) for row in rows]


def _detail(text: object) -> Mapping[str, Json]:
    """Read a stored detail. One that somebody spoilt must not keep the other lines from being read or checked."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"unreadable": "this line was changed after it was written"}


def _canonical(detail: Mapping[str, Json]) -> str:
    return json.dumps(dict(detail), sort_keys=True, separators=(",", ":"))


def digest_of(row: Mapping[str, Any], key: bytes = b"") -> str:
    """Return the HMAC-SHA-256 (hex; without a key SHA-256) over a line and the digest of the line before it."""
    parts = [
        str(row["seq"]),
        row["at"].isoformat(timespec="microseconds"),
        row["actor"],
        row["event"],
        row["target"],
        row["detail"],
        row["previous"],
    ]
    # Lengths in front of the parts: no two different lines give the same text to hash.
    text = "".join(f"{len(part)}:{part}" for part in parts).encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest() if key else hashlib.sha256(text).hexdigest()


def fits(entry: AuditEntry, key: bytes) -> bool:
    """Tell whether a line is the one that its digest was made of, with that key (empty: without one)."""
    row = {name: getattr(entry, name) for name in ("seq", "at", "actor", "event", "target", "previous")}
    return hmac.compare_digest(digest_of({**row, "detail": _canonical(entry.detail)}, key), entry.digest)


def broken_links(
    entries: Iterable[AuditEntry], *, previous: str = GENESIS, seq: int = 0, key: bytes = b""
) -> list[str]:
    """Return what is wrong with the chain, one sentence a fault; empty when it is whole."""
    faults = []
    for entry in entries:
        if entry.seq != seq + 1:
            faults.append(f"line {seq + 1} is missing: line {entry.seq} follows line {seq}")
        if entry.previous != previous:
            faults.append(f"line {entry.seq} does not follow the line before it")
        if not fits(entry, key):
            faults.append(f"line {entry.seq} was changed after it was written")
        previous, seq = entry.digest, entry.seq
    return faults
