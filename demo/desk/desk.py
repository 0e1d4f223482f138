"""The desk as it runs: one world, its clock, and all the interfaces that the bot under test will ask."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demo.clock import SimClock
from demo.desk.bus import Bus
from demo.desk.compose import SOCKET_VARIABLE
from demo.desk.control import Control
from demo.desk.docker_api import DockerApi
from demo.desk.exporter import Exporter
from demo.desk.exposition import Scrape
from demo.desk.logbook import LogSink
from demo.desk.metrics_infra import pages
from demo.desk.past import PAST_HOURS, world_with_past
from demo.desk.redis_server import Kind, server
from demo.desk.world import TICK, World

WAKES_AT_MOST_EVERY, WAKES_AT_LEAST_EVERY = 0.25, 1.0
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """How to set a desk up. ``past_hours`` of history are made at the start; ports 0 are free ones.

    ``docker_port`` None leaves the engine on its unix socket alone.
    """

    seed: int = 7
    past_hours: float = PAST_HOURS
    redis: Kind = "auto"
    redis_port: int = 0
    exporter_port: int = 0
    docker_port: int | None = None


class SimulatedDesk:
    """``async with SimulatedDesk(root, clock, sinks) as desk``: everything listens inside, ``run`` lets time pass.

    With a clock of speed 0 nothing moves but by ``step``. A ``world`` that was made already
    is taken as it is; else one with its past is made below ``root``.
    """

    def __init__(
        self,
        root: Path,
        clock: SimClock,
        log_sinks: tuple[LogSink, ...] = (),
        options: DeskOptions | None = None,
        world: World | None = None,
    ) -> None:
        self.root, self.clock = root, clock
        self.options = options or DeskOptions()
        self.world: World = world or world_with_past(
            root, now=clock.now(), seed=self.options.seed, hours=self.options.past_hours
        )
        self.world.logbook.sinks.extend(log_sinks)
        self.scrapes: Mapping[str, Scrape] = pages(self.world)
        # Short: a socket may have 107 bytes in all, and TMPDIR can be long.
        self._sockets = Path(tempfile.mkdtemp(prefix="hbot-"))
        self.bus = Bus(self.world, server(self.options.redis, self.options.redis_port))
        self.docker = DockerApi(self.world, self.catch_up)
        self.control = Control(self.world.engine, self.catch_up)
        self.exporter = Exporter(self.scrapes)
        self.docker_port: int | None = None

    @property
    def docker_socket(self) -> Path:
        """The engine's unix socket."""
        return self._sockets / "docker.sock"

    @property
    def docker_url(self) -> str:
        """The value for ``DOCKER_HOST``."""
        return f"unix://{self.docker_socket}"

    @property
    def redis_url(self) -> str:
        """The value for ``REDIS_URL``."""
        return self.bus.url

    @property
    def compose_command(self) -> tuple[str, ...]:
        """The compose command of ``desk.yaml``; it needs ``compose_environment``."""
        return (sys.executable, "-m", "demo.desk.compose")

    @property
    def compose_environment(self) -> dict[str, str]:
        """The variables the compose command needs, wherever it is called."""
        return {SOCKET_VARIABLE: f"unix://{self._sockets / 'control.sock'}", "PYTHONPATH": str(REPOSITORY)}

    async def __aenter__(self) -> Self:
        try:
            await self.control.start(self._sockets / "control.sock")
            self.docker_port = await self.docker.start(self.docker_socket, self.options.docker_port)
            await self.exporter.start(self.options.exporter_port)
            self.world.flush()
            await self.bus.sync()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End everything that listens; the desk's folder stays."""
        await self.docker.stop()
        await self.control.stop()
        await self.exporter.stop()
        await self.bus.close()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def catch_up(self) -> None:
        """Bring the world up to the clock."""
        self.world.advance_to(self.clock.now())

    async def step(self, seconds: float) -> None:
        """Let ``seconds`` pass on a clock that stands still, with Redis kept in step."""
        while seconds > 0:
            part = min(TICK, seconds)
            self.clock.advance(part)
            self.catch_up()
            await self.bus.sync()
            seconds -= part

    async def run(self) -> None:
        """Let the clock drive the world until cancelled."""
        task = asyncio.current_task()
        while True:
            self.catch_up()
            await self.bus.sync()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError  # a zero timeout inside redis-py can lose the first one
            pause = TICK / self.clock.speed if self.clock.speed else WAKES_AT_LEAST_EVERY
            await asyncio.sleep(min(max(pause, WAKES_AT_MOST_EVERY), WAKES_AT_LEAST_EVERY))
