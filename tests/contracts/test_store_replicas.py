"""Two replicas on one PostgreSQL: each thing is done by one of them, exactly once."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bot.store import SqlStore, open_store
from bot.store.audit import broken_links
from bot.store.engine import open_engine
from bot.store.transaction import Transaction
from bot.store.writer import ONE_WRITER
from tests.contracts.store_samples import NOW, incident, open_incident, signal
from tests.triage.incidents.desk_story import title_of
from triage.desk import Desk
from triage.errors import NotStored, StoreUnavailable
from triage.incidents.intake import Intake
from triage.model import SignalStatus, Subject, SubjectKind
from triage.ports.store import Message, MessageKind, Tx

Pair = tuple[SqlStore, SqlStore]


@pytest.fixture
async def replicas(postgres_url: str) -> AsyncIterator[Pair]:
    """Open the same database twice, as two processes would; the second finds the schema made."""
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(open_store(postgres_url)),
            await stack.enter_async_context(open_store(postgres_url)),
        )


async def test_replicas_that_start_together_make_one_schema(postgres_url: str) -> None:
    """The second waits for the first, and finds it done."""
    async with AsyncExitStack() as stack:
        stores = await asyncio.gather(
            *(stack.enter_async_context(open_store(postgres_url)) for _ in range(3))
        )
        await stores[2].write(lambda tx: tx.notes.put("a", "b"))
        assert await stores[0].read(lambda tx: tx.notes.get("a")) == "b"


async def test_the_same_webhook_at_both_is_stored_once(replicas: Pair) -> None:
    """Alertmanager's peers send each group to each replica, in any order."""
    alerts = [signal(f"e{number}") for number in range(60)]
    new = await asyncio.gather(
        *(replica.keep(each) for _ in range(5) for replica in replicas for each in (alerts, alerts[::-1]))
    )
    assert await replicas[0].read(lambda tx: tx.signals.waiting()) == 60
    assert sum(new) >= 60


async def test_both_sort_the_inbox_and_each_signal_makes_one_incident(replicas: Pair) -> None:
    """Correlation is one at a time; what one has sorted the other finds sorted."""
    desk = Desk.model_validate({"correlation": {"storm_incidents": 1000, "wide_window_seconds": 0}})
    intake = Intake(desk, lambda one: title_of(desk, one))
    boxes = [Subject(SubjectKind.CONTAINER, f"box{number}") for number in range(80)]
    for status in (SignalStatus.FIRING, SignalStatus.RESOLVED):
        await replicas[0].keep(
            [signal(f"e{n}", status, subject=box, ends_at=NOW) for n, box in enumerate(boxes)]
        )

    async def sort(replica: SqlStore) -> int:
        done, empty = 0, False
        while not empty:
            try:
                one = await replica.write(lambda tx: intake.sort_inbox(tx, NOW))
            except (
                NotStored
            ):  # others hold the lock of all writers for long on a busy machine: again, as intake does
                continue
            done, empty = done + one.sorted, not one.sorted
        return done

    done = await asyncio.gather(*(sort(replica) for replica in replicas for _ in range(3)))
    assert sum(done) == 160
    incidents = await replicas[1].read(lambda tx: tx.incidents.recent(NOW.replace(year=2000), 1000))
    assert Counter(one.subject for one in incidents) == Counter(boxes)
    assert not [one for one in incidents if one.is_open]


async def test_both_claim_from_the_outbox_and_each_message_goes_to_one(replicas: Pair) -> None:
    """Claims skip what the other has locked."""
    await replicas[0].write(lambda tx: [open_incident(tx) for _ in range(120)])

    async def take(replica: SqlStore, owner: str) -> list[Message]:
        taken: list[Message] = []
        while part := await replica.write(
            lambda tx: tx.outbox.claim(NOW, owner=owner, lease_seconds=30, limit=7)
        ):
            taken += part
        return taken

    taken = await asyncio.gather(
        *(take(replica, f"r{n}-{m}") for n, replica in enumerate(replicas) for m in range(3))
    )
    ids = [message.delivery_id for part in taken for message in part]
    assert len(ids) == len(set(ids)) == 120


async def test_both_take_triage_runs_and_each_run_goes_to_one(replicas: Pair) -> None:
    """A queued run has one owner."""

    def queue(tx: Tx) -> None:
        for _ in range(40):
            tx.runs.queue(tx.incidents.save(incident()).id, "opened", NOW)

    await replicas[0].write(queue)

    async def take(replica: SqlStore, owner: str) -> list[int]:
        taken = []
        while run := await replica.write(lambda tx: tx.runs.take(NOW, owner=owner, lease_seconds=60)):
            taken.append(run.id)
        return taken

    taken = await asyncio.gather(
        *(take(replica, f"r{n}-{m}") for n, replica in enumerate(replicas) for m in range(3))
    )
    ids = [run for part in taken for run in part]
    assert len(ids) == len(set(ids)) == 40


async def test_a_period_and_a_card_belong_to_the_first(replicas: Pair) -> None:
    """A digest is claimed once, and both asking for a card make one message of it."""
    claims = await asyncio.gather(
        *(each.write(lambda tx: tx.notes.once("digest", "today", NOW)) for each in replicas * 5)
    )
    assert Counter(claims) == {True: 1, False: 9}
    one = await replicas[0].write(open_incident)
    wanted = await asyncio.gather(
        *(
            each.write(
                lambda tx: tx.outbox.want(
                    MessageKind.CARD, str(one.id), channel="incidents", now=NOW, incident_id=one.id
                )
            )
            for each in replicas * 5
        )
    )
    assert len(set(wanted)) == 1
    message = await replicas[1].read(lambda tx: tx.outbox.get(wanted[0]))
    assert message is not None
    assert message.wanted_revision == 11


async def test_both_write_the_audit_trail_and_it_is_one_chain(replicas: Pair) -> None:
    """Two replicas never chain to the same line."""

    def one(tx: Tx) -> int:
        return tx.audit.append(at=NOW, actor="a", event="e", target="t").seq

    await asyncio.gather(*(each.write(one) for each in replicas * 40))
    entries = await replicas[0].read(lambda tx: tx.audit.entries())
    assert len(entries) == 80
    assert broken_links(entries) == []


async def test_a_replica_that_stands_still_while_it_is_answered_holds_the_others_for_seconds(
    postgres_url: str,
) -> None:
    """Stopped in the middle of a large answer it holds the lock of all writers, and the server waits until it can send."""
    engine = open_engine(postgres_url, writer=True)
    async with open_store(postgres_url) as store:
        with engine.connect() as connection:
            Transaction(connection, writing=True).exclusive(ONE_WRITER)
            driver: Any = connection.connection.driver_connection
            driver.pgconn.send_query(b"SELECT repeat('x', 100000000)")
            driver.pgconn.flush()  # of the answer nothing is read
            began = time.monotonic()
            while not await _stored(store):
                assert time.monotonic() - began < 15
            connection.invalidate()
    engine.dispose()


async def _stored(store: SqlStore) -> bool:
    try:
        await store.write(lambda tx: tx.notes.put("a", "b"))
    except StoreUnavailable:
        return False
    return True
