"""A desk with a short past, on a clock that stands still, and an operator at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from demo.clock import SimClock
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.desk.past import world_with_past
from demo.desk.world import World
from tests.demo.desk.operators import START, Operator


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world with three hours behind it."""
    made = world_with_past(tmp_path, now=START, hours=3)
    made.flush()
    return made


@pytest.fixture
async def operator(tmp_path: Path) -> AsyncIterator[Operator]:
    """An operator at a running desk with an hour behind it."""
    lines: list[tuple[Mapping[str, str], str]] = []

    def sink(labels: Mapping[str, str], entries: Sequence[tuple[int, str]]) -> None:
        lines.extend((labels, line) for _, line in entries)

    options = DeskOptions(past_hours=1)
    async with SimulatedDesk(tmp_path, SimClock(0, START), (sink,), options) as desk:
        yield Operator(desk, lines)
