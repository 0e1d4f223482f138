"""Runs an action in a process that is killed, and asks the next process what it makes of it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.store.audit import broken_links
from tests.schema import with_schema
from tests.servers.desk import Desk
from tests.servers.process import _wrapper
from tests.triage.actions.bench import Bench, running_bench, settings
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.ports.store import MessageKind

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("CAMPAIGN"))
ENDED = {StepStatus.DONE, StepStatus.FAILED, StepStatus.UNKNOWN}


@dataclass(frozen=True)
class Aftermath:
    """What the next process found: the action, its steps, what it offers."""

    record: ActionRecord
    steps: list[StepRecord]
    offered: set[str]

    @property
    def begun(self) -> int:
        """How many steps of the plan were begun."""
        return sum(step.number > 0 and step.status in ENDED for step in self.steps)


class Crashes:
    """Runs actions in processes that are killed. Get it with ``crashing``."""

    def __init__(self, preloaded: "subprocess.Popen[bytes]") -> None:
        self._preloaded = preloaded
        self._group = 0

    async def at(
        self,
        desk: Desk,
        database: Path,
        kind: str,
        target: str,
        *,
        moment: str,
        number: int,
        arguments: Mapping[str, str] | None = None,
        redis_url: str = "",
        agent: str = "",
    ) -> None:
        """Run the action in a process that is killed at that moment; fails when it was not killed."""
        with_schema(database)
        log = database.with_suffix(".log")
        order = {
            "root": str(desk.root),
            "command": desk.compose_command,
            "database": str(database),
            "docker_host": desk.engine.host,
            "redis_url": redis_url,
            "agent": agent,
            "kind": kind,
            "target": target,
            "arguments": dict(arguments or {}),
            "moment": moment,
            "number": number,
            "log": str(log),
        }
        code = await self._carried_out(order)
        said = log.read_text()[-3000:] if log.exists() else ""
        assert code == str(-signal.SIGKILL), f"{kind} {moment} {number}: {code}: {said}"

    async def _carried_out(self, order: Mapping[str, object]) -> str:
        """Give an order; returns the exit code of its process. After 90 s the process is ended."""
        assert self._preloaded.stdin is not None
        self._preloaded.stdin.write(json.dumps(order).encode() + b"\n")
        self._preloaded.stdin.flush()
        self._group = int(await self._line())
        answered = asyncio.create_task(self._line())
        await asyncio.wait([answered], timeout=90)
        if not answered.done():
            self.end()
        code = await answered
        self._group = 0  # its number may be another one's within minutes
        return code

    async def _line(self) -> str:
        assert self._preloaded.stdout is not None
        return (await asyncio.to_thread(self._preloaded.stdout.readline)).decode().strip()

    def end(self) -> None:
        """End the process that is under way, if one is; a Compose that it was cut off from is in a group of its own."""
        if self._group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGKILL)
        self._group = 0


@cache
def _preloaded() -> "subprocess.Popen[bytes]":
    """Start the process that the killed ones are forked from, once for all tests of this process; it ends with it."""
    words = [*_wrapper(None, "KILL"), sys.executable, "-m", "tests.crash.child"]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@contextmanager
def crashing() -> Iterator[Crashes]:
    """Give a test what runs its actions, and end what is left of them."""
    crashes = Crashes(_preloaded())
    try:
        yield crashes
    finally:
        crashes.end()


async def aftermath(desk: Desk, database: Path, *, redis_url: str = "", agent: str = "") -> Aftermath:
    """Start the next process and return what it says; checks what must hold after every crash."""
    chosen = settings(desk.root, desk.compose_command)
    async with running_bench(
        chosen, database, docker_host=desk.engine.host, redis_url=redis_url, agent=agent
    ) as bench:
        [record] = [
            one for one in await bench.store.read(lambda tx: tx.actions.recent()) if one.parent_id is None
        ]
        record = await bench.ended(record.id)
        found = Aftermath(
            record, await bench.steps(record.id), {one.kind for one in await bench.children(record.id)}
        )
        await _holds_always(bench, found)
    return found


async def _holds_always(bench: Bench, found: Aftermath) -> None:
    record = found.record
    assert record.status is ActionStatus.UNKNOWN
    assert "the service stopped" in record.outcome
    assert "not run again" in record.outcome
    assert record.verification is not None, "what is true now must be said"
    assert record.kind in found.offered, "a way to go on must be offered"
    assert not any(step.status is StepStatus.RUNNING for step in found.steps)
    assert await bench.store.read(lambda tx: tx.actions.locked_by(record.target)) is None
    message = await bench.store.read(lambda tx: tx.outbox.find(MessageKind.ACTION, str(record.id)))
    assert message is not None, "the thread must be told"
    entries = await bench.store.read(lambda tx: tx.audit.entries())
    assert broken_links(entries) == []
    assert [entry.event for entry in entries].count("action.started") == 1, "it is never run again"
