"""Running the table: a job that fails runs again, one that is cut off by the shutdown is no error."""

import asyncio
from collections.abc import Iterator

import pytest
from loguru import logger

from schedules.table import Job, running


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Collect what is logged, as ``LEVEL text``."""
    found: list[str] = []
    sink = logger.add(
        lambda message: found.append(f"{message.record['level']} {message}"), format="{message}"
    )
    yield found
    logger.remove(sink)


def nobody(name: str, error: BaseException) -> None:
    """Expect no run to fail."""
    raise AssertionError(name) from error


async def test_a_job_runs_at_once_where_it_should_and_then_in_its_turn() -> None:
    """``at_start`` does not wait for the first interval; each good run beats."""
    runs, beats = asyncio.Queue[str](), list[str]()

    async def work() -> None:
        await runs.put("ran")

    async with running([Job("work", work, seconds=0.05, at_start=True)], beat=beats.append, failed=nobody):
        for _ in range(3):
            assert await asyncio.wait_for(runs.get(), 5) == "ran"
    assert beats[:2] == ["job:work", "job:work"]


@pytest.mark.parametrize("kind", [ValueError, asyncio.CancelledError])
async def test_a_job_that_fails_is_said_once_and_runs_again(
    lines: list[str], kind: type[BaseException]
) -> None:
    """With its traceback, without a beat; the next run is not lost by it, nor by what it waited for being cancelled."""
    again, beats = asyncio.Event(), list[str]()
    failures = 0

    async def work() -> None:
        nonlocal failures
        failures += 1
        if failures > 1:
            again.set()
            return
        raise kind("the first time")

    failed = list[tuple[str, str]]()
    table = [Job("work", work, seconds=0.05, at_start=True)]
    async with running(table, beat=beats.append, failed=lambda name, why: failed.append((name, str(why)))):
        await asyncio.wait_for(again.wait(), 5)
    assert failed == [("job:work", "the first time")]
    errors = [line for line in lines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert "job work failed" in errors[0]
    assert "the first time" in errors[0]


async def test_a_job_that_the_shutdown_cuts_off_is_no_error(lines: list[str]) -> None:
    """An operator who restarts the service shall not find a traceback."""
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(60)

    async with running([Job("work", work, seconds=1, at_start=True)], beat=lambda _: None, failed=nobody):
        await asyncio.wait_for(begun.wait(), 5)
    await asyncio.sleep(0.05)
    assert not [line for line in lines if line.startswith("ERROR")]
