import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.demo.desk.operators import CACHES, Operator


@pytest.fixture
async def api(operator: Operator) -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client on the engine's socket."""
    connector = aiohttp.UnixConnector(str(operator.desk.docker_socket))
    async with aiohttp.ClientSession("http://docker", connector=connector) as session:
        yield session


async def test_docker_ps_lists_the_desk(operator: Operator) -> None:
    """The real client sees every container; a stopped one only with --all; filters work."""
    code, out, _ = await operator.docker("ps", "--format", "{{.Names}} {{.State}}")
    assert code == 0
    assert "hbot-bot1 running" in out.splitlines()
    assert len(out.splitlines()) == len(operator.world.engine.containers)
    assert (await operator.docker("stop", "hbot-bot3"))[0] == 0
    assert "hbot-bot3" not in (await operator.docker("ps"))[1]
    _, out, _ = await operator.docker(
        "ps", "-a", "--filter", "status=exited", "--format", "{{.Names}} {{.Status}}"
    )
    assert out.startswith("hbot-bot3 Exited (0)")
    label = "label=com.docker.compose.service=redis"
    assert (await operator.docker("ps", "-q", "--no-trunc", "--filter", label))[1].strip() in {
        container.id for container in operator.world.engine.containers.values()
    }


async def test_docker_inspect_shows_what_triage_needs(operator: Operator) -> None:
    """State, restarts, health, image, limits; and an unknown container is an error."""
    code, out, _ = await operator.docker("inspect", "hbot-redis")
    assert code == 0
    [shown] = json.loads(out)
    assert shown["State"]["Health"]["Status"] == "healthy"
    assert shown["State"]["StartedAt"].startswith("2026-02-20T14:06:40")
    assert shown["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    code, _, err = await operator.docker("inspect", "hbot-nope")
    assert code == 1
    assert "No such" in err


async def test_docker_exec_clears_and_lists_bytecode(operator: Operator) -> None:
    """Find sees the .pyc files, rm -rf removes their folders, and the folders are gone on the host too."""
    find = (
        "exec",
        "hbot-bot1",
        "find",
        "/home/hummingbot/controllers",
        "-name",
        "*.pyc",
        "-printf",
        "%T@ %p\\n",
    )
    _, out, _ = await operator.docker(*find)
    assert len(out.splitlines()) == 2
    assert (await operator.docker("exec", "hbot-bot1", "rm", "-rf", *CACHES))[0] == 0
    assert (await operator.docker(*find))[1] == ""
    assert not list(operator.world.layout.controllers("bot1").rglob("__pycache__"))
    code, _, err = await operator.docker("exec", "hbot-bot1", "ls", CACHES[0])
    assert code == 2
    assert "No such file or directory" in err


@pytest.mark.parametrize(
    ("command", "code", "out"),
    [
        (("test", "-d", CACHES[0]), 0, ""),
        (("test", "-d", "/home/hummingbot/nope"), 1, ""),
        (("stat", "-c", "%F", CACHES[0]), 0, "directory\n"),
        (("sh", "-c", "echo a && test -f /nope ; echo b"), 0, "a\nb\n"),
        (
            ("find", "/home/hummingbot/controllers", "-maxdepth", "1", "-type", "f"),
            0,
            "/home/hummingbot/controllers/epp_v2_4.py\n",
        ),
        (("frobnicate",), 127, None),
    ],
)
async def test_a_command_in_a_container_answers_like_its_program(
    operator: Operator, command: tuple[str, ...], code: int, out: str | None
) -> None:
    """Exit codes and output come through the real client."""
    got, said, _ = await operator.docker("exec", "hbot-bot1", *command)
    assert got == code
    if out is not None:
        assert said == out


async def test_nothing_outside_the_mounts_can_be_touched(operator: Operator) -> None:
    """A path that climbs out of its mount is not there."""
    target = "/home/hummingbot/conf/../../../../../etc/passwd"
    code, out, _ = await operator.docker("exec", "hbot-bot1", "cat", target)
    assert (code, out) == (1, "")
    await operator.docker("exec", "hbot-bot1", "rm", "-rf", "/home/hummingbot/conf/../..")
    assert operator.world.layout.compose_file.exists()


async def test_docker_events_replays_and_streams(operator: Operator) -> None:
    """Events since a time come first, then live ones, with names and exit codes; filters hold."""
    since = f"{operator.world.clock.now() - 1:.0f}"
    await operator.docker("kill", "hbot-bot3")
    process = await asyncio.create_subprocess_exec(
        *("docker", "-H", operator.desk.docker_url, "events", "--since", since, "--format", "{{json .}}"),
        *("--filter", "type=container", "--filter", "event=die", "--filter", "event=start"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        died = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        assert (died["Action"], died["Actor"]["Attributes"]["exitCode"]) == ("die", "137")
        await operator.docker("start", "hbot-bot3")
        started = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        assert (started["Action"], started["Actor"]["Attributes"]["name"]) == ("start", "hbot-bot3")
    finally:
        process.kill()
        await process.communicate()


async def test_events_end_at_until(operator: Operator, api: aiohttp.ClientSession) -> None:
    """A bounded question gets its answer and the end of the stream."""
    now = operator.world.clock.now()
    async with api.get("/v1.41/events", params={"since": f"{now - 7_200}", "until": f"{now}"}) as response:
        events = [json.loads(line) async for line in response.content]
    assert {event["Action"] for event in events} >= {"create", "start", "health_status: healthy"}
    assert all(event["timeNano"] <= now * 1e9 for event in events)


async def test_the_api_answers_with_and_without_a_version(api: aiohttp.ClientSession) -> None:
    """Both paths are the same engine, and errors are JSON with a message."""
    for prefix in ("", "/v1.41", "/v1.47"):
        async with api.get(f"{prefix}/_ping") as response:
            assert await response.text() == "OK"
            assert response.headers["Api-Version"] == "1.47"
        async with api.get(f"{prefix}/containers/hbot-bot1/json") as response:
            assert (await response.json())["Name"] == "/hbot-bot1"
    async with api.post("/containers/nope/start") as response:
        assert response.status == 404
        assert await response.json() == {"message": "No such container: nope"}
    async with api.get("/containers/json", params={"filters": "{"}) as response:
        assert response.status == 400


async def test_an_exec_without_upgrade_is_a_framed_stream(
    api: aiohttp.ClientSession, operator: Operator
) -> None:
    """Plain HTTP clients get the multiplexed frames and then the exit code; a stopped container refuses."""
    async with api.post(
        "/containers/hbot-bot1/exec", json={"Cmd": ["echo", "hi"], "AttachStdout": True}
    ) as response:
        execution = (await response.json())["Id"]
    async with api.post(f"/exec/{execution}/start", json={"Detach": False, "Tty": False}) as response:
        assert await response.read() == b"\x01\x00\x00\x00\x00\x00\x00\x03hi\n"
    async with api.get(f"/exec/{execution}/json") as response:
        assert (await response.json())["ExitCode"] == 0
    await operator.docker("stop", "hbot-bot1")
    async with api.post("/containers/hbot-bot1/exec", json={"Cmd": ["echo", "hi"]}) as response:
        assert response.status == 409


async def test_an_archive_holds_a_mounted_file(api: aiohttp.ClientSession) -> None:
    """GET archive gives a tar with the file's own time."""
    path = "/home/hummingbot/controllers/epp_v2_4.py"
    async with api.get("/containers/hbot-bot1/archive", params={"path": path}) as response:
        with tarfile.open(fileobj=io.BytesIO(await response.read())) as archive:
            assert archive.getnames() == ["epp_v2_4.py"]
        assert response.headers["X-Docker-Container-Path-Stat"]


async def test_images_logs_and_stats_read_like_docker(operator: Operator) -> None:
    """The real client prints the releases, the last log lines and the memory of a bot."""
    _, out, _ = await operator.docker("images", "hummingbot/hummingbot", "--format", "{{.Tag}}")
    assert out.split() == ["version-2.3.0", "version-2.4.0", "version-2.5.0"]
    code, out, err = await operator.docker("logs", "--tail", "1", "hbot-bot1")
    assert (code, len((out + err).splitlines())) == (0, 1)
    _, out, _ = await operator.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", "hbot-bot1")
    assert out.strip().endswith("1GiB")
    code, _, err = await operator.docker("rm", "hbot-bot1")
    assert code == 1
    assert "container is running" in err


async def test_the_exporter_serves_each_job_and_503_for_a_hung_one(operator: Operator) -> None:
    """What a real Prometheus would scrape."""
    url = f"http://127.0.0.1:{operator.desk.exporter.port}/cadvisor/metrics"
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert "container_last_seen" in await response.text()
        container = operator.world.engine.find("hbot-cadvisor")
        assert container is not None
        container.hung = True
        async with session.get(url) as response:
            assert response.status == 503
