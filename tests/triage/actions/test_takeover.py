"""A process that stood still longer than its lease, and goes on: wherever it stood, what the other one said holds."""

# ruff: noqa: ARG002 - an executor is given more than this one looks at

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bot.store import open_store
from tests.fakes.clock import ManualClock
from tests.fakes.sources import container
from tests.schema import with_schema
from tests.triage.actions.test_engine import NOW, confirmed, desktop_on, until
from triage.actions import engine, runner, verifier
from triage.actions.context import ActionServices
from triage.actions.engine import ActionEngine
from triage.actions.executor import Executor, Turn
from triage.actions.lease import LEASE_SECONDS
from triage.actions.runner import ActionRunner
from triage.plans.plan import Step
from triage.plans.record import ActionStatus
from triage.ports.actions import OnOutput, Performed
from triage.ports.store import Store, Tx

pytestmark = pytest.mark.slow

T = TypeVar("T")
Meanwhile = Callable[[], Awaitable[None]]
STEPS = 3
"""Of clear_cache. Its commits: start, looked, and two for each step; the last one says that it succeeded."""
LAST = 2 + 2 * STEPS


@dataclass
class Freezing:
    """A store after whose n-th commit the process that uses it stands still."""

    store: Store
    at: int
    meanwhile: Meanwhile
    commits: int = 0

    async def write(self, work: Callable[[Tx], T], *, within: float = 9.0, patient: bool = False) -> T:
        """Commit, and stand still if this was the one."""
        answer = await self.store.write(work, within=within, patient=patient)
        self.commits += 1
        if self.commits == self.at:
            await self.meanwhile()
        return answer

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Read."""
        return await self.store.read(work)

    async def keep(self, signals: Any, stored: Callable[[], None] = lambda: None) -> int:  # noqa: ANN401 - passed on
        """Store signals."""
        return await self.store.keep(signals, stored)


class Noting(Executor):
    """Notes its steps, and stands still in the n-th."""

    def __init__(self, services: ActionServices, at: int, meanwhile: Meanwhile) -> None:
        super().__init__(services.sources, services.access, services.clock)
        self._at, self._meanwhile = at, meanwhile
        self.performed: list[str] = []

    async def perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        """Note a step."""
        self.performed.append(step.title)
        if len(self.performed) == self._at:
            await self._meanwhile()
        return Performed(ok=True, note="done by the slow one", output="output of the slow one")


async def never() -> None:
    """Nothing happens meanwhile."""


async def everything(store: Store, action_id: int) -> object:
    """Return all that is stored about an action."""

    def gather(tx: Tx) -> object:
        children = tx.actions.children(action_id)
        return tx.actions.get(action_id), tx.actions.steps(action_id), children, tx.audit.entries()

    return await store.read(gather)


@pytest.mark.parametrize(
    ("commit", "step"), [*((n, 0) for n in range(1, LAST + 1)), *((0, n) for n in range(1, STEPS + 1))]
)
async def test_the_frozen_process_does_no_further_step_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commit: int, step: int
) -> None:
    """Frozen after any commit, or within any step: the other says unknown and verifies; then the first one thaws."""
    monkeypatch.setattr(runner, "BEAT_SECONDS", 3600)  # who stands still renews nothing
    clock, said, done = ManualClock(NOW), list[object](), list[int]()
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)
        other = ActionEngine(services, "other", lambda: None)
        record = await confirmed(other, "clear_cache", "bot1")

        async def taken_over() -> None:
            clock.move(LEASE_SECONDS + 1)
            loop = asyncio.create_task(other.run(alone=False))
            await until(store, record.id, lambda one: one.status.ended and one.verify_at is None)
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            said.append(await everything(store, record.id))
            done.append(len(executor.performed))

        executor = Noting(services, step, taken_over)
        slow = replace(services, store=Freezing(store, commit, taken_over))
        await ActionRunner(slow, executor, "slow", lambda: None).run(record.id)
        after = await store.read(lambda tx: tx.actions.get(record.id))
        assert after is not None
        assert after.status is ActionStatus.UNKNOWN
        assert [await everything(store, record.id)] == said, "what the other said was changed"
    assert [len(executor.performed)] == done, "a step was done after the lease was lost"


async def test_a_stall_that_nobody_noticed_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease ended but nobody took the action over: it is renewed before the next step, and all is done once."""
    monkeypatch.setattr(runner, "BEAT_SECONDS", 3600)
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)

        async def stalled() -> None:
            clock.move(LEASE_SECONDS + 1)

        executor = Noting(services, 0, stalled)
        record = await confirmed(ActionEngine(services, "one", lambda: None), "clear_cache", "bot1")
        slow = replace(services, store=Freezing(store, 3, stalled))
        await ActionRunner(slow, executor, "slow", lambda: None).run(record.id)
        after = await store.read(lambda tx: tx.actions.get(record.id))
    assert after is not None
    assert after.status is ActionStatus.SUCCEEDED
    assert len(executor.performed) == STEPS


async def test_a_verification_that_another_process_ended_is_not_said_again(tmp_path: Path) -> None:
    """The first one looked, stood still past its lease, and saw what was true then: the other's later answer holds."""
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path, clock)
        record = await confirmed(ActionEngine(services, "one", lambda: None), "recreate", "bot1")
        await ActionRunner(services, Noting(services, 0, never), "one", lambda: None).run(record.id)
        slow, other = (ActionEngine(services, name, lambda: None) for name in ("slow", "other"))
        held = await store.write(lambda tx: slow.verifier.take(tx, record.id))
        assert held is not None
        clock.move(300)
        sources.containers.hold(container("hbot-bot1", status="exited"))
        loop = asyncio.create_task(other.run(alone=False))
        await until(store, record.id, lambda one: one.verification is not None)
        clock.move(60)  # so late a look is looked at once more
        await until(store, record.id, lambda one: one.verify_at is None)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        said = await everything(store, record.id)
        sources.containers.hold(container("hbot-bot1"))
        await slow.verifier.verify(held)
        assert await everything(store, record.id) == said


async def test_a_verification_is_taken_over_within_15_seconds_and_kept_while_it_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is short; whoever lives renews it, and a dead one's question is free with it."""
    monkeypatch.setattr(verifier, "VERIFY_RENEW_SECONDS", 0.01)
    clock = ManualClock(NOW)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path, clock)
        record = await confirmed(ActionEngine(services, "one", lambda: None), "recreate", "bot1")
        await ActionRunner(services, Noting(services, 0, never), "one", lambda: None).run(record.id)
        clock.move(60)
        holder, other = (ActionEngine(services, name, lambda: None) for name in ("holder", "other"))
        held = await store.write(lambda tx: holder.verifier.take(tx, record.id))
        assert held is not None

        async def taken() -> bool:
            return await store.write(lambda tx: other.verifier.take(tx, record.id)) is not None

        looking = asyncio.create_task(holder.verifier.renew(held))
        clock.move(verifier.VERIFY_LEASE_SECONDS - 1)
        await until(store, record.id, lambda one: one.lease_until != held.lease_until)
        clock.move(verifier.VERIFY_LEASE_SECONDS - 1)
        assert not await taken(), "it was renewed"
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        clock.move(verifier.VERIFY_LEASE_SECONDS + engine.ROUND_SECONDS)
        assert await taken()
        assert verifier.VERIFY_LEASE_SECONDS + engine.ROUND_SECONDS <= 15
