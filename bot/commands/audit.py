"""The audit trail on the command line."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.audit_anchor import HEAD, TROUBLE, noted_head, why_lost
from bot.commands.audit_filter import TrailFilter
from bot.commands.audit_key import KeyCheck
from bot.store import SqlStore, has_database, open_store
from bot.store.audit import broken_links
from triage.errors import BadInput, Refused
from triage.memory.people import name_of
from triage.ports.store import AuditEntry, Head, Tx

if TYPE_CHECKING:
    from bot.settings import Settings

PAGE = 1000
_BEFORE_ALL = -(2**31)
_UNREADABLE = (TypeError, ValueError, OverflowError)
"""What a stored value raises that no line was ever written with."""
UNSIGNED = (
    "the trail is chained and not signed: who can write the database can write all of it anew; "
    "set TRIAGE_AUDIT_KEY_FILE before the first start, and keep heads elsewhere"
)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[SqlStore]:
    """Open the store that is there: an empty one, made by asking in the wrong folder, would pass for whole."""
    url = settings.triage_database_url.get_secret_value()
    if not await asyncio.to_thread(has_database, url):
        raise Refused("there is no database at TRIAGE_DATABASE_URL; set it as it is for the service")
    async with open_store(url, audit_key=settings.audit_key) as store:
        yield store


async def _pages(store: SqlStore) -> AsyncIterator[list[AuditEntry]]:
    after = 0
    while True:

        def page(tx: Tx, after: int = after) -> list[AuditEntry]:
            return tx.audit.entries(after=after, limit=PAGE)

        entries = await store.read(page)
        if not entries:
            return
        yield entries
        after = entries[-1].seq


@dataclass(frozen=True, slots=True)
class Verified:
    """What is wrong, one sentence a fault; where the trail ends now; and what is worth knowing besides."""

    faults: tuple[str, ...]
    head: Head
    notes: tuple[str, ...] = ()


async def verify_trail(settings: Settings, expected: str = "") -> Verified:
    """Check the chain, and that it still has the head that was written down elsewhere (``812:9f2c…``).

    Raises Refused where there is no database, BadInput where the head cannot be read.
    """
    wanted = read_head(expected) if expected else None
    faults: list[str] = []
    notes = [] if settings.audit_key else [UNSIGNED]
    at, met, key = Head(), wanted in {None, Head()}, KeyCheck(settings.audit_key)
    async with _store(settings) as store:
        try:
            before = await store.read(lambda tx: tx.audit.entries(after=_BEFORE_ALL, limit=PAGE))
            faults += [
                f"line {one.seq} stands before the first: it was put there" for one in before if one.seq < 1
            ]
            async for entries in _pages(store):
                faults += broken_links(entries, previous=at.digest, seq=at.seq, key=settings.audit_key)
                key.take(entries)
                met = met or any(wanted == Head(entry.seq, entry.digest) for entry in entries)
                at = Head(entries[-1].seq, entries[-1].digest)
        except _UNREADABLE:
            faults.append(f"a line behind line {at.seq} cannot be read: it was changed after it was written")
            return Verified(tuple(faults), at, tuple(notes))
        if len(faults) == key.misfits and (likely := key.likely()):
            faults = [f"{key.misfits} of {key.lines} lines do not fit: {likely}"]
        notes += [note for note in (key.note(),) if note]
        faults += await store.read(lambda tx: _not_as_noted(tx, at))
    if wanted is not None and not met:
        faults.append(_not_met(wanted, at))
    elif wanted is not None and at.seq > wanted.seq:
        notes.append(f"{at.seq - wanted.seq} lines are newer than line {wanted.seq}")
    return Verified(tuple(faults), at, tuple(notes))


def read_head(text: str) -> Head:
    """Read ``812:9f2c…``. Raises BadInput."""
    number, _, digest = text.strip().partition(":")
    if not number.isascii() or not number.isdigit() or not re.fullmatch("[0-9a-f]{64}", digest):
        raise BadInput(f"{text[:80]!r} is no head; write its line's number and digest, 812:9f2c…", "--head")
    return Head(int(number), digest)


def _not_met(wanted: Head, at: Head) -> str:
    if at.seq < wanted.seq:
        return f"lines {at.seq + 1} to {wanted.seq} are missing: the trail ended at line {wanted.seq} before"
    return f"line {wanted.seq} is another one than it was: the trail was written anew"


def _not_as_noted(tx: Tx, at: Head) -> list[str]:
    """Return what is wrong beside what the database itself remembers."""
    if at.seq == 0 and (_used(tx) or noted_head(tx).seq):
        return ["the trail is empty and the database is not: every line was deleted"]
    lost = why_lost(tx, noted_head(tx))
    return [f"the trail is not the one that the service saw last: {lost}"] if lost else []


async def accept_loss(settings: Settings, who: str) -> str:
    """Write down that somebody looked at a trail that lost lines, and let the service go on from where it ends now.

    Returns what is said of it. Raises Refused where there is no database, or nothing is wrong.
    """

    def work(tx: Tx) -> str:
        trouble = tx.notes.get(TROUBLE) or ""
        lost = trouble or why_lost(tx, noted_head(tx))
        if not lost:
            raise Refused("no loss of the audit trail is known: there is nothing to accept")
        tx.audit.append(
            at=datetime.now(UTC),
            actor=who,
            event="audit.loss_accepted",
            target="audit",
            detail={"loss": lost},
        )
        tx.notes.put(TROUBLE, "")
        tx.notes.put(HEAD, str(tx.audit.head()))
        return f"Written down as accepted: {lost}. The trail counts from {tx.audit.head()}."

    async with _store(settings) as store:
        return await store.write(work)


def _used(tx: Tx) -> bool:
    """Tell whether anything was done with a database: every incident leaves lines behind."""
    return bool(tx.incidents.recent(datetime(1970, 1, 1, tzinfo=UTC), 1))


async def print_trail(
    settings: Settings,
    say: Callable[[str], object],
    *,
    as_json: bool,
    wanted: TrailFilter,
    last: int = 0,
) -> None:
    """Say the wanted lines in the order of time; ``last``: only so many, the newest ones (0: all).

    Raises Refused where there is no database.
    """
    async with _store(settings) as store:
        try:
            entries = [entry async for page in _pages(store) for entry in page]
        except _UNREADABLE as error:
            raise Refused(
                "a line was changed so that it cannot be read; audit --verify says where"
            ) from error
        names = await store.read(lambda tx: {entry.actor: name_of(tx, entry.actor) for entry in entries})
    kept = [entry for entry in entries if wanted.lets(entry, names[entry.actor])]
    kept.sort(key=lambda each: (each.at, each.seq))
    for entry in kept[-last:] if last else kept:
        say(_line(entry, names[entry.actor], as_json=as_json))


def _line(entry: AuditEntry, name: str, *, as_json: bool) -> str:
    at = entry.at.isoformat(timespec="milliseconds")
    if as_json:
        fields = ("seq", "actor", "event", "target", "previous", "digest")
        return json.dumps(
            {
                "at": at,
                **{field: getattr(entry, field) for field in fields},
                "name": name,
                "detail": dict(entry.detail),
            }
        )
    detail = json.dumps(dict(entry.detail)) if entry.detail else ""
    return f"{entry.seq:>6}  {at}  {_who(entry, name):<16} {entry.event:<24} {entry.target:<12} {detail}".rstrip()


def _who(entry: AuditEntry, name: str) -> str:
    """Return who it was, by name and id."""
    return entry.actor if name in {entry.actor, f"@{entry.actor}"} else f"{name} ({entry.actor})"
