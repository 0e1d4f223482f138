"""Who waits for an answer goes before what can wait, which has its turn all the same."""

import asyncio
import queue
import threading
import time
from dataclasses import replace

import pytest

from bot.store import SqlStore, unit_queue
from bot.store.unit_queue import PASSED_OVER_MAX, UnitQueue
from bot.store.units import Unit
from tests.contracts.store_samples import signal
from triage.ports.store import Tx


def unit(loop: asyncio.AbstractEventLoop, *, patient: bool = False) -> Unit[None]:
    """Return a unit that does nothing."""
    return Unit(work=lambda _: None, loop=loop, future=loop.create_future(), patient=patient)


async def test_an_alert_is_stored_before_a_flood_that_came_first(sqlite_store: SqlStore) -> None:
    """Two patient units wait when it comes: it joins the one that runs, and neither of them goes with it."""
    running, go_on, order = threading.Event(), threading.Event(), list[str]()

    def first(tx: Tx) -> None:
        tx.notes.put("first", "1")
        running.set()
        assert go_on.wait(5)

    def note(name: str) -> None:
        order.append(name)

    writing = [asyncio.create_task(sqlite_store.write(first, patient=True))]
    assert await asyncio.to_thread(running.wait, 5)
    writing += [
        asyncio.create_task(sqlite_store.write(lambda _: note("flood"), patient=True)) for _ in range(2)
    ]
    await asyncio.sleep(0)
    alert = asyncio.create_task(sqlite_store.keep([signal()], lambda: note("alert")))
    sorting = asyncio.create_task(sqlite_store.write(lambda _: note("sorting")))
    await asyncio.sleep(0.01)
    go_on.set()
    assert await alert == 1
    await asyncio.gather(sorting, *writing)
    assert order.count("flood") == 2
    assert order.index("sorting") < order.index("flood")


async def test_a_patient_unit_has_its_turn_in_a_storm() -> None:
    """After so many batches that went before it, it goes along; each further one waits as long again."""
    units, loop = UnitQueue(), asyncio.get_running_loop()
    patient = [unit(loop, patient=True), unit(loop, patient=True)]
    for each in patient:
        units.put(each)
    taken = []
    for number in range(2 * PASSED_OVER_MAX + 2):
        units.put(unit(loop))
        batch = units.batch(10, 0)
        assert any(not each.patient for each in batch)
        taken += [number for each in batch if each.patient]
    assert taken == [PASSED_OVER_MAX, 2 * PASSED_OVER_MAX]


async def test_until_an_alerts_first_post_nothing_patient_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next write comes a moment later, and would wait for a batch of the flood; then the flood goes on."""
    monkeypatch.setattr(unit_queue, "ALERT_SECONDS", 1.0)  # a busy machine may take the usual 0.15 for this
    units, loop = UnitQueue(), asyncio.get_running_loop()
    alert = replace(unit(loop), signals=[signal()])
    patient, sorting = unit(loop, patient=True), unit(loop)
    came = time.monotonic()
    units.put(alert)
    assert units.batch(10, 0) == [alert]
    units.put(patient)
    threading.Timer(0.02, units.put, [sorting]).start()
    assert await asyncio.to_thread(units.batch, 10, None) == [sorting]
    assert units.joining(10, 0) == []
    assert await asyncio.to_thread(units.batch, 10, None) == [patient]
    assert time.monotonic() - came >= 1.0


async def test_what_is_patient_does_not_hide_who_is_waited_for() -> None:
    """Who sorts a lone alert is waited for also where a flood is going on."""
    units, loop = UnitQueue(), asyncio.get_running_loop()
    sorting = unit(loop)
    units.put(unit(loop, patient=True))
    threading.Timer(0.02, units.put, [sorting]).start()
    assert await asyncio.to_thread(units.joining, 10, 5) == [sorting]


async def test_it_ends_when_all_is_taken() -> None:
    """None is behind the last: what is patient is taken before the end, and an empty queue is no end."""
    units, loop = UnitQueue(), asyncio.get_running_loop()
    with pytest.raises(queue.Empty):
        units.batch(10, 0)
    patient = unit(loop, patient=True)
    units.put(patient)
    units.put(None)
    assert units.batch(10, None) == [patient]
    assert units.batch(10, None) == []
    assert units.joining(10, 1) == []
