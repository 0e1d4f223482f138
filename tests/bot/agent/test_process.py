"""The agent as a process of its own: what it needs to start, how soon it answers, and what a kill leaves."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.agent.remote_desk import remote_access
from tests.bot.agent.test_server import NOBODY, laid_out, shown, user
from tests.servers.forked import ForkedProcess
from tests.servers.process import eventually
from triage.errors import DeskFailure, Refused

ROOT = Path(__file__).parents[3]
TOKEN = "1" * 24

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be the agent and another user"),
]


@dataclass
class Process:
    """An agent's process, below a folder of its own."""

    folder: Path
    changes: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/agent.sock"

    @property
    def record(self) -> str:
        """Return what its record tells."""
        path = self.folder / "state/record.jsonl"
        return path.read_text() if path.exists() else ""

    def desk(self, seconds: float = 0) -> None:
        """Lay out a desk whose compose command takes so long."""
        root = self.folder / "desk"
        root.mkdir()
        desk = laid_out(root)
        script = f"import time; time.sleep({seconds}); open({str(root / 'mark')!r}, 'a').write('x')"
        command = [sys.executable, "-c", script]
        values = {
            "paths": {name: str(getattr(desk.paths, name)) for name in ("compose", "env", "data", "backups")},
            "compose": {"command": command},
            "roles": {"operator": {"users": ["U1"]}},
        }
        with (self.folder / "desk.yaml").open("w") as file:
            YAML(typ="safe").dump(values, file)
        (self.folder / "desk.yaml").chmod(0o644)

    @property
    def environment(self) -> dict[str, str]:
        """What it is told."""
        return {
            "PATH": os.environ["PATH"],
            "TRIAGE_AGENT": self.address,
            "TRIAGE_AGENT_UID": str(NOBODY),
            "TRIAGE_AGENT_STATE": str(self.folder / "state"),
            "TRIAGE_DESK": str(self.folder / "desk.yaml"),
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
            **self.changes,
        }

    def start(self) -> subprocess.Popen[str]:
        """Start it."""
        words, pipe = [sys.executable, "-m", "bot.agent"], subprocess.PIPE
        self.running = subprocess.Popen(words, cwd=ROOT, env=self.environment, stderr=pipe, text=True)
        return self.running

    def said(self) -> str:
        """Start it and return its first line."""
        process = self.start()
        assert process.stderr is not None
        return process.stderr.readline()

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self.running is not None
        assert self.running.stderr is not None
        self.running.send_signal(number)
        code = self.running.wait(20)
        self.running.stderr.close()
        return code


@pytest.fixture
def process() -> Iterator[Process]:
    """Give an agent that was not started yet."""
    with tempfile.TemporaryDirectory(prefix="hbt-") as folder:
        Path(folder).chmod(0o755)
        process = Process(Path(folder))
        yield process
        if process.running is not None:
            process.end(signal.SIGKILL)


def test_it_listens_for_the_bots_user_and_ends_when_it_is_told(process: Process) -> None:
    """Its socket is the bot's alone, its record its own; a new start reads it."""
    process.desk()
    assert f"for uid {NOBODY}; desk hbot, record of 0 lines" in process.said()
    socket = (process.folder / "agent.sock").stat()
    assert (socket.st_uid, socket.st_mode & 0o777) == (NOBODY, 0o600)
    assert (process.folder / "state/record.jsonl").stat().st_mode & 0o777 == 0o600
    assert process.running is not None
    limits = Path(f"/proc/{process.running.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    mapped = Path(f"/proc/{process.running.pid}/maps").read_text()
    assert "python" in mapped
    assert "libcrypto" not in mapped, "no TLS library is loaded"
    assert process.end() == 0
    assert not (process.folder / "agent.sock").exists()


def spoilt_record(folder: Path) -> None:
    """Leave a record that is none."""
    (folder / "state").mkdir(mode=0o700)
    (folder / "state/record.jsonl").write_text("{}\n")


def turned_link(folder: Path) -> None:
    """Leave a link to the good desk.yaml in a folder in which everybody may put another one."""
    (folder / "turned").mkdir()
    (folder / "turned").chmod(0o777)
    (folder / "turned/desk.yaml").symlink_to(folder / "desk.yaml")


WRONG: dict[str, tuple[dict[str, str], Callable[[Path], object], str]] = {
    "the bot's own desk.yaml": (
        {},
        lambda at: os.chown(at / "desk.yaml", NOBODY, NOBODY),
        "belongs to uid 65534",
    ),
    "others may write": (
        {},
        lambda at: (at / "desk.yaml").chmod(0o666),
        "desk.yaml can be written by others",
    ),
    "a link that others may turn": (
        {"TRIAGE_DESK": "turned/desk.yaml"},
        turned_link,
        "turned can be written by others",
    ),
    "the compose file of the bot's user": (
        {},
        lambda at: os.chown(at / "desk/compose", NOBODY, -1),
        "belongs to uid 65534, the bot's: who changes what Compose starts has the host",
    ),
    "a folder of others": ({}, lambda at: at.chmod(0o777), "can be written by others"),
    "no desk.yaml": ({"TRIAGE_DESK": ""}, lambda _: None, "TRIAGE_DESK is not set"),
    "the agent's own user": ({"TRIAGE_AGENT_UID": "0"}, lambda _: None, "must run as another user"),
    "no user": ({"TRIAGE_AGENT_UID": "nobody-of-that-name"}, lambda _: None, "is no user"),
    "no socket": ({"TRIAGE_AGENT": "tcp://0.0.0.0:1"}, lambda _: None, "TRIAGE_AGENT: say where to listen"),
    "a role of groups alone": (
        {},
        lambda at: (at / "desk.yaml").write_text("roles: {operator: {groups: [S1]}}"),
        "TRIAGE_DESK: roles.operator names groups alone",
    ),
    "a desk.yaml that is wrong": ({}, lambda at: (at / "desk.yaml").write_text("bots: 7"), "bots: "),
    "a record that was changed": (
        {},
        spoilt_record,
        "was changed, lost or moved",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_it_does_not_start_where_the_bot_could_change_what_it_may(process: Process, name: str) -> None:
    """One line that names the setting and the mend, and the exit code of a wrong setting."""
    changes, spoil, said = WRONG[name]
    process.desk()
    process.changes = {
        name: str(process.folder / value) if value.startswith("turned") else value
        for name, value in changes.items()
    }
    spoil(process.folder)
    log = process.folder / "agent.log"
    started = ForkedProcess("the agent", ["bot.agent"], log=log, env=process.environment)
    started.start()

    async def ended() -> bool:
        return not started.running

    try:
        await eventually(ended, "its end")
        assert said in log.read_text().partition("\n")[0]
        assert started.end == "its process has ended: 2"
    finally:
        started.kill()


@pytest.mark.parametrize("who", ["agent", "bot"])
async def test_a_kill_within_a_step_leaves_it_unknown_and_it_is_never_done_again(
    process: Process, who: str
) -> None:
    """The agent's kill: its next life says unknown. The bot's: the step goes to its end, and is told as done."""
    process.desk(seconds=2)
    assert "listens at" in await asyncio.to_thread(process.said)
    agent = remote_access(process.address).agent
    with user(NOBODY):
        await agent.confirm(shown(TOKEN))
        step = asyncio.create_task(agent.perform(TOKEN, 1, lambda _: None))
        await asyncio.sleep(0.5)
    if who == "agent":
        await asyncio.to_thread(process.end, signal.SIGKILL)
        performed = await step
        assert (performed.ok, performed.known) == (False, False)
        assert "listens at" in await asyncio.to_thread(process.said)
        assert '"what":"unknown"' in process.record

        async def ended() -> bool:
            return (process.folder / "desk/mark").exists()

        await eventually(ended, "the end of the command that outlived its agent")
    else:
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)

        async def done() -> bool:
            return '"what":"done"' in process.record

        await eventually(done, "the step's end in the record")
        assert (process.folder / "desk/mark").read_text() == "x"
    with user(NOBODY), pytest.raises(Refused, match=r"is over|begun already"):
        await agent.perform(TOKEN, 1, lambda _: None)
    with pytest.raises(DeskFailure, match="uid 0 may not ask"):
        await agent.end(TOKEN)
