"""What the store keeps of records, answers and traits, on each database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.store import SqlStore, open_store
from tests.contracts.statements import noted
from tests.contracts.store_samples import HOSTILE, NOW, later, open_incident
from triage.model import IncidentShape, IncidentStatus, RunStatus
from triage.ports.answers import CauseAnswer
from triage.ports.store import MessageKind, Tx

RIGHT = CauseAnswer(1, 1, NOW, "U0ANA", right=True, said="edge_gate", strength="certain", cause="edge_gate")


async def incidents(store: SqlStore, count: int) -> None:
    """Store so many incidents."""
    await store.write(lambda tx: [open_incident(tx) for _ in range(count)])


async def test_a_runs_record_is_kept_apart_and_replaced_with_it(store: SqlStore) -> None:
    """A run that is taken twice leaves one record; a run without one has none."""
    await incidents(store, 1)
    await store.write(lambda tx: tx.runs.queue(1, "opened", NOW))
    run = await store.write(lambda tx: tx.runs.take(NOW, owner="me", lease_seconds=9))
    assert run is not None
    done = replace(run, status=RunStatus.DONE, finished_at=NOW)
    assert await store.read(lambda tx: tx.runs.evidence(run.id)) is None
    await store.write(lambda tx: tx.runs.finish(done, b"\x00first"))
    await store.write(lambda tx: tx.runs.finish(done, b"\x00second"))
    assert await store.read(lambda tx: tx.runs.evidence(run.id)) == b"\x00second"
    await store.write(lambda tx: tx.runs.finish(done))
    assert await store.read(lambda tx: tx.runs.evidence(run.id)) is None


async def test_old_records_go_with_their_findings(store: SqlStore) -> None:
    """Those of open incidents stay."""
    await incidents(store, 2)

    def run_each(tx: Tx) -> None:
        for number in (1, 2):
            tx.runs.queue(number, "opened", NOW)
            run = tx.runs.take(NOW, owner="me", lease_seconds=9)
            assert run is not None
            tx.runs.finish(replace(run, status=RunStatus.DONE, finished_at=NOW), b"record")
        first = tx.incidents.get(1)
        assert first is not None
        tx.incidents.save(replace(first, status=IncidentStatus.RESOLVED, resolved_at=NOW))

    await store.write(run_each)
    assert await store.write(lambda tx: tx.aging.forget_findings(later(1), 100)) == 1
    kept = await store.read(lambda tx: [tx.runs.evidence(number) for number in (1, 2)])
    assert kept == [None, b"record"]


async def test_the_newest_answer_of_an_incident_counts(store: SqlStore) -> None:
    """Changing one's mind replaces it; hostile texts come back sound."""
    await incidents(store, 1)
    await store.write(lambda tx: tx.answers.put(RIGHT))
    assert await store.read(lambda tx: tx.answers.of(1)) == RIGHT
    other = replace(RIGHT, right=False, cause="", text=HOSTILE, actor="U0BEN", at=later(5))
    await store.write(lambda tx: tx.answers.put(other))
    kept = await store.read(lambda tx: tx.answers.of(1))
    assert kept is not None
    assert (kept.right, kept.actor) == (False, "U0BEN")
    assert "\0" not in kept.text
    assert await store.read(lambda tx: tx.answers.tally()) == {"certain": (1, 0)}


async def test_answers_are_counted_by_strength_and_time(store: SqlStore) -> None:
    """A verdict that named nothing has no strength."""
    await incidents(store, 4)
    given = (
        RIGHT,
        replace(RIGHT, incident_id=2, right=False, at=later(60)),
        replace(RIGHT, incident_id=3, strength="likely", at=later(120)),
        replace(RIGHT, incident_id=4, strength="", said="", right=False, at=later(180)),
    )

    def put(tx: Tx) -> None:
        for each in given:
            tx.answers.put(each)

    await store.write(put)
    tally = await store.read(lambda tx: tx.answers.tally())
    assert tally == {"certain": (2, 1), "likely": (1, 1), "": (1, 0)}
    assert await store.read(lambda tx: tx.answers.tally(later(60), later(180))) == {
        "certain": (1, 0),
        "likely": (1, 1),
    }
    assert await store.read(lambda tx: tx.answers.tally(later(500))) == {}
    assert await store.read(lambda tx: tx.answers.tally(until=later(1))) == {"certain": (1, 1)}


async def test_incidents_are_found_again_by_a_trait_the_newest_first(store: SqlStore) -> None:
    """Only older ones; setting traits replaces what was there."""
    await incidents(store, 4)

    def write(tx: Tx) -> None:
        for number in (1, 2, 3, 4):
            tx.answers.set_traits(number, {"cause:edge_gate", f"alert:{number}"})
        tx.answers.set_traits(2, {"alert:2"})

    await store.write(write)
    assert await store.read(lambda tx: tx.answers.having("cause:edge_gate", 4, 10)) == [3, 1]
    assert await store.read(lambda tx: tx.answers.having("cause:edge_gate", 9, 1)) == [4]
    assert await store.read(lambda tx: tx.answers.having("cause:other", 9, 5)) == []
    assert await store.read(lambda tx: tx.answers.traits(2)) == {"alert:2"}
    await store.write(lambda tx: tx.answers.set_traits(2, ()))
    assert await store.read(lambda tx: tx.answers.traits(2)) == frozenset()


async def test_the_newest_storm_of_a_time_is_found_also_when_it_is_over(store: SqlStore) -> None:
    """While alerts came to it, and a little before; what was opened around an incident is found by its number."""
    await incidents(store, 3)
    for began, last in ((100, 150), (400, 450)):
        one = later(began)
        await store.write(
            lambda tx, one=one, last=last: open_incident(  # type: ignore[misc]
                tx, shape=IncidentShape.STORM, opened_at=one, changed_at=one, last_seen_at=later(last)
            )
        )
    minute = timedelta(seconds=60)

    async def at(seconds: float) -> int | None:
        storm = await store.read(lambda tx: tx.incidents.storm_at(later(seconds), before=minute))
        return None if storm is None else storm.id

    assert [await at(each) for each in (30, 50, 150, 330, 350, 451)] == [None, 4, 4, None, 5, None]
    near = await store.read(lambda tx: tx.incidents.near(3, 1))
    assert [one.id for one in near] == [2, 3, 4]


async def test_an_incident_that_is_forgotten_takes_all_of_it_along(store: SqlStore) -> None:
    """Records, answers and traits hang below it."""
    await incidents(store, 1)

    def end(tx: Tx) -> None:
        one = tx.incidents.get(1)
        assert one is not None
        tx.incidents.save(replace(one, status=IncidentStatus.RESOLVED, resolved_at=NOW))
        tx.runs.queue(1, "opened", NOW)
        run = tx.runs.take(NOW, owner="me", lease_seconds=9)
        assert run is not None
        tx.runs.finish(replace(run, status=RunStatus.DONE, finished_at=NOW), b"record")
        tx.answers.put(RIGHT)
        tx.answers.set_traits(1, {"cause:edge_gate"})
        for message in tx.outbox.claim(NOW, owner="me", lease_seconds=9, limit=9):
            tx.outbox.posted(message.id, post_id="1.1", channel_id="C1", revision=9, now=NOW)

    await store.write(end)
    await store.write(lambda tx: tx.aging.forget_incidents(later(1), 100))
    left = await store.read(
        lambda tx: (tx.incidents.get(1), tx.answers.of(1), tx.answers.having("cause:edge_gate", 9, 9))
    )
    assert left == (None, None, [])


async def test_similar_incidents_and_storms_are_asked_by_index(sqlite_store: SqlStore) -> None:
    """However many incidents there were."""

    def ask(tx: Tx) -> None:
        tx.answers.having("cause:edge_gate", 9, 5)
        tx.answers.traits(1)
        tx.answers.of(1)
        tx.answers.tally(NOW, later(1))
        tx.incidents.storm_at(NOW, before=timedelta(seconds=60))
        tx.runs.evidence(1)

    with noted(sqlite_store) as ran:
        await sqlite_store.read(ask)

    def plans(tx: Any) -> list[str]:  # noqa: ANN401 - the connection behind the port
        return [
            str(row[3])
            for statement, values in list(ran.items())
            if statement.startswith("SELECT")
            for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]

    found = await sqlite_store.read(plans)
    assert len(found) >= 6
    assert [each for each in found if each.startswith("SCAN")] == []
    assert any("ix_incident_traits_trait_incident_id" in each for each in found), found
    assert not any("TEMP B-TREE FOR ORDER BY" in each for each in found), found


async def test_two_replicas_that_owe_the_question_owe_one_message(store_url: str) -> None:
    """Both see the incident end: it is known by the incident."""
    async with open_store(store_url) as one, open_store(store_url) as other:
        await one.write(open_incident)

        def owe(tx: Tx) -> int:
            return tx.outbox.want(
                MessageKind.FEEDBACK,
                "1",
                channel="incidents",
                now=NOW,
                incident_id=1,
                in_thread=True,
                urgency=3,
            )

        ids = await asyncio.gather(*(each.write(owe) for each in (one, other, one, other)))
        assert len(set(ids)) == 1
        claimed = await asyncio.gather(
            *(
                each.write(lambda tx: tx.outbox.claim(later(1), owner="x", lease_seconds=30, limit=9))
                for each in (one, other)
            )
        )
        cards = [message.kind for found in claimed for message in found]
        assert cards == [MessageKind.CARD], "below its card, and not before that stands"
