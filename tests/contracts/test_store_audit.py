"""The audit trail: chained, so that a changed, missing or moved line shows."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.store import SqlStore, tables
from bot.store.audit import broken_links
from tests.contracts.store_samples import HOSTILE, NOW, later
from triage.ports.store import GENESIS, AuditEntry, Tx


async def trail(store: SqlStore, count: int = 5) -> list[AuditEntry]:
    """Write some lines and return them as they are read back."""

    def write(tx: Tx) -> None:
        for number in range(count):
            tx.audit.append(
                at=later(number), actor="U0ANA00001", event="incident.acknowledge", target=f"INC-{number}",
                detail={"firing": number, "note": HOSTILE},
            )  # fmt: skip

    await store.write(write)
    return await store.read(lambda tx: tx.audit.entries())


async def test_a_trail_as_it_was_written_is_whole(store: SqlStore) -> None:
    """Each line follows the one before, also across commits and pages."""
    await trail(store)
    entries = await trail(store, 3)
    assert [entry.seq for entry in entries] == list(range(1, 9))
    assert entries[0].previous == GENESIS
    assert broken_links(entries) == []
    page = await store.read(lambda tx: tx.audit.entries(after=4, limit=2))
    assert [entry.seq for entry in page] == [5, 6]
    assert broken_links(page, previous=entries[3].digest, seq=4) == []


@pytest.mark.parametrize(
    "column", [{"actor": "U0EVE00001"}, {"event": "denied"}, {"target": "INC-99"}, {"detail": "{}"}]
)
async def test_a_changed_line_shows(store: SqlStore, column: dict[str, str]) -> None:
    """Whoever writes in the table by hand is found out, and which line it was."""
    await trail(store)
    statement = sa.update(tables.audit).where(tables.audit.c.seq == 3).values(**column)
    await store.write(lambda tx: tx.connection.execute(statement))  # type: ignore[attr-defined] # the SQL store's own
    faults = broken_links(await store.read(lambda tx: tx.audit.entries()))
    assert faults == ["line 3 was changed after it was written"]


async def test_a_missing_line_shows(store: SqlStore) -> None:
    """So does one that was taken out, and one that was moved."""
    entries = await trail(store)
    assert broken_links([*entries[:2], *entries[3:]]) == [
        "line 3 is missing: line 4 follows line 2",
        "line 4 does not follow the line before it",
    ]
    moved = [entries[0], entries[2], entries[1], *entries[3:]]
    assert broken_links(moved)


def test_a_line_with_its_digest_made_anew_breaks_the_next_one() -> None:
    """Changing a line and its digest is not enough: the next line holds the old one."""
    base = AuditEntry(seq=1, at=NOW, actor="a", event="b", target="c", detail={}, previous=GENESIS, digest="")
    assert broken_links([replace(base, digest="forged")]) == ["line 1 was changed after it was written"]


async def test_every_line_of_many_at_once_gets_its_own_place(store: SqlStore) -> None:
    """Units that share commits, and units that do not."""

    def one(tx: Tx) -> int:
        return tx.audit.append(at=NOW, actor="a", event="e", target="t").seq

    places = await asyncio.gather(*(store.write(one) for _ in range(50)))
    assert sorted(places) == list(range(1, 51))
    assert broken_links(await store.read(lambda tx: tx.audit.entries())) == []
