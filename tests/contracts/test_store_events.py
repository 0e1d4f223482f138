"""Events of the desk: each is stored once, and its kind counted by the minute, on both databases."""

from datetime import timedelta

import pytest

from bot.store import SqlStore
from tests.contracts.store_samples import BOT1, BOT2, NOW
from triage.desk_events import DeskEvent, Gravity
from triage.model import Source


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
