"""An engine of actions on a desk of real containers; metrics and logs answer what the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.agent.client import Wire
from bot.agent.embedded import embedded_access
from bot.agent.remote_containers import RemoteContainers
from bot.agent.remote_desk import remote_access
from bot.sources.opening import open_sources
from bot.store import open_store
from tests.fakes.sources import FakeLogs, FakeMetrics, sample
from tests.schema import with_schema
from triage.actions.context import ActionServices
from triage.actions.engine import ActionEngine
from triage.actions.executor import Executor
from triage.actions.preparation import PreparedPlan
from triage.desk import Desk
from triage.plans.record import ActionRecord, StepRecord
from triage.ports.clock import SystemClock
from triage.ports.sources import Sources
from triage.ports.store import Store

REASON = "because the test says so"


def settings(root: Path, command: Sequence[str], **changes: object) -> Desk:
    """Return desk.yaml's content for a desk laid out below `root`; nothing is waited for."""
    paths = {
        "compose": root / "compose",
        "env": root / "env/.env",
        "data": root / "data",
        "backups": root / "backups",
    }
    return Desk.model_validate(
        {
            "paths": paths,
            "roles": {"operator": {"groups": ["S0OPERATORS"]}, "approver": {"groups": ["S0APPROVERS"]}},
            "agent": {"people": {"operator": ["U0ANA00001", "U1"], "approver": ["U0BEN00001"]}},
            "compose": {"command": tuple(command)},
            "triage": {"verify_after_seconds": 0, "health_watch_seconds": 0, "deadline_seconds": 1.5},
            **changes,
        }
    )


def states(**bots: str) -> FakeMetrics:
    """Return metrics that say which bot is in which state, by a fresh snapshot."""
    found = [sample(1, "hbot_bot_state", bot=bot, state=state) for bot, state in bots.items()]
    ages = [sample(0, bot=bot) for bot in bots]
    return FakeMetrics(answers={"__name__=~": found, "time() - max by (bot": ages})


@dataclass
class Bench:
    """The engine, what it works with, and what it was asked to tell."""

    desk: Desk
    store: Store
    services: ActionServices
    engine: ActionEngine
    metrics: FakeMetrics
    told: list[int] = field(default_factory=list)

    async def propose(self, kind: str, target: str, why: str = "asked for") -> ActionRecord:
        """Propose by hand."""
        return await self.engine.propose(kind, target, by="U0ANA00001", why=why)

    async def confirmed(
        self, kind: str, target: str, arguments: Mapping[str, str] | None = None
    ) -> tuple[ActionRecord, PreparedPlan]:
        """Propose, plan and confirm as one person; nothing is run yet."""
        record = await self.propose(kind, target)
        return await self.confirm(record, arguments)

    async def confirm(
        self, record: ActionRecord, arguments: Mapping[str, str] | None = None, actor: str = "U0ANA00001"
    ) -> tuple[ActionRecord, PreparedPlan]:
        """Plan and confirm a proposal."""
        prepared = await self.engine.prepare(record.handle, arguments)
        assert prepared.plan is not None, prepared
        assert not prepared.blocked, prepared.blocked
        digest = prepared.plan.digest
        return await self.engine.confirm(record.handle, digest=digest, actor=actor, reason=REASON), prepared

    async def act(self, kind: str, target: str, arguments: Mapping[str, str] | None = None) -> ActionRecord:
        """Do all of it, verification included."""
        record, _ = await self.confirmed(kind, target, arguments)
        return await self.ended(record.id)

    async def ended(self, action_id: int, *, seconds: float = 90) -> ActionRecord:
        """Wait until an action ended and was verified for good."""
        async with asyncio.timeout(seconds):
            while True:
                record = await self.get(action_id)
                if record.status.ended and record.verify_at is None:
                    return record
                await asyncio.sleep(0.1)

    async def get(self, action_id: int) -> ActionRecord:
        """Return an action."""
        record = await self.store.read(lambda tx: tx.actions.get(action_id))
        assert record is not None
        return record

    async def steps(self, action_id: int) -> list[StepRecord]:
        """Return its steps."""
        return await self.store.read(lambda tx: tx.actions.steps(action_id))

    async def children(self, action_id: int) -> list[ActionRecord]:
        """Return what follows from it."""
        return await self.store.read(lambda tx: tx.actions.children(action_id))

    async def audit(self) -> list[str]:
        """Return the events of the audit trail."""
        return [entry.event for entry in await self.store.read(lambda tx: tx.audit.entries())]


Crash = Callable[[Executor], Executor]


@asynccontextmanager
async def running_bench(
    desk: Desk,
    database: Path,
    *,
    docker_host: str = "",
    redis_url: str = "",
    metrics: FakeMetrics | None = None,
    executor: Callable[[ActionServices], Executor] | None = None,
    loop: bool = True,
    agent: str = "",
) -> AsyncIterator[Bench]:
    """Run an engine; with `loop` False nothing is run until the test asks. `agent`: the address of one apart."""
    metrics = metrics or states(bot1="running", bot2="running", bot3="running")
    async with (
        open_store(with_schema(database)) as store,
        open_sources(docker_host=docker_host, redis_url=redis_url) as real,
    ):
        sources: Sources = replace(real, metrics=metrics, logs=FakeLogs())
        access = (
            remote_access(agent)
            if agent
            else embedded_access(desk, docker_host=docker_host, record=database.with_suffix(".agent.jsonl"))
        )
        if agent:
            sources = replace(sources, containers=RemoteContainers(Wire(agent)))
        services = ActionServices(store=store, desk=desk, sources=sources, access=access, clock=SystemClock())
        told: list[int] = []
        engine = ActionEngine(
            services, "test", lambda: told.append(1), executor(services) if executor is not None else None
        )
        bench = Bench(desk=desk, store=store, services=services, engine=engine, metrics=metrics, told=told)
        task = asyncio.create_task(engine.run(alone=True)) if loop else None
        try:
            yield bench
        finally:
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
