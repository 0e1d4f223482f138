"""Events of the desk: each is stored once, and its kind counted by the minute, on both databases."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store import SqlStore
from bot.store.transaction import Transaction
from tests.contracts.store_samples import BOT1, BOT2, NOW
from triage.desk_events import DeskEvent, EventKind, Gravity
from triage.model import Source
from triage.ports.store import Tx


def event(number: int) -> DeskEvent:
    """Make an event of one of two bots."""
    return DeskEvent(
        key=f"audit/{number}",
        source=Source.AUDIT,
        at=NOW,
        subject=BOT1 if number % 2 else BOT2,
        gravity=Gravity.WARNING,
        category="intent_rejected",
        text=f"rejected {number}",
    )


@pytest.mark.parametrize("many", [10, 1_300])
async def test_of_a_batch_what_is_new_is_told_and_counted_once(store: SqlStore, many: int) -> None:
    """A batch may bring again what came before, between what is new, and be longer than one statement."""
    known = [event(number) for number in range(0, many, 3)]
    await store.write(lambda tx: tx.events.add(known, now=NOW))
    batch = [event(number) for number in range(many)]
    new = await store.write(lambda tx: tx.events.add([*batch, *batch[:5]], now=NOW))
    assert new == {one.key for one in batch} - {one.key for one in known}
    assert await store.write(lambda tx: tx.events.add(batch, now=NOW)) == set()
    kinds = {one.kind for one in batch}
    counts = await store.read(lambda tx: tx.events.counts(kinds, start=NOW, end=NOW + timedelta(minutes=1)))
    assert sum(counts.values()) == many
    assert len(counts) == 2
    kept = await store.read(lambda tx: tx.events.sizes())
    assert kept["events"] == many


async def test_each_of_many_kinds_has_its_own_count_in_few_questions(store: SqlStore) -> None:
    """A flood has as many kinds as there are reasons: not one question for each."""
    batch = [event(number)._replace(reason=f"reason {number % 70}") for number in range(500)]
    kinds = [one.kind for one in batch]
    unknown = replace(kinds[0], category="never seen")
    await store.write(lambda tx: tx.events.add(batch, now=NOW))
    asked: list[str] = []

    def note(*words: object) -> None:
        asked.append(str(words[2]))

    def work(tx: Tx) -> dict[EventKind, int]:
        assert isinstance(tx, Transaction)
        sa.event.listen(tx.connection, "before_cursor_execute", note)
        driver = tx.connection.connection.driver_connection
        if tx.connection.dialect.name == "sqlite":  # asked past SQLAlchemy
            driver.set_trace_callback(asked.append)  # type: ignore[union-attr]
        found = tx.events.counts({*kinds, unknown}, start=NOW, end=NOW + timedelta(minutes=1))
        if tx.connection.dialect.name == "sqlite":
            driver.set_trace_callback(None)  # type: ignore[union-attr]
        return found

    assert await store.read(work) == {**Counter(kinds), unknown: 0}
    assert len(asked) == 3, "71 kinds, 32 at once"
    later = NOW + timedelta(minutes=1)
    none = await store.read(lambda tx: tx.events.counts(kinds, start=later, end=later + timedelta(hours=1)))
    assert set(none.values()) == {0}
