"""An order whose work on files does not end: the agent gives it up by itself, says so, and does not do it later."""

import asyncio
import errno
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.agent.client import STEP_SECONDS, Wire
from bot.agent.core import LocalAgent
from bot.agent.order_executor import FILES_SECONDS, OrderExecutor
from bot.agent.record import AgentRecord
from bot.agent.remote_desk import remote_access
from bot.desk.env_file import DeskEnvFile
from bot.desk.snapshots import DeskSnapshots
from bot.threads import END_SECONDS
from tests.bot.agent.test_core import ROLLBACK, START, shown
from tests.bot.desk import archives
from tests.fakes.clock import ManualClock
from triage.desk import Desk
from triage.errors import ChangeNotConfirmed, DeskFailure, Refused
from triage.plans import agent_orders, operations
from triage.plans.agent_orders import Order
from triage.ports.actions import NightlySnapshot


class DeadDisk:
    """A folder's fsync that hangs until the disk answers."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def sync(self, _: Path) -> None:
        """Hang."""
        self.answers.wait(10)

    async def answered(self) -> None:
        """Let the disk answer, and wait for what hung on it."""
        self.answers.set()
        for thread in [each for each in threading.enumerate() if each.name == "desk files"]:
            await asyncio.to_thread(thread.join, 5)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> DeadDisk:
    """Give a disk that is dead, and little patience with it."""
    dead = DeadDisk()
    monkeypatch.setattr("bot.desk.snapshots.sync_folder", dead.sync)
    monkeypatch.setattr("bot.threads.END_SECONDS", 0.05)
    monkeypatch.setattr("bot.agent.order_executor.FILES_SECONDS", 0.2)
    monkeypatch.setattr(agent_orders, "SECONDS", dict.fromkeys(agent_orders.SECONDS, 0.2))
    return dead


def executor(root: Path) -> OrderExecutor:
    """Return what works on a desk's files below a folder."""
    archives.bot_folder(root / "data")
    (root / "backups").mkdir()
    nothing = cast("Any", SimpleNamespace())
    return OrderExecutor(
        desk=Desk(),
        commands=nothing,
        snapshots=DeskSnapshots(root / "data", root / "backups"),
        env=DeskEnvFile(None),
        controllers=nothing,
        images=nothing,
        containers=nothing,
    )


async def test_a_step_on_a_dead_disk_is_unknown_and_ends_its_plan(disk: DeadDisk, tmp_path: Path) -> None:
    """It is recorded, and nothing further of the plan is done, nor later what was begun."""
    record = tmp_path / "record.jsonl"
    works = executor(tmp_path)
    agent = LocalAgent(Desk(), works, AgentRecord.opened(record), ManualClock(START))
    archive = archives.write(tmp_path / "backups" / "bot1_20260219_040000.tar.gz", archives.sound())
    sha256 = await works.snapshots.checksum(archive.name)
    extract = agent_orders.ExtractOrder("bot1", "20260219_040000", before_rollback=False, sha256=sha256)
    plan: tuple[Order, ...] = (extract, *ROLLBACK[1:])
    confirmed = shown("rollback", "bot1", plan)
    await agent.confirm(confirmed)
    performed = await agent.perform(confirmed.token, 1, lambda _: None)
    assert (performed.ok, performed.known) == (False, False)
    assert performed.note.startswith("no end within")
    assert json.loads(record.read_text().splitlines()[-1])["what"] == "unknown"
    with pytest.raises(Refused, match="step 1 comes before, and it is unknown"):
        await agent.perform(confirmed.token, 2, lambda _: None)
    await disk.answered()
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["bot1"]


async def test_a_change_that_was_made_and_not_confirmed_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a step that is known to have failed nothing would be taken back, and the bot would keep what it was given."""

    async def unconfirmed(*_: object) -> None:
        raise ChangeNotConfirmed("in place, but the disk did not take all of it")

    monkeypatch.setattr(OrderExecutor, "do", unconfirmed)
    record = tmp_path / "record.jsonl"
    agent = LocalAgent(Desk(), executor(tmp_path), AgentRecord.opened(record), ManualClock(START))
    confirmed = shown("rollback", "bot1", ROLLBACK)
    await agent.confirm(confirmed)
    performed = await agent.perform(confirmed.token, 1, lambda _: None)
    assert (performed.ok, performed.known) == (False, False)
    assert performed.note.startswith("in place")
    assert json.loads(record.read_text().splitlines()[-1])["what"] == "unknown"


async def test_a_nightly_snapshot_and_tidying_on_a_dead_disk_end(disk: DeadDisk, tmp_path: Path) -> None:
    """Whoever waits for them is told, and no file comes to be later."""
    works = executor(tmp_path)
    with pytest.raises(
        DeskFailure, match=r"nightly snapshot of bot1 did not end within .*does the disk answer"
    ):
        await works.keep_snapshot("bot1", "20260220_120000")
    await disk.answered()
    assert list((tmp_path / "backups").glob("*.partial")) == []


async def test_the_error_of_a_disk_is_not_told_as_the_end_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``TimeoutError`` is also what Python calls the errno of a network disk that gave up by itself, at once."""
    works = executor(tmp_path)

    async def gave_up(*_: object) -> None:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(DeskSnapshots, "discard", gave_up)
    performed = await works.do(agent_orders.DiscardOrder("bot1"), "t", lambda _: None)
    assert (performed.ok, performed.known) == (False, False)
    assert performed.note == "given up: [Errno 110] Connection timed out"
    with pytest.raises(DeskFailure, match=r"was not removed: .*Connection timed out"):
        await works.tidy("bot1", "t")


async def test_whoever_waits_for_work_on_files_waits_longer_than_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An agent that says in time that the disk hangs is not lost."""
    asked: list[float] = []

    async def ask(_: Wire, request: object, kind: object, *, seconds: float) -> NightlySnapshot:
        asked.append(seconds)
        return NightlySnapshot(str((request, kind)), "", ())

    monkeypatch.setattr(Wire, "ask", ask)
    agent = remote_access("unix:///agent.sock").agent
    await agent.tidy("1" * 24)
    await agent.keep_snapshot("bot1")
    longest = max(FILES_SECONDS, *agent_orders.SECONDS.values())
    assert min(*asked, STEP_SECONDS) > longest + END_SECONDS


@pytest.mark.parametrize(
    "op",
    [
        operations.TakeSnapshot(bot="bot1", archive="bot1_pre_rollback_20260220_030000.tar.gz"),
        operations.Swap(bot="bot1", token="t"),
        operations.Discard(bot="bot1", token="t"),
    ],
)
def test_each_order_on_files_has_a_limit(op: operations.Op) -> None:
    """Of commands the limit ends the command."""
    assert agent_orders.SECONDS[type(agent_orders.order_of(op))] > 0
