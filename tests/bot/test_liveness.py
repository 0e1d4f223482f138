"""Loops that run for good: what ends one of them by mistake ends neither the service nor the loop."""

import asyncio

import pytest
from loguru import logger

from bot import liveness
from bot.liveness import Liveness, lasting
from tests.fakes.clock import ManualClock


@pytest.mark.parametrize("fault", [ValueError("broken"), asyncio.CancelledError()])
async def test_a_loop_that_fails_begins_again(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """That something it waited for was cancelled is a fault too: nobody told the loop to stop."""
    monkeypatch.setattr(liveness, "AGAIN_SECONDS", 0.01)
    rounds = 0

    async def loop() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise fault

    known = Liveness(ManualClock())
    await asyncio.create_task(lasting("work", loop, known))
    assert rounds == 2
    assert known.faults == {"work": 1}
    assert type(fault).__name__ in known.failing("work")


async def test_a_loop_that_fails_again_and_again_logs_its_traceback_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every five seconds another one would hide what else the log says."""
    monkeypatch.setattr(liveness, "AGAIN_SECONDS", 0.01)
    said, rounds = list[tuple[str, bool]](), 0

    async def loop() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 4:
            raise ZeroDivisionError

    sink = logger.add(
        lambda message: said.append((message.record["message"], message.record["exception"] is not None)),
        level="ERROR",
    )
    try:
        await lasting("work", loop)
    finally:
        logger.remove(sink)
    assert said == [
        ("work failed", True),
        ("work failed 2 times in a row: ZeroDivisionError", False),
        ("work failed 3 times in a row: ZeroDivisionError", False),
    ]


async def test_a_loop_that_is_told_to_stop_ends() -> None:
    """At once, and without a fault."""
    begun, known = asyncio.Event(), Liveness(ManualClock())

    async def loop() -> None:
        begun.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(lasting("work", loop, known))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not known.faults
