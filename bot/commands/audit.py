"""The audit trail on the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.store import SqlStore, has_database, open_store
from bot.store.audit import GENESIS, broken_links
from triage.errors import Refused
from triage.ports.store import AuditEntry, Tx

if TYPE_CHECKING:
    from bot.settings import Settings

PAGE = 1000


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[SqlStore]:
    """Open the store that is there: an empty one, made by asking in the wrong folder, would pass for whole."""
    url = settings.triage_database_url.get_secret_value()
    if not await asyncio.to_thread(has_database, url):
        raise Refused("there is no database at TRIAGE_DATABASE_URL; set it as it is for the service")
    async with open_store(url) as store:
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


async def verify_trail(settings: Settings) -> list[str]:
    """Return what is wrong with the chain, one sentence a fault. Raises Refused where there is no database."""
    faults: list[str] = []
    previous, seq = GENESIS, 0
    async with _store(settings) as store:
        async for entries in _pages(store):
            faults += broken_links(entries, previous=previous, seq=seq)
            previous, seq = entries[-1].digest, entries[-1].seq
    return faults


async def print_trail(settings: Settings, say: Callable[[str], object], *, as_json: bool) -> None:
    """Say every line, oldest first. Raises Refused where there is no database."""
    async with _store(settings) as store:
        async for entries in _pages(store):
            for entry in entries:
                say(_line(entry, as_json=as_json))


def _line(entry: AuditEntry, *, as_json: bool) -> str:
    at = entry.at.isoformat(timespec="milliseconds")
    if as_json:
        fields = ("seq", "actor", "event", "target", "previous", "digest")
        return json.dumps(
            {"at": at, **{name: getattr(entry, name) for name in fields}, "detail": dict(entry.detail)}
        )
    detail = json.dumps(dict(entry.detail)) if entry.detail else ""
    return f"{entry.seq:>6}  {at}  {entry.actor:<16} {entry.event:<24} {entry.target:<12} {detail}".rstrip()
