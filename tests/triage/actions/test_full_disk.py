"""A rollback whose disk fills up after it was confirmed: on a real file system, through the engine, into the trail."""

import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.embedded import embedded_access
from bot.store import open_store
from tests.bot.desk import archives
from tests.bot.desk.test_snapshots import small_disk as small_disk  # noqa: PLC0414 - a fixture, named here to be found
from tests.schema import with_schema
from tests.triage.actions.bench import REASON, settings
from tests.triage.actions.test_engine import desktop_on
from triage.actions.engine import ActionEngine
from triage.actions.executor import Executor, Turn
from triage.actions.runner import ActionRunner
from triage.plans.operations import Extract, TakeSnapshot
from triage.plans.plan import Step
from triage.plans.record import ActionStatus, StepStatus
from triage.ports.actions import OnOutput, Performed

NAME = "bot1_20260219_040000.tar.gz"


class FillsTheDisk(Executor):
    """Somebody else fills the disk right before a step of this kind."""

    before: type = Extract
    place: Path

    async def perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        """Leave no byte free, then perform the step."""
        if isinstance(step.op, self.before):
            with suppress(OSError), (self.place / "ballast").open("wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(1_000_000))
        return await super().perform(step, turn, on_output)


@pytest.mark.parametrize(
    ("kind", "title", "done", "offers"),
    [
        (Extract, "verify and extract the snapshot beside", "nothing else was done", {"rollback"}),
        (
            TakeSnapshot,
            "pre-rollback snapshot",
            "steps 1 to 2 are done, nothing else",
            {"rollback", "recreate"},
        ),
    ],
)
async def test_a_disk_that_fills_up_during_a_rollback_fails_the_step_and_leaves_the_bot_as_it_was(
    small_disk: Path,
    tmp_path: Path,
    *,
    kind: type,
    title: str,
    done: str,
    offers: set[str],
) -> None:
    """What found no room is named, the rest skipped, the old files stand, a bot that was stopped can be started."""
    # As much room as a rollback asks for before it may begin.
    roomier = ["mount", "-o", "remount,size=160m", str(small_disk)]
    subprocess.run(roomier, check=True, timeout=10)  # noqa: ASYNC221 - milliseconds
    bot = archives.bot_folder(small_disk / "data")
    for folder in ("backups", "compose", "env"):
        (small_disk / folder).mkdir()
    (small_disk / "env/.env").write_text("HUMMINGBOT_IMAGE=hbot/hummingbot:v1\n")
    archives.write(small_disk / "backups" / NAME, archives.sound())
    async with open_store(with_schema(tmp_path / "triage.db")) as store:
        services, _ = desktop_on(store, small_disk)
        desk = settings(small_disk, (sys.executable, "-c", "pass"))
        services = replace(services, access=embedded_access(desk))
        executor = FillsTheDisk(services.sources, services.access, services.clock)
        executor.before, executor.place = kind, small_disk
        engine = ActionEngine(services, "one", lambda: None)
        record = await engine.propose("rollback", "bot1", by="U1", why="test")
        prepared = await engine.prepare(record.handle, {"what": "config", "snapshot": NAME})
        assert prepared.plan is not None, prepared
        assert not prepared.blocked
        digest = prepared.plan.digest
        await engine.confirm(record.handle, digest=digest, actor="U1", reason=REASON)
        await ActionRunner(services, executor, "one", lambda: None).run(record.id)
        ended = await store.read(lambda tx: tx.actions.get(record.id))
        steps = await store.read(lambda tx: tx.actions.steps(record.id))
        offered = {one.kind for one in await store.read(lambda tx: tx.actions.children(record.id))}
    assert ended is not None
    assert ended.status is ActionStatus.FAILED
    assert "disk is full" in ended.outcome
    assert done in ended.outcome
    [failed] = [step for step in steps if step.status is StepStatus.FAILED]
    assert failed.title == title
    assert all(step.status is StepStatus.SKIPPED for step in steps[failed.number + 1 :])
    assert {(bot / part / "file.txt").read_text() for part in archives.PARTS} == {"old"}
    assert [path.name for path in (small_disk / "backups").iterdir()] == [NAME]
    assert offered == offers
