"""A process that runs one action and is killed at one moment: orders come as JSON, a line each, on stdin.

Each order is carried out in a process of its own, forked from this one: what it imports is loaded by then, and it
is killed as really as any. Answered by a line with its id, which is that of its process group too, and when it has
ended by one with its exit code, minus the signal's number where one ended it.

Moments of step n: ``before`` (its start is on disk, nothing of it is done), ``during`` (a command has begun to
speak), ``after`` (it is done, its end is not on disk), ``between`` (its end is on disk, the next has not begun).
``exchange``/``exchanged``/``extracting`` are moments inside the file work of a rollback.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from bot.desk import archive, files, snapshots
from tests.triage.actions.bench import running_bench, settings
from triage.actions.context import ActionServices
from triage.actions.executor import Executor, Turn
from triage.actions.runner import ActionRunner
from triage.plans.plan import Step
from triage.ports.actions import OnOutput, Performed


def die() -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(Executor):
    """Dies at its moment."""

    def __init__(self, services: ActionServices, moment: str, number: int) -> None:
        super().__init__(services.sources, services.access, services.clock)
        self._moment, self._number, self._at = moment, number, 0

    async def perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        """Perform a step, unless this is where it ends."""
        self._at += 1
        mine = self._at == self._number
        if mine and self._moment == "before":
            die()

        def spoken(text: str) -> None:
            if mine and self._moment == "during" and text:
                die()
            on_output(text)

        performed = await super().perform(step, turn, spoken)
        if mine and self._moment == "after":
            die()
        return performed


def arm(moment: str, number: int) -> None:
    """Set the traps that lie outside the executor."""
    if moment == "between":
        name = "_begin" if number else "_looked"
        usual = getattr(ActionRunner, name)

        def begin(self: ActionRunner, tx: Any, action_id: int, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - any step
            if named.get("number", 0) == number + 1 or not number:
                die()
            return usual(self, tx, action_id, *rest, **named)

        setattr(ActionRunner, name, begin)
    exchange = files.exchange
    if moment == "exchange":
        setattr(snapshots, "exchange", lambda *_: die())  # noqa: B010 - a name the module imported
    if moment == "exchanged":

        def exchanged(one: Path, other: Path) -> None:
            exchange(one, other)
            die()

        setattr(snapshots, "exchange", exchanged)  # noqa: B010 - as above
    if moment == "extracting":
        write, count = archive._write, [0]

        def third(*words: Any) -> None:  # noqa: ANN401 - passed on
            count[0] += 1
            if count[0] == 3:
                die()
            write(*words)

        setattr(archive, "_write", third)  # noqa: B010 - its signature is not ours to repeat


async def main(order: dict[str, Any]) -> None:
    """Confirm the action and run it until the end comes."""
    arm(order["moment"], order["number"])
    desk = settings(Path(order["root"]), order["command"])
    async with running_bench(
        desk,
        Path(order["database"]),
        docker_host=order["docker_host"],
        redis_url=order["redis_url"],
        agent=order["agent"],
        executor=lambda services: Dying(services, order["moment"], order["number"]),
    ) as bench:
        await bench.act(order["kind"], order["target"], order["arguments"])


def carried_out(order: dict[str, Any]) -> int:
    """Carry an order out in a forked process; its output goes to the order's log. Returns its exit code."""
    pid = os.fork()
    if pid:
        said(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        os.setsid()
        log = os.open(order["log"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for file, number in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(file, number)
        asyncio.run(main(order))
    except BaseException:  # noqa: BLE001 - whatever it is, it is said in the log, and this process ends here
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)  # it was to be killed; the parent's work is not ours to go on with


def said(number: int) -> None:
    """Answer whoever gave the order."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for line in sys.stdin:
        said(carried_out(json.loads(line)))
