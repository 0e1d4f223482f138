"""The Docker adapter and the checks that use it, against a real Docker Engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from bot.agent.engine import Engine
from bot.sources.opening import open_sources
from tests.fakes.sources import FakeSources
from tests.servers.docker import DockerEngine
from tests.servers.images import rootfs
from tests.servers.process import eventually
from tests.servers.programs import find
from triage.desk import Desk
from triage.diagnosis.checks import bytecode, changes, container
from triage.diagnosis.checks.base import CheckContext
from triage.errors import SourceError, SourceRejected, SourceTimeout, SourceUnreachable
from triage.model import Finding, FindingStatus
from triage.ports.sources import ContainerEvent, Containers, FileStat, Sources

IMAGE = "hbot-contract:1"
LOOP = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


@pytest.fixture
async def engine(docker_engine: DockerEngine) -> DockerEngine:
    """Give an engine that has a small image with a shell."""
    if IMAGE not in await docker_engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}"):
        busybox = find("busybox")
        assert busybox is not None
        await docker_engine.import_image(IMAGE, rootfs(busybox))
    return docker_engine


@pytest.fixture(params=["service", "agent"])
async def containers(engine: DockerEngine, request: pytest.FixtureRequest) -> AsyncIterator[Containers]:
    """Give the service's adapter and the agent's small one, over the engine's socket."""
    if request.param == "agent":
        yield Engine(engine.host)
        return
    async with open_sources(docker_host=engine.host) as sources:
        yield sources.containers


@pytest.fixture
def agent(engine: DockerEngine) -> Engine:
    """Give the agent's adapter, which alone runs commands in containers."""
    return Engine(engine.host)


async def start(engine: DockerEngine, name: str, *command: str, options: tuple[str, ...] = ()) -> None:
    """Run a container in the background."""
    words = ("run", "--detach", "--network", "none", "--name", name, *options, IMAGE, *(command or LOOP))
    await engine.docker(*words)


def context(containers: Containers) -> CheckContext:
    """Ask about bot1 now; all other sources are fakes."""
    fakes = FakeSources()
    sources = Sources(
        metrics=fakes.metrics,
        logs=fakes.logs,
        alerts=fakes.alerts,
        containers=containers,
        streams=fakes.streams,
    )
    now = datetime.now(UTC)
    return CheckContext(
        desk=Desk(), sources=sources, now=now, since=now, bots=("bot1",), containers=("hbot-bot1",)
    )


async def test_a_running_container_is_described(engine: DockerEngine, containers: Containers) -> None:
    """Inspect and list agree on what both know."""
    await start(engine, "hbot-bot1", options=("--label", "desk=x"))
    state = await containers.inspect("hbot-bot1")
    assert state is not None
    assert (state.name, state.status, state.running, state.image) == ("hbot-bot1", "running", True, IMAGE)
    assert (state.restart_count, state.oom_killed, state.health) == (0, False, "")
    assert state.started_at is not None
    assert abs(datetime.now(UTC) - state.started_at) < timedelta(minutes=1)
    assert state.finished_at is None
    assert state.labels["desk"] == "x"
    (listed,) = await containers.list()
    assert (listed.name, listed.id, listed.status) == (state.name, state.id, "running")
    assert await containers.inspect("hbot-nobody") is None
    await containers.ready()


async def test_a_hostile_name_asks_for_nothing_else(containers: Containers, agent: Engine) -> None:
    """The engine would unquote and clean the path: such a name is never sent."""
    for name in ("../images/json?x=", "a/../../version", "hbot-bot1/top", ""):
        assert await containers.inspect(name) is None
        with pytest.raises(SourceRejected, match="cannot be a container's name"):
            await agent.exec(name, ["true"])
        with pytest.raises(SourceRejected, match="cannot be a container's name"):
            await containers.files(name, "/etc")


async def test_the_files_of_a_folder_are_listed_without_a_command(
    engine: DockerEngine, containers: Containers, agent: Engine
) -> None:
    """Path, time and size; links are left out; a container that does not run has them too; no folder is no file."""
    await start(engine, "hbot-bot1")
    prepare = "mkdir -p /code/x/y && cd /code && printf 123 > 'x/y/a b.py' && touch -d '2026-01-01 00:00:05' 'x/y/a b.py'"
    assert (await agent.exec("hbot-bot1", ["sh", "-c", f"{prepare} && ln -s /etc link"])).exit_code == 0
    expected = (FileStat("/code/x/y/a b.py", datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC), 3),)
    assert await containers.files("hbot-bot1", "/code") == expected
    assert await containers.files("hbot-bot1", "/no-such-folder") == ()
    await engine.docker("stop", "--time", "1", "hbot-bot1")
    assert await containers.files("hbot-bot1", "/code") == expected
    with pytest.raises(SourceRejected, match="No such container"):
        await containers.files("hbot-nobody", "/code")


@pytest.mark.parametrize("terminal", [(), ("--tty",)])
async def test_the_last_lines_of_a_container_come_back_masked(
    engine: DockerEngine, containers: Containers, agent: Engine, terminal: tuple[str, ...]
) -> None:
    """Both streams with their times, with and without a terminal; what is older and what is too much is left out."""
    said = "echo one; echo password=hollybush93 >&2; sleep 300"
    await start(engine, "hbot-bot1", "sh", "-c", said, options=terminal)
    since = datetime.now(UTC) - timedelta(minutes=5)

    async def both_said() -> bool:
        return len((await containers.last_lines("hbot-bot1", since=since)).lines) == 2

    await eventually(both_said, "the container's lines")
    for port in (containers, agent):
        found = await port.last_lines("hbot-bot1", since=since)
        assert sorted(line.text for line in found.lines) == ["one", "password=***"]
        assert all(since < line.at <= datetime.now(UTC) for line in found.lines)
        assert not found.truncated
        assert (await port.last_lines("hbot-bot1", since=datetime.now(UTC) + timedelta(hours=1))).lines == ()
        with pytest.raises(SourceRejected, match="No such container"):
            await port.last_lines("hbot-nobody", since=since)
        with pytest.raises(SourceRejected, match="cannot be a container's name"):
            await port.last_lines("../images/json?x=", since=since)


async def test_a_command_s_output_and_code_come_back(engine: DockerEngine, agent: Engine) -> None:
    """Both streams, no shell: an argument is an argument."""
    await start(engine, "hbot-bot1")
    result = await agent.exec("hbot-bot1", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert result.exit_code == 3
    assert sorted(result.output.split()) == ["err", "out"]
    plain = await agent.exec("hbot-bot1", ["echo", "a; rm -rf / $HOME `id`"])
    assert plain.output == "a; rm -rf / $HOME `id`\n"
    missing = await agent.exec("hbot-bot1", ["no-such-program"])
    assert missing.exit_code in {126, 127}


async def test_a_flood_of_output_is_cut(engine: DockerEngine, agent: Engine) -> None:
    """What is over the limit is dropped, and said."""
    await start(engine, "hbot-bot1")
    result = await agent.exec("hbot-bot1", ["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"])
    assert result.truncated
    assert len(result.output) == 256 * 1024


async def test_a_command_that_does_not_end_times_out(engine: DockerEngine, agent: Engine) -> None:
    """The limit is the whole command's."""
    await start(engine, "hbot-bot1")
    with pytest.raises(SourceTimeout, match=r"did not end within 0\.5 s"):
        await agent.exec("hbot-bot1", ["sleep", "20"], timeout_seconds=0.5)


async def test_a_command_in_a_stopped_container_is_rejected(engine: DockerEngine, agent: Engine) -> None:
    """409 with the engine's words."""
    await start(engine, "hbot-bot1")
    await engine.docker("stop", "--time", "1", "hbot-bot1")
    with pytest.raises(SourceRejected, match="is not running"):
        await agent.exec("hbot-bot1", ["true"])


async def test_events_of_the_past_and_of_now(
    engine: DockerEngine, containers: Containers, agent: Engine
) -> None:
    """From `since` on, then live; our own execs are not among them."""
    name = f"hbot-events-{type(containers).__name__}"
    before = datetime.now(UTC) - timedelta(seconds=1)
    await start(engine, name)
    await agent.exec(name, ["true"])
    found: list[ContainerEvent] = []

    async def read() -> None:
        async with aclosing(containers.events(since=before)) as events:  # type: ignore[type-var] # a generator
            async for event in events:
                if event.container == name:
                    found.append(event)  # noqa: PERF401 - what came so far is looked at meanwhile

    async def died() -> bool:
        if reading.done():
            reading.result()  # what ended it says more than that the event did not come
        return any(event.action == "die" for event in found)

    reading = asyncio.create_task(read())
    try:
        await engine.docker("kill", "--signal", "KILL", name)
        await eventually(died, "the event of its death", within=60)
    finally:
        reading.cancel()
        await asyncio.wait({reading})
    assert [event.action for event in found] == ["create", "start", "kill", "die"]
    assert {(event.container, event.image) for event in found} == {(name, IMAGE)}
    assert (found[2].signal, found[3].exit_code) == ("9", 137)
    assert found[0].time_ns < found[3].time_ns
    past = await containers.history(since=before, until=datetime.now(UTC))
    assert [event.action for event in past if event.container == name] == [
        "create",
        "start",
        "kill",
        "die",
    ]


async def test_an_engine_that_goes_away_ends_the_events_with_an_error(
    engine: DockerEngine, containers: Containers
) -> None:
    """The reader shall connect again, with `since`."""
    events = aiter(containers.events(since=datetime.now(UTC)))
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.3)
    engine.kill()
    with pytest.raises(SourceUnreachable):
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(SourceUnreachable, match=r"docker\.sock"):
        await containers.list()
    await engine.start()
    await containers.ready()


async def test_the_container_check_sees_a_restart_loop(engine: DockerEngine, containers: Containers) -> None:
    """Exact from the engine: restarts, exit code, loop."""
    await start(engine, "hbot-bot1", "sh", "-c", "exit 7", options=("--restart", "always"))

    findings: list[Finding] = []

    async def looping() -> bool:  # between two lives of it, the engine is asked of one that is gone
        findings.append(await container.run(context(containers)))
        # The name's containers of earlier tests count among its exits: critical can come before its own first exit.
        return findings[-1].status is FindingStatus.CRITICAL and "exit code 7" in findings[-1].headline

    await eventually(looping, "a loop of exit code 7", within=30, every=0.2)
    finding = findings[-1]
    assert finding.data["containers"]["hbot-bot1"]["looping"]
    assert finding.source == "Docker"
    assert finding.headline.startswith("restart loop")


async def test_the_changes_check_sees_a_new_image(engine: DockerEngine, containers: Containers) -> None:
    """A recreated container with another image is the first suspect."""
    await start(engine, "hbot-bot1")
    await engine.docker("tag", IMAGE, "hbot-contract:2")
    await engine.docker("rm", "--force", "hbot-bot1")
    await engine.docker(
        "run", "--detach", "--network", "none", "--name", "hbot-bot1", "hbot-contract:2", *LOOP
    )
    finding = await changes.run(context(containers))
    assert finding.status is FindingStatus.WARNING
    assert "new image hbot-contract:2 (was hbot-contract:1)" in finding.headline
    await engine.docker("stop", "--time", "1", "hbot-bot1")
    assert (await changes.run(context(containers))).data["down"] == ["hbot-bot1"]


async def test_the_bytecode_check_sees_a_controller_newer_than_its_bytecode(
    engine: DockerEngine, containers: Containers, agent: Engine
) -> None:
    """The times come from the archive of a real container."""
    await start(engine, "hbot-bot1")
    folder = "/home/hummingbot/controllers"
    prepare = (
        f"mkdir -p {folder}/__pycache__ {folder}/market_making/__pycache__; cd {folder}; "
        "echo 1 > market_making/epp_v2_4.py; touch -d '2026-01-01 00:00' market_making/epp_v2_4.py; "
        "echo 1 > market_making/__pycache__/epp_v2_4.cpython-311.pyc"
    )
    assert (await agent.exec("hbot-bot1", ["sh", "-c", prepare])).exit_code == 0
    clean = await bytecode.run(context(containers))
    assert (clean.status, clean.headline) == (FindingStatus.OK, "runs the code on its disk")
    newer = f"touch -d '2037-01-01 00:00' {folder}/market_making/epp_v2_4.py"
    assert (await agent.exec("hbot-bot1", ["sh", "-c", newer])).exit_code == 0
    stale = await bytecode.run(context(containers))
    assert stale.status is FindingStatus.WARNING
    bot = stale.data["bots"]["bot1"]
    assert bot["controller_stale"] is True
    assert bot["newer_than_process"] == bot["newer_than_bytecode"] == [f"{folder}/market_making/epp_v2_4.py"]


async def test_the_bytecode_check_does_not_guess(engine: DockerEngine, containers: Containers) -> None:
    """No container, no controllers: an error of the source, with its reason."""
    with pytest.raises(SourceError):
        await bytecode.run(context(containers))
    await start(engine, "hbot-bot1")
    with pytest.raises(SourceError, match="no controller files found in hbot-bot1"):
        await bytecode.run(context(containers))
