"""A master, a replica and the sentinel that watches both: real processes on loopback."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio
import redis.exceptions

from tests.servers.process import LOOPBACK, ServerProcess, free_port, stopped_at_exit
from tests.servers.redis import RedisOptions, RedisServer, running_redis

SERVICE = "desk"


@dataclass(frozen=True, slots=True)
class SentinelDesk:
    """Redis with a stand-in. ``url``: where its sentinel tells who is the master."""

    master: RedisServer
    replica: RedisServer
    sentinel_port: int

    @property
    def url(self) -> str:
        """The address as REDIS_URL takes it."""
        return f"redis+sentinel://{LOOPBACK}:{self.sentinel_port}/{SERVICE}/0"

    async def told_master(self) -> int:
        """Return the port that the sentinel gives out as the master's."""
        async with self._sentinel() as sentinel:
            told: Any = await sentinel.sentinel_master(SERVICE)
            return int(told["port"])

    async def in_step(self) -> bool:
        """Say whether the replica follows and the sentinel knows it: a failover would work now."""
        try:
            async with self._sentinel() as sentinel, self.replica.client() as replica:
                known = await sentinel.sentinel_slaves(SERVICE)
                info: Mapping[str, Any] = await replica.info("replication")
        except (redis.exceptions.RedisError, OSError):
            return False
        well = [each for each in known if not each["is_sdown"] and each["port"] == self.replica.port]
        return bool(well) and info.get("master_link_status") == "up"

    def _sentinel(self) -> redis.asyncio.Redis:
        return redis.asyncio.Redis(
            host=LOOPBACK, port=self.sentinel_port, decode_responses=True, socket_timeout=5
        )


@contextlib.asynccontextmanager
async def running_sentinel(program: Path, directory: Path) -> AsyncIterator[SentinelDesk]:
    """Run master, replica and sentinel, ready for a failover when handed out; one sentinel is the quorum."""
    async with (
        running_redis(program, directory / "master") as master,
        running_redis(program, directory / "replica", RedisOptions(replica_of=master.port)) as replica,
    ):
        port, home = free_port(), directory / "sentinel"
        home.mkdir()
        config = home / "sentinel.conf"
        lines = (
            f"port {port}",
            f"bind {LOOPBACK}",
            f'dir "{home}"',
            f"sentinel monitor {SERVICE} {LOOPBACK} {master.port} 1",
            f"sentinel down-after-milliseconds {SERVICE} 1000",
            f"sentinel failover-timeout {SERVICE} 10000",
        )
        config.write_text("".join(f"{line}\n" for line in lines))
        process = ServerProcess("sentinel", [program, config, "--sentinel"], log=home / "sentinel.log")
        async with stopped_at_exit(process):
            process.start()
            desk = SentinelDesk(master, replica, port)
            await process.ready(desk.in_step, within=90)
            yield desk
