import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.sources.docker.client import Docker, open_docker
from tests.servers.desk import Desk
from tests.servers.docker import CommandError, run
from tests.servers.fixtures import Require
from tests.servers.process import LOOPBACK, ServerProcess, accepts, free_port, stopped_at_exit

CONFIG = Path(__file__).parents[2] / "deploy" / "socket-proxy" / "haproxy.cfg"


@dataclass(frozen=True)
class Proxied:
    """A desk, and the address of the proxy before its engine."""

    desk: Desk
    port: int

    async def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Send one request through the proxy."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            return await http.request(method, f"http://{LOOPBACK}:{self.port}{path}", **arguments)

    async def run(self, *argv: str) -> str:
        """Run docker or docker-compose against the proxy, from the desk's compose folder."""
        env = {**os.environ, "DOCKER_HOST": f"tcp://{LOOPBACK}:{self.port}"}
        return await run(argv, env=env, cwd=self.desk.compose_folder, within=90)

    async def compose(self, *words: str) -> str:
        """Call compose through the proxy."""
        return await self.run(*self.desk.compose_command, "--env-file", "../env/.env", *words)

    async def execute(self, container: str, *argv: str) -> str:
        """Run a command in a container through the API, without upgrading the connection; return its output."""
        asked = {"Cmd": argv, "AttachStdout": True, "AttachStderr": True, "Tty": True}
        made = await self.call("POST", f"/containers/{container}/exec", json=asked)
        start = f"/exec/{made.raise_for_status().json()['Id']}/start"
        return (await self.call("POST", start, json={"Tty": True})).raise_for_status().text

    async def create(
        self, host_config: dict[str, Any], *, name: str = "hbot-new", env: Sequence[str] = ()
    ) -> httpx.Response:
        """Ask for a new container."""
        asked = {"Image": "hbot/service:1", "HostConfig": host_config, "Env": list(env)}
        return await self.call("POST", "/v1.41/containers/create", params={"name": name}, json=asked)


@pytest.fixture
async def proxied(desk: Desk, require: Require, tmp_path: Path) -> AsyncIterator[Proxied]:
    """Run the deployment's own proxy before the test's engine."""
    port = free_port()
    env = {
        "PROXY_BIND": f"{LOOPBACK}:{port}",
        "DOCKER_SOCKET": str(desk.engine.socket),
        "DESK_PREFIX": "hbot-",
        "DESK_ROOT": str(desk.root),
        "CODE_FOLDERS": "/home/hummingbot/controllers",
    }
    argv = [str(require("haproxy")), "-db", "-f", str(CONFIG)]
    process = ServerProcess("haproxy", argv, log=tmp_path / "haproxy.log", env=env)
    async with stopped_at_exit(process):
        process.start()
        await process.ready(lambda: accepts(port))
        yield Proxied(desk, port)


async def test_the_catalogues_calls_pass(proxied: Proxied) -> None:
    """Up, exec, recreate, restart, stop, events and down work through the proxy as without it."""
    await proxied.compose("--profile", "external", "up", "-d", "bot1", "redis", "risk-service")
    before = await proxied.desk.container("bot1")
    http = open_docker(f"tcp://{LOOPBACK}:{proxied.port}")
    code = await Docker(http).files("hbot-bot1", "/home/hummingbot/controllers")
    await http.aclose()
    assert any(file.path.endswith("__pycache__/epp_v2_4.cpython-312.pyc") for file in code)
    cache = "/home/hummingbot/controllers/__pycache__"
    assert ".pyc" in await proxied.execute("hbot-bot1", "ls", cache)
    await proxied.execute("hbot-bot1", "rm", "-rf", cache)
    assert ".pyc" not in await proxied.execute("hbot-bot1", "ls", cache)
    await proxied.compose("up", "-d", "--force-recreate", "bot1")
    after = await proxied.desk.container("bot1")
    assert after["Id"] != before["Id"]
    await proxied.run("docker", "restart", "hbot-bot1")
    await proxied.run("docker", "logs", "hbot-bot1")
    events = await proxied.run("docker", "events", "--since", "10m", "--until", "0s", "--filter", "event=die")
    assert "hbot-bot1" in events
    await proxied.compose("--profile", "external", "stop", "risk-service", "redis")
    assert await proxied.desk.running() == {"bot1"}
    await proxied.compose("--profile", "external", "down")
    assert await proxied.desk.running() == set()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/images/create?fromImage=evil"),
        ("POST", "/v1.41/build"),
        ("DELETE", "/images/hbot/service:1"),
        ("POST", "/containers/prune"),
        ("POST", "/commit?container=hbot-bot1"),
        ("GET", "/containers/hbot-bot1/archive?path=/"),
        ("GET", "/containers/hbot-bot1/archive?path=/home/hummingbot/conf"),
        ("GET", "/containers/hbot-bot1/archive?path=/home/hummingbot/controllers/../conf"),
        ("GET", "/containers/hbot-bot1/archive?path=/home/hummingbot/controllers&path=/"),
        ("GET", "/containers/hbot-bot1/archive?p%61th=/&path=/home/hummingbot/controllers"),
        ("GET", "/containers/hbot-bot1/archive?path=/home/hummingbot/controllers%26path=/"),
        ("GET", "/containers/other/archive?path=/home/hummingbot/controllers"),
        ("PUT", "/containers/hbot-bot1/archive?path=/"),
        ("PUT", "/containers/hbot-bot1/archive?path=/home/hummingbot/controllers"),
        ("GET", "/containers/hbot-bot1/export"),
        ("POST", "/containers/hbot-bot1/update"),
        ("POST", "/containers/other/stop"),
        ("DELETE", "/containers/other"),
        ("POST", "/containers/hbot-bot1/rename?name=other"),
        ("POST", "/swarm/init"),
        ("GET", "/secrets"),
        ("GET", "/v1.41/containers/../secrets"),
        ("GET", "/v1.41/%73ecrets"),
        ("POST", "/volumes/prune"),
        ("DELETE", "/volumes/hbot-data"),
    ],
)
async def test_what_the_catalogue_does_not_need_is_refused(proxied: Proxied, method: str, path: str) -> None:
    """Any other call is a 403 of the proxy's and never reaches the engine."""
    assert (await proxied.call(method, path)).status_code == 403


async def test_a_container_of_the_desk_may_be_created(proxied: Proxied) -> None:
    """An ordinary container, folders of the desk mounted and an & in its environment, passes."""
    binds = [f"{proxied.desk.data}/bot1/data:/home/hummingbot/data:rw"]
    answer = await proxied.create(
        {"Binds": binds, "Privileged": False, "CapAdd": None}, env=["A=1&2", "PATH=/bin:/sbin"]
    )
    assert answer.status_code == 201
    # Go's JSON writes & as an escape.
    escaped = json.dumps({"Image": "hbot/service:1", "Env": ["A=1&2"]}).replace("&", "\\u0026")
    answer = await proxied.call("POST", "/containers/create?name=hbot-two", content=escaped, headers=JSON)
    assert answer.status_code == 201


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "host_config",
    [
        {"Privileged": True},
        {"privileged": True},
        {"PidMode": "host"},
        {"NetworkMode": "container:hbot-redis"},
        {"CapAdd": ["SYS_ADMIN"]},
        {"SecurityOpt": ["apparmor=unconfined"]},
        {"Devices": [{"PathOnHost": "/dev/sda"}]},
        {"Binds": ["/:/host"]},
        {"Binds": ["/var/run:/run"]},
        {"Binds": ["/var/run/docker.sock:/s"]},
        {"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x"}]},
        {"Mounts": [{"Type": "volume", "VolumeOptions": {"DriverConfig": {"Options": {"device": "/"}}}}]},
    ],
)
async def test_a_container_that_reaches_for_the_host_is_refused(
    proxied: Proxied, host_config: dict[str, Any]
) -> None:
    """No privilege, host namespace, capability, device, or folder from outside the desk."""
    assert (await proxied.create(host_config)).status_code == 403


async def test_the_desks_folder_is_not_a_way_out(proxied: Proxied) -> None:
    """A path that climbs out of the desk's folder, or only begins like it, is refused."""
    root = proxied.desk.root
    for bind in (f"{root}/../../etc:/x", f"{root}/..:/x", f"{root}-other:/x"):
        assert (await proxied.create({"Binds": [bind]})).status_code == 403


async def test_escapes_and_pieces_do_not_hide_a_body(proxied: Proxied) -> None:
    """Unicode and slash escapes, chunked and over-long bodies are refused: they could not be judged."""
    where = "/containers/create?name=hbot-new"

    async def status(content: Any) -> int:  # noqa: ANN401 - bytes or a stream of them
        return (await proxied.call("POST", where, content=content, headers=JSON)).status_code

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"Image": "hbot/service:1", '
        yield b'"HostConfig": {}}'

    assert await status(b'{"HostConfig": {"\\u0050rivileged": true}}') == 403
    assert await status(b'{"HostConfig": {"Binds": ["\\/etc:\\/x"]}}') == 403
    assert await status(pieces()) == 403
    assert await status(json.dumps({"Image": "x", "Env": ["A=" + "x" * 70_000]}).encode()) == 403


async def test_names_outside_the_desk_are_refused(proxied: Proxied) -> None:
    """A container is created under a name of the desk, or not at all."""
    assert (await proxied.create({}, name="other")).status_code == 403
    assert (
        await proxied.call("POST", "/containers/create", json={"Image": "hbot/service:1"})
    ).status_code == 403


async def test_a_privileged_exec_is_refused(proxied: Proxied) -> None:
    """An exec runs with the container's own rights."""
    await proxied.desk.up("bot1", profiles=())
    with pytest.raises(CommandError, match="403"):
        await proxied.run("docker", "exec", "--privileged", "hbot-bot1", "true")


async def test_a_volume_cannot_mount_a_host_folder(proxied: Proxied) -> None:
    """A plain volume is made; one whose driver is told a device is not."""
    options = {"type": "none", "o": "bind", "device": "/"}
    refused = await proxied.call("POST", "/volumes/create", json={"Name": "hbot-v", "DriverOpts": options})
    assert refused.status_code == 403
    assert (await proxied.call("POST", "/volumes/create", json={"Name": "hbot-v"})).status_code == 201
