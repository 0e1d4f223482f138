"""An action that is broken off at each of its awaits: it ends, is done once, and what is said of it is true."""

# ruff: noqa: ARG002 - an executor is given more than this one looks at

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.store import open_store
from tests.fakes.breaking import CANCELLED, FAULTS, Break
from tests.fakes.sources import FakeStreams
from tests.schema import with_schema
from tests.triage.actions.bench import REASON
from tests.triage.actions.test_engine import Gate, confirmed, desktop_on, until
from triage.actions import engine
from triage.actions.catalogue import CATALOGUE
from triage.actions.context import ActionServices
from triage.actions.engine import ActionEngine
from triage.actions.executor import Executor, Turn
from triage.errors import SourceTimeout
from triage.plans.agent_orders import token_of
from triage.plans.operations import PublishIntent
from triage.plans.plan import Step
from triage.plans.record import ActionRecord, ActionStatus, Confirmation
from triage.plans.verification import VerificationOutcome
from triage.ports.actions import OnOutput, Performed
from triage.ports.store import Store

pytestmark = pytest.mark.slow
RUN, VERIFY = "run", "verify"
OVER = {ActionStatus.SUCCEEDED, ActionStatus.FAILED, ActionStatus.UNKNOWN, ActionStatus.EXPIRED}


class Counting(Executor):
    """Counts how often each step of each action was begun; each is done after a moment."""

    def __init__(self, services: ActionServices) -> None:
        super().__init__(services.sources, services.access, services.clock)
        self.begun: Counter[tuple[str, int]] = Counter()

    async def _perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        self.begun[turn.token, turn.number] += 1
        await asyncio.sleep(0)
        return Performed(ok=True, note="done")


class Broken(ActionEngine):
    """Breaks off the next work on an action: that which runs it, or that which verifies it."""

    plan: Break | None = None
    which: str = RUN

    def _spawn(self, tasks: asyncio.TaskGroup, action_id: int, work: Coroutine[Any, Any, object]) -> None:
        if self.plan is not None and getattr(work, "__name__", "") == self.which:
            plan, self.plan = self.plan, None
            work = plan.into(work)
        super()._spawn(tasks, action_id, work)


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what is to be done without a pause."""
    monkeypatch.setattr(engine, "ROUND_SECONDS", 0.02)


@asynccontextmanager
async def running(work: ActionEngine) -> AsyncIterator[None]:
    """Run an engine until the block ends; it must not have ended by itself."""
    loop = asyncio.create_task(work.run(alone=True))
    try:
        yield
        assert not loop.done()
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def trail(store: Store, record: ActionRecord) -> Counter[str]:
    """Return how often each event of an action stands in the audit trail."""
    entries = await store.read(lambda tx: tx.audit.entries(limit=10_000))
    return Counter(one.event for one in entries if one.detail.get("action") == record.id)


def faults(kind: str) -> list[BaseException]:
    """Return what the awaits are broken off by, in turn."""
    return [CANCELLED] if kind == "cancelled" else list(FAULTS)


@pytest.mark.parametrize("kind", ["cancelled", "each kind in turn"])
async def test_an_action_that_is_broken_off_while_it_runs_ends_and_is_done_once(
    tmp_path: Path, kind: str
) -> None:
    """At once it is said how far it came and why; no step is begun twice, and the trail has one end of it."""
    said = faults(kind)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        noted: list[BaseException] = []
        counting = Counting(services)
        broken = Broken(services, "one", lambda: None, counting, fault=noted.append)
        async with running(broken):
            for number in count(1):
                plan = broken.plan = Break(number, said[number % len(said)])
                record = await confirmed(broken, "clear_cache", "bot1")
                await until(store, record.id, lambda one: one.status in OVER)
                ended = await until(store, record.id, lambda one: one.verify_at is None)
                begun = [step for token, step in counting.begun if token == token_of(record.handle)]
                events = await trail(store, record)
                assert ended.owner == ""
                assert "the service stopped" not in ended.outcome
                if ended.status is ActionStatus.SUCCEEDED:
                    assert begun == [1, 2, 3]
                else:
                    assert f"a fault of ours ({type(plan.fault).__name__}" in ended.outcome
                if ended.status is ActionStatus.EXPIRED:
                    assert not begun
                    assert "nothing was done" in ended.outcome
                assert events["action.finished"] + events["action.expired"] == 1, events
                if not plan.met:
                    break
        assert number > 10
        assert max(counting.begun.values()) == 1
        assert ended.status is ActionStatus.SUCCEEDED
        assert noted


@pytest.mark.parametrize("kind", ["cancelled", "each kind in turn"])
async def test_a_verification_that_is_broken_off_ends_and_says_so(tmp_path: Path, kind: str) -> None:
    """It was asked again and again, and the action's message never said more than that it waits."""
    said = faults(kind)
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        broken = Broken(services, "one", lambda: None, Counting(services))
        broken.which = VERIFY
        told = 0
        async with running(broken):
            for number in count(1):
                plan = broken.plan = Break(number, said[number % len(said)])
                record = await confirmed(broken, "clear_cache", "bot1")
                ended = await until(
                    store, record.id, lambda one: one.verification is not None and one.verify_at is None
                )
                assert ended.verification is not None
                assert ended.status is ActionStatus.SUCCEEDED
                if f"a fault of ours ({type(plan.fault).__name__}" in ended.verification.why:
                    assert ended.verification.outcome is VerificationOutcome.INCONCLUSIVE
                    told += 1
                assert (await trail(store, record))["action.verified"] == 1
                if not plan.met:
                    break
        assert number > 3
        assert told, "a verification that cannot fail shows nothing"


async def test_a_service_that_stops_at_any_await_of_an_action_leaves_it_ended_and_done_once(
    tmp_path: Path,
) -> None:
    """By itself, or by the next start: which says ``unknown`` of what was begun, and runs what was not."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        counting = Counting(services)
        for number in count(1):
            broken = Broken(services, "one", lambda: None, counting)
            record = await confirmed(broken, "clear_cache", "bot1")
            loop = asyncio.create_task(broken.run(alone=True))
            plan = broken.plan = Break(number, CANCELLED, stop=loop.cancel)
            await asyncio.wait(
                {loop, asyncio.create_task(until(store, record.id, _over))},
                return_when=asyncio.FIRST_COMPLETED,
            )
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            async with running(ActionEngine(services, "two", lambda: None, counting)):
                ended = await until(store, record.id, lambda one: _over(one) and one.verify_at is None)
            assert (await trail(store, record))["action.finished"] == 1
            if ended.status is not ActionStatus.SUCCEEDED:
                assert "the service stopped" in ended.outcome
            if not plan.met:
                break
    assert number > 10
    assert max(counting.begun.values()) == 1


def _over(record: ActionRecord) -> bool:
    return record.status in OVER


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_round_that_fails_ends_no_action_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """That something it waited for was cancelled had stopped them all, as a shutdown does."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        gate, noted = Gate(services), asyncio.Queue[BaseException]()
        work = ActionEngine(services, "one", lambda: None, gate, fault=noted.put_nowait)
        async with running(work):
            record = await confirmed(work, "clear_cache", "bot1")
            await gate.begun.wait()
            whole = ActionEngine._round

            async def fails(self: ActionEngine, _: asyncio.TaskGroup) -> None:
                monkeypatch.setattr(ActionEngine, "_round", whole)
                raise fault

            monkeypatch.setattr(ActionEngine, "_round", fails)
            assert await asyncio.wait_for(noted.get(), 5) is fault
            gate.open.set()
            ended = await until(store, record.id, lambda one: one.status.ended)
    assert ended.status is ActionStatus.SUCCEEDED
    assert noted.empty()


async def test_preconditions_that_cannot_be_checked_stop_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form had failed without a word; what was confirmed ends with why, and nothing is done."""

    async def fails(*_: object) -> None:
        raise SourceTimeout("Docker", "no answer within 2 s")

    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, tmp_path)
        counting = Counting(services)
        work = ActionEngine(services, "one", lambda: None, counting)
        record = await work.propose("clear_cache", "bot1", by="U1", why="test")
        prepared = await work.prepare(record.handle)
        assert prepared.plan is not None
        monkeypatch.setattr(type(CATALOGUE["clear_cache"]), "preconditions", fails)
        await work.confirm(record.handle, digest=prepared.plan.digest, actor="U1", reason=REASON)
        async with running(work):
            ended = await until(store, record.id, lambda one: one.status.ended)
    assert ended.status is ActionStatus.FAILED
    assert ended.outcome == "they could not be checked: Docker: no answer within 2 s. Nothing was done"
    assert not counting.begun


class OnlyAdding(FakeStreams):
    """Answers everything but what is to be added: that may have come, or not."""

    async def ask(self, question: str) -> None:
        """Fail where something is added."""
        self.error = SourceTimeout("Redis", "no answer within 2 s") if question.startswith("add") else None
        await super().ask(question)


@pytest.mark.parametrize("away", [True, False])
async def test_an_intent_whose_answer_is_lost_may_have_been_published(tmp_path: Path, *, away: bool) -> None:
    """It was told as failed. Where Redis was away before it was sent, that is true."""
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, sources = desktop_on(store, tmp_path)
        sources.streams = FakeStreams(error=SourceTimeout("Redis", "no answer")) if away else OnlyAdding()
        op = PublishIntent(
            stream="hb.execution_intent.v1",
            bot="bot1",
            controller="epp_v2_4",
            action="soft_pause",
            event_id="e1",
            expires_seconds=60,
        )
        step = Step("publish", op, timeout_seconds=5)
        turn = Turn("1" * 24, 1, Confirmation("U1", services.clock.now(), "because", ""))
        executor = Executor(sources.port, services.access, services.clock)
        performed = await executor.perform(step, turn, lambda _: None)
    assert (performed.ok, performed.known) == (False, away)
