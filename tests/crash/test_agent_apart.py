"""An action with the agent in a process of its own: either side is killed at each step, on a real Docker Engine."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.bot.agent.apart import agent_apart
from tests.crash.scene import LONG, Crashes, aftermath
from tests.servers.desk import Desk
from tests.servers.forked import ForkedProcess
from tests.servers.process import eventually
from tests.triage.actions.bench import running_bench, settings
from triage.plans.record import ActionStatus

ORDERS = 2
"""clear_cache has two steps for the agent: the bytecode, and the container anew."""
BOT_KILLED = [
    ("between", 0),
    *((moment, number) for number in range(1, ORDERS + 2) for moment in ("before", "after")),
    ("during", 2),
    ("between", 1),
    ("between", 2),
]
AGENT_KILLED = [
    *((moment, number) for number in range(1, ORDERS + 1) for moment in ("before", "after", "between")),
    ("during", 2),
]


def _kept(moments: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the second step's, which touches a container; a campaign takes every one."""
    return moments if LONG else [each for each in moments if each[1] == ORDERS]


def _told(record: Path, what: str) -> list[Any]:
    """Return the steps that the agent's record tells of so."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [line["about"].get("step") for line in lines if line["what"] == what]


async def _ids(desk: Desk) -> list[str]:
    options = ("ps", "-a", "--no-trunc", "--filter", "name=bot1", "--format", "{{.ID}}")
    return sorted((await desk.engine.docker(*options)).split())


@pytest.mark.timeout(600)
async def test_a_bot_that_is_killed_leaves_the_agents_step_whole_and_done_once(
    desk: Desk, crashes: Crashes, tmp_path: Path
) -> None:
    """At every boundary: unknown, told, and the agent begins no step a second time; the target is free afterwards."""
    await desk.up("bot1")
    for turn, (moment, number) in enumerate(_kept(BOT_KILLED)):
        folder = tmp_path / str(turn)
        folder.mkdir()
        database, where = folder / "bot.db", f"{moment} {number}"
        desk_settings = settings(desk.root, desk.compose_command)
        async with agent_apart(desk_settings, folder, docker_host=desk.engine.host) as apart:
            await crashes.at(
                desk, database, "clear_cache", "bot1", moment=moment, number=number, agent=apart.address
            )
            found = await aftermath(desk, database, agent=apart.address)

            async def ended(record: Path = apart.record) -> bool:
                return len(_told(record, "begun")) == len(_told(record, "done"))

            await eventually(ended, "the end of what the agent had begun", within=60)
            assert found.begun == number, f"{where}: {found.record.outcome}"
            begun = _told(apart.record, "begun")
            assert begun == sorted(set(begun)), where
            reached = number if moment != "before" else number - 1
            assert len(begun) == min(reached, ORDERS), where
            assert len(_told(apart.record, "over")) == 1, f"{where}: the target is free"
            assert len(await _ids(desk)) == 1, where


@dataclass
class Killed:
    """An agent's process below a folder, at one address."""

    desk: Desk
    folder: Path
    socket: Path
    running: ForkedProcess | None = None

    async def start(self, moment: str = "", number: int = 0) -> ForkedProcess:
        """Start it, and wait until it listens."""
        order = {
            "root": str(self.desk.root),
            "command": self.desk.compose_command,
            "docker_host": self.desk.engine.host,
            "folder": str(self.folder),
            "socket": str(self.socket),
            "moment": moment,
            "number": number,
        }
        log = self.folder / f"agent-{moment}.log"
        words = ("tests.crash.agent_child", json.dumps(order))
        self.running = process = ForkedProcess("agent", words, log=log, env=os.environ)
        process.start()

        async def listens() -> bool:
            return log.exists() and "listens" in log.read_text()

        await process.ready(listens, within=60)
        return process

    async def again(self, process: ForkedProcess) -> None:
        """Wait for its end, by the trap and not by an error, and start it anew, as its container's restart policy does."""

        async def ended() -> bool:
            return not process.running

        await eventually(ended, "the end of the agent", within=90)
        assert "Traceback" not in process.log.read_text()
        await self.start()


@asynccontextmanager
async def _killed_agent(desk: Desk, folder: Path) -> AsyncIterator[Killed]:
    with tempfile.TemporaryDirectory(prefix="hbt-") as short:  # a socket's path may have 107 characters
        agent = Killed(desk, folder, Path(short) / "agent.sock")
        try:
            yield agent
        finally:
            if agent.running is not None:
                await agent.running.stop(within=20)


@pytest.mark.timeout(600)
async def test_an_agent_that_is_killed_leaves_the_action_unknown_looked_at_and_never_done_again(
    desk: Desk, tmp_path: Path
) -> None:
    """At every moment of every step: the bot says unknown, looks once the agent is back, and no step is begun twice."""
    await desk.up("bot1")
    for turn, (moment, number) in enumerate(_kept(AGENT_KILLED)):
        folder = tmp_path / str(turn)
        folder.mkdir()
        record, where = folder / "agent.jsonl", f"{moment} {number}"
        async with _killed_agent(desk, folder) as agent:
            process = await agent.start(moment, number)
            back = asyncio.create_task(agent.again(process))
            chosen = settings(desk.root, desk.compose_command)
            address = f"unix://{agent.socket}"
            async with running_bench(
                chosen, folder / "bot.db", docker_host=desk.engine.host, agent=address
            ) as bench:
                ended = await bench.act("clear_cache", "bot1")
                await back
                steps = await bench.steps(ended.id)
            assert ended.status is ActionStatus.UNKNOWN, f"{where}: {ended.outcome}"
            assert ended.verification is not None, where
            assert _told(record, "begun") == list(range(1, number + 1)), where
            assert _told(record, "unknown") == ([] if moment == "between" else [number]), where
            assert max(step.number for step in steps if step.started_at is not None) == number, where

            async def one_container() -> bool:
                return len(await _ids(desk)) == 1

            # Compose outlives the agent that started it, and may be at its replacement still.
            await eventually(one_container, f"{where}: one container", within=30, every=0.2)


@dataclass(frozen=True)
class Other:
    """An action whose agent is killed: its steps for the agent, and the one that tells most."""

    target: str
    steps: int
    telling: tuple[str, int]
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def moments(self) -> list[tuple[str, int]]:
        """Return when the agent is killed; a campaign takes every moment of every step."""
        every = [(moment, n) for n in range(1, self.steps + 1) for moment in ("before", "after", "between")]
        return every if LONG else [self.telling]


EXTERNAL = ("signal-service", "risk-service", "coordination-service", "redis")
_IMAGE = {"what": "image", "image": "hbot/hummingbot:v2"}
OTHERS = {
    "degraded_mode": Other("desk", 5, ("after", 2)),
    "disable_internal_paper": Other("bot1", 2, ("between", 1)),
    "rollback": Other("bot1", 2, ("after", 1), _IMAGE),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "moment", "number"),
    [(kind, *each) for kind, other in OTHERS.items() for each in other.moments],
)
async def test_whatever_the_agent_was_doing_when_it_was_killed_is_never_done_again(
    desk: Desk, tmp_path: Path, kind: str, moment: str, number: int
) -> None:
    """A value of ``.env``, a bot's controller, services one after the other: what was done stays, the rest is not begun."""
    other = OTHERS[kind]
    await desk.up("bot1", *EXTERNAL)
    if kind == "degraded_mode":
        await desk.engine.docker("pause", "hbot-redis")
    env = desk.env_file.read_text()
    switch = desk.data / "bot1/conf/controllers/epp_v2_4_bot1.yml"
    before = switch.read_text()
    async with _killed_agent(desk, tmp_path) as agent:
        back = asyncio.create_task(agent.again(await agent.start(moment, number)))
        chosen = settings(desk.root, desk.compose_command)
        async with running_bench(
            chosen,
            tmp_path / "bot.db",
            docker_host=desk.engine.host,
            redis_url=desk.redis_url,
            agent=f"unix://{agent.socket}",
        ) as bench:
            ended = await bench.act(kind, other.target, other.arguments)
            await back
    begun = _told(tmp_path / "agent.jsonl", "begun")
    assert ended.status is ActionStatus.UNKNOWN, ended.outcome
    assert ended.verification is not None
    assert len(begun) == len(set(begun)) == number
    assert _told(tmp_path / "agent.jsonl", "unknown") == ([] if moment == "between" else begun[-1:])
    done = number if moment != "before" else number - 1
    set_back = env.replace("hummingbot:v1", "hummingbot:v2")
    assert desk.env_file.read_text() == (set_back if kind == "rollback" and done else env)
    off = before.replace("internal_paper_enabled: true", "internal_paper_enabled: false")
    assert switch.read_text() == (off if kind == "disable_internal_paper" and done else before)
    assert len(await _ids(desk)) == 1
    if kind == "degraded_mode":
        left = set(EXTERNAL) & await desk.running()
        assert len(left) >= 4 - min(done, 4)
