"""A start takes back what a process before it had claimed, and does not end for a lock that is held a moment longer."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest

from bot import app
from bot.service_parts import ServiceParts
from tests.fakes.clock import ManualClock
from triage.errors import NotStored
from triage.ports.store import Tx


class Busy:
    """A store that refuses so many commits; each takes ten seconds."""

    alone = True

    def __init__(self, clock: ManualClock, refuses: int, *, damaged: bool = False) -> None:
        self.clock, self.refuses, self.damaged, self.asked = clock, refuses, damaged, 0

    async def write(self, work: Callable[[Tx], None]) -> None:
        """Refuse, or take it."""
        del work
        self.asked += 1
        self.clock.move(10)
        if self.asked <= self.refuses:
            raise NotStored("canceling statement due to lock timeout", damaged=self.damaged)


@pytest.mark.parametrize(
    ("refuses", "damaged", "asked", "ends"),
    [(0, False, 1, False), (1, False, 2, False), (9, False, 2, True), (9, True, 1, False)],
    ids=["at once", "a lock held by one who was killed", "away for good", "damaged"],
)
async def test_a_start_waits_for_the_lock_of_all_writers(
    monkeypatch: pytest.MonkeyPatch,
    refuses: int,
    damaged: bool,  # noqa: FBT001 - a row of the table
    asked: int,
    ends: bool,  # noqa: FBT001 - as above
) -> None:
    """For as long as a dead replica can hold it; a database that is away ends the start, a damaged one does not."""
    monkeypatch.setattr(app, "AGAIN_SECONDS", 0.0)
    clock = ManualClock()
    store = Busy(clock, refuses, damaged=damaged)
    parts = SimpleNamespace(adapters=SimpleNamespace(store=store), clock=clock)
    taking_over = app.Service(cast("ServiceParts", parts))._take_over(asyncio.Event())
    if ends:
        with pytest.raises(NotStored):
            await taking_over
    else:
        await taking_over
    assert store.asked == asked
