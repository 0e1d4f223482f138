from pathlib import Path

import pytest
import redis.asyncio
import redis.exceptions

from tests.servers.fixtures import Require
from tests.servers.redis import RedisOptions, RedisServer, running_redis


async def fill(client: redis.asyncio.Redis) -> None:
    """Write ten megabytes."""
    for n in range(100):
        await client.set(f"k{n}", "x" * 100_000)


async def test_what_was_written_survives_a_kill(redis_server: RedisServer) -> None:
    """A Redis killed with SIGKILL stops answering, and has its data again when started."""
    async with redis_server.client() as client:
        await client.set("a", "1")
    redis_server.kill()
    assert not await redis_server.answers()
    await redis_server.start()
    async with redis_server.client() as client:
        assert await client.get("a") == "1"


async def test_a_paused_redis_answers_again_by_itself(redis_server: RedisServer) -> None:
    """CLIENT PAUSE holds commands beyond a short deadline, then lets them through."""
    await redis_server.pause(1.5)
    assert not await redis_server.answers()
    async with redis_server.client() as client:
        assert await client.ping()


async def test_a_password_and_an_acl_user_are_asked_for(require: Require, tmp_path: Path) -> None:
    """Without the password: refused. An ACL user may do what its rules say and no more."""
    options = RedisOptions(password="s3cret", users={"triage": "on >p@ss ~hb.* +xadd"})
    async with running_redis(require("redis"), tmp_path, options) as server:
        async with redis.asyncio.from_url(f"redis://127.0.0.1:{server.port}") as nobody:
            with pytest.raises(redis.exceptions.AuthenticationError):
                await nobody.ping()
        async with redis.asyncio.from_url(server.url_as("triage", "p@ss")) as user:
            assert await user.xadd("hb.audit.v1", {"payload": "{}"})
            with pytest.raises(redis.exceptions.NoPermissionError):
                await user.get("hb.audit.v1")


async def test_tls_is_spoken_and_the_certificate_checked(require: Require, tmp_path: Path) -> None:
    """The rediss URL works with the server's own certificate as authority."""
    require("openssl")
    async with running_redis(require("redis"), tmp_path, RedisOptions(tls=True)) as server:
        assert server.url.startswith("rediss://")
        assert await server.answers()


async def test_a_full_redis_refuses_writes(require: Require, tmp_path: Path) -> None:
    """With maxmemory reached a write fails with OOM and a read works."""
    options = RedisOptions(maxmemory="3mb")
    async with running_redis(require("redis"), tmp_path, options) as server, server.client() as client:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            await fill(client)
        assert await client.get("k0")


async def test_a_replica_refuses_writes_until_it_is_a_primary_again(
    require: Require, tmp_path: Path, redis_server: RedisServer
) -> None:
    """A replica is READONLY."""
    options = RedisOptions(replica_of=redis_server.port)
    running = running_redis(require("redis"), tmp_path / "replica", options)
    async with running as replica, replica.client() as client:
        with pytest.raises(redis.exceptions.ReadOnlyError):
            await client.set("a", "1")
        await replica.become_replica_of(None)
        assert await client.set("a", "1")
