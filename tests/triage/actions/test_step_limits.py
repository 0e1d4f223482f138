"""A step that does not end: what it changes may be done, what it only looks at is not."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

import pytest

from tests.fakes.clock import ManualClock
from tests.fakes.sources import FakeSources
from triage.actions.executor import AGENT_SECONDS, Executor, Turn
from triage.plans import operations
from triage.plans.plan import Step
from triage.ports.actions import Performed


class HangingAgent:
    """Takes an order and never says how it ended."""

    async def perform(self, token: str, number: int, on_output: object) -> Performed:
        """Hang."""
        await asyncio.Event().wait()
        raise AssertionError((token, number, on_output))


@dataclass
class HangingEnv:
    """An ``.env`` on a dead disk."""

    async def read(self) -> dict[str, str]:
        """Hang."""
        await asyncio.Event().wait()
        return {}


@dataclass
class Access:
    """Access to a desk that hangs."""

    agent: HangingAgent
    env: HangingEnv


@pytest.mark.parametrize(
    ("op", "known"),
    [
        (operations.TakeSnapshot(bot="bot1", archive="bot1_pre_rollback_20260220_030000.tar.gz"), False),
        (operations.CheckEnv(env=".env", template=".env.template"), True),
    ],
)
async def test_of_an_order_that_does_not_end_it_is_not_known_how_far_it_came(
    op: operations.Op,
    known: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """The agent, or a thread that a dead disk holds, may do it after it was given up; looking changes nothing."""
    access = cast("Any", Access(HangingAgent(), HangingEnv()))
    executor = Executor(FakeSources().port, access, ManualClock())
    turn = Turn("token", 1, cast("Any", None))
    performed = await executor.perform(
        Step("step", op, timeout_seconds=0.1 - AGENT_SECONDS), turn, lambda _: None
    )
    assert (performed.ok, performed.known) == (False, known)
    assert performed.note.startswith("no end within")


async def test_another_error_of_that_name_is_not_told_as_the_end_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python calls the errno of a network disk that gave up by itself, at once, ``TimeoutError`` too."""

    async def gave_up(_: object) -> None:
        raise TimeoutError("Connection timed out")

    monkeypatch.setattr(HangingEnv, "read", gave_up)
    executor = Executor(FakeSources().port, cast("Any", Access(HangingAgent(), HangingEnv())), ManualClock())
    step = Step("step", operations.CheckEnv(env=".env", template=".env.template"), timeout_seconds=60)
    performed = await executor.perform(step, Turn("token", 1, cast("Any", None)), lambda _: None)
    assert performed.note == "given up: Connection timed out"
