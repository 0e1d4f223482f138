import tarfile
import time
from pathlib import Path

import pytest
import redis.asyncio

from tests.servers.desk import BACKUP_DAYS, IMAGES, Desk
from tests.servers.docker import CommandError, DockerEngine
from tests.servers.process import eventually

ALWAYS = {
    "bot1",
    "bot-metrics-exporter",
    "prometheus",
    "grafana",
    "node-exporter",
    "cadvisor",
    "loki",
    "promtail",
}
EXTERNAL = {"redis", "signal-service", "risk-service", "coordination-service"}
CACHES = [
    "/home/hummingbot/controllers/__pycache__",
    "/home/hummingbot/controllers/market_making/__pycache__",
]


async def logs(desk: Desk, bot: str, text: str, times: int = 1) -> None:
    """Wait until a bot has logged a text so many times."""

    async def said() -> bool:
        file = desk.data / bot / "logs" / "logs_bot.log"
        return file.exists() and desk.log(bot).count(text) >= times

    await eventually(said, f"{text!r} in the log of {bot}")


async def test_profiles_choose_the_services_and_redis_answers(desk: Desk) -> None:
    """Up with both profiles runs all of them; Redis is a real one, reached from outside."""
    await desk.up()
    assert await desk.running() == ALWAYS | EXTERNAL | {"bot2"}
    async with redis.asyncio.from_url(desk.redis_url) as client:
        assert await client.ping()
    assert (await desk.container("redis"))["State"]["Health"]["Status"] == "healthy"

    await desk.compose("stop", "signal-service", "risk-service", "coordination-service", "redis")
    assert await desk.running() == ALWAYS | {"bot2"}
    await desk.compose("down")
    assert await desk.running() == set()


async def test_bytecode_outlives_a_restart_but_not_a_recreate(desk: Desk) -> None:
    """A newly deployed controller is not loaded by a restart; clearing and recreating gives a new container that does."""
    await desk.up("bot1", profiles=())
    await logs(desk, "bot1", "loaded controllers: # release 1")
    before = (await desk.container("bot1"))["Id"]

    desk.write_controller("# release 2\n")
    await desk.engine.docker("restart", "hbot-bot1")
    await logs(desk, "bot1", "loaded controllers: # release 1", times=2)

    listed = await desk.engine.docker("exec", "hbot-bot1", "ls", *CACHES)
    assert listed.count(".pyc") == 2
    await desk.engine.docker("exec", "hbot-bot1", "rm", "-rf", *CACHES)
    with pytest.raises(CommandError, match="No such file"):
        await desk.engine.docker("exec", "hbot-bot1", "ls", *CACHES)

    await desk.compose("up", "-d", "--force-recreate", "bot1", profiles=())
    await logs(desk, "bot1", "loaded controllers: # release 2")
    assert (await desk.container("bot1"))["Id"] != before


async def test_the_image_is_the_one_env_names(desk: Desk) -> None:
    """Changing HUMMINGBOT_IMAGE and recreating runs the other image."""
    await desk.up("bot1", profiles=())
    desk.set_env("HUMMINGBOT_IMAGE", IMAGES[1])
    await desk.compose("up", "-d", "--force-recreate", "bot1", profiles=())
    await logs(desk, "bot1", "image v2 started")
    assert (await desk.container("bot1"))["Config"]["Image"] == IMAGES[1]


async def test_a_crashing_bot_loops_and_the_engine_tells(desk: Desk) -> None:
    """Restart counts rise, each death is an event with its exit code; without the trouble it stays up."""
    since = time.time()
    await desk.up("bot1", profiles=())
    crash = desk.trouble("bot1", "crash")

    async def looping() -> bool:
        return int((await desk.container("bot1"))["RestartCount"]) >= 3

    await eventually(looping, "a third restart", within=20)
    crash.unlink()
    deaths = await desk.engine.events(since, time.time(), "die")
    assert len(deaths) >= 3
    assert {death["Actor"]["Attributes"]["exitCode"] for death in deaths} == {"1"}


async def test_a_bot_that_takes_too_much_memory_is_killed_as_such(desk: Desk) -> None:
    """The engine reports the oom event and OOMKilled."""
    since = time.time()
    await desk.up("bot1", profiles=())
    desk.trouble("bot1", "oom")

    async def told() -> bool:
        return bool(await desk.engine.events(since, time.time(), "oom"))

    await eventually(told, "an oom event", within=20)


async def test_containers_of_a_killed_engine_run_on_unwatched(
    docker_engine: DockerEngine, desk: Desk
) -> None:
    """After a crash of the daemon nothing answers but the bot's process lives; a new start ends it, and it can be run."""
    await desk.up("bot1", profiles=())
    process = Path("/proc") / str((await desk.container("bot1"))["State"]["Pid"])
    docker_engine.kill()
    with pytest.raises(CommandError):
        await docker_engine.docker("ps")
    assert process.exists()
    await docker_engine.start()
    assert (await desk.container("bot1"))["State"]["Status"] == "exited"
    await desk.up("bot1", profiles=())
    assert await desk.running() == {"bot1"}


async def test_containers_come_back_with_a_restarted_engine(docker_engine: DockerEngine, desk: Desk) -> None:
    """A restart of the daemon stops the bot and, by its restart policy, starts it again in the same container."""
    await desk.up("bot1", profiles=())
    before = await desk.container("bot1")
    await docker_engine.restart()

    async def back() -> bool:
        return "bot1" in await desk.running()

    await eventually(back, "bot1 running again")
    after = await desk.container("bot1")
    assert after["Id"] == before["Id"]
    assert after["State"]["Pid"] != before["State"]["Pid"]


async def test_backups_hold_what_a_rollback_returns_to(desk: Desk) -> None:
    """A bot has one archive a night with its four folders and no logs."""
    archives = sorted(desk.backups.glob("bot1_*.tar.gz"))
    assert [path.name for path in archives] == [f"bot1_{day}_040000.tar.gz" for day in BACKUP_DAYS]
    with tarfile.open(archives[0]) as tar:
        parts = {Path(name).parts[:2] for name in tar.getnames()}
    wanted = {("bot1", part) for part in ("conf", "data", "scripts", "pmm_scripts")}
    assert parts == wanted


async def test_env_has_every_key_of_its_template(desk: Desk) -> None:
    """The desk starts from a complete .env."""
    keys = [
        {
            line.partition("=")[0]
            for line in (desk.env_file.parent / name).read_text().splitlines()
            if "=" in line
        }
        for name in (".env", ".env.template")
    ]
    assert keys[0] == keys[1]
