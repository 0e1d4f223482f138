"""The image that the project's Dockerfile makes, and `deploy/docker-compose.yml` started with it: looked at from inside."""

import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.deploy.conftest import ROOT, BuiltImage
from tests.servers import programs
from tests.servers.desk import COMPOSES, Desk
from tests.servers.docker import CommandError, DockerEngine, run
from tests.servers.fixtures import Require
from tests.servers.http import plain_client
from tests.servers.process import LOOPBACK, eventually, free_port

pytestmark = [pytest.mark.xdist_group("image"), pytest.mark.timeout(1200)]

BOT, AGENT = "hbot-triage", "hbot-triage-agent"
BOT_UID, DESK_UID = 10001, 10002
NETWORKS = ("hbot-monitoring", "hbot-trading")
SETTINGS = {
    "SLACK_BOT_TOKEN": "xoxb-1-1-test",
    "SLACK_APP_TOKEN": "xapp-1-A1-1-test",
    "SLACK_API_URL": "http://slack.invalid/api/",
    "TRIAGE_CHANNEL": "C0000000001",
    "TRIAGE_WEBHOOK_TOKEN": "hook-token-of-the-test",
}
ASK_AGENT = """
import asyncio, os
from bot.agent.remote_containers import RemoteContainers
from bot.agent.client import Wire
found = asyncio.run(RemoteContainers(Wire(os.environ["TRIAGE_AGENT"])).list())
print(*(one.name for one in found))
"""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The two services of deploy/docker-compose.yml beside a desk, and the bot's published port."""

    engine: DockerEngine
    desk: Desk
    port: int

    async def inside(self, container: str, source: str, *, user: str = "") -> str:
        """Run Python in a container, as its own user or another."""
        as_user = ("--user", user) if user else ()
        return await self.engine.docker("exec", *as_user, container, "python", "-c", source, within=120)

    async def alive(self) -> bool:
        """Whether the service answers on the published port."""
        try:
            async with plain_client(timeout=5) as http:
                return (await http.get(f"http://{LOOPBACK}:{self.port}/livez")).is_success
        except httpx.HTTPError:
            return False


async def test_the_image_says_its_version_and_brings_what_actions_call(image: BuiltImage) -> None:
    """As an ordinary user with nothing to write to: the version, and Compose as desk.yaml calls it by default."""
    docker = image.engine.docker
    barely = ("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL")
    assert image.version in await docker(*barely, image.tag, "--version")
    told = await docker(*barely, "--entrypoint", "docker", image.tag, "compose", "version")
    assert "Docker Compose version" in told
    assert await docker(
        *barely, "--entrypoint", "python", image.tag, "-c", "import os; print(os.getuid())"
    ) == str(BOT_UID)


async def test_the_image_holds_no_build_tools_and_no_demo(image: BuiltImage) -> None:
    """What the service does not need is not there for who takes it over."""
    look = "import importlib.util as u; print([n for n in ('demo', 'tests', 'bench', 'tools') if u.find_spec(n)])"
    options = ("run", "--rm", "--network", "none", "--entrypoint", "python")
    assert await image.engine.docker(*options, image.tag, "-c", look) == "[]"
    names = ("pip", "pip-*", "pip3*", "setuptools*", "ensurepip")
    wanted = [word for name in names for word in ("-o", "-name", name)][1:]
    assert await image.engine.docker(*options[:-1], "find", image.tag, "/", "-xdev", *wanted) == ""
    leftovers = "import os; print(os.path.exists('/src'), os.listdir('/app'))"
    assert await image.engine.docker(*options, image.tag, "-c", leftovers) == "False ['var']"


def _lay_out(folder: Path, desk_root: Path) -> Path:
    """Do what the head of deploy/docker-compose.yml says, by its own words where it has any."""
    folder.mkdir()
    shutil.copy(ROOT / "deploy" / "docker-compose.yml", folder)
    example = (ROOT / "deploy" / "desk.example.yaml").read_text()
    for name in ("compose", "env/.env", "data", "backups"):
        example = example.replace(f" ../{name} ", f" {desk_root / name} ")
    (folder / "desk.yaml").write_text(example)
    (folder / "desk.yaml").chmod(0o644)
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines]
    filled = [f"{n}={SETTINGS[n]}" if n in SETTINGS else line for n, line in zip(names, lines, strict=True)]
    (folder / ".env").write_text("\n".join([*filled, ""]))
    key = folder / "audit.key"
    key.write_text(secrets.token_hex(32) + "\n")
    key.chmod(0o400)
    shutil.chown(key, BOT_UID)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployed(
    image: BuiltImage, require: Require, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployed]:
    """Start the two services as they are in deploy/, once for the tests that look at them, and end them."""
    engine, around, port = image.engine, tmp_path_factory.mktemp("deployed"), free_port()
    desk = await Desk.lay_out(around / "desk", engine, redis=require("redis"))
    folder = _lay_out(around / "deploy", desk.root)
    for path in (desk.root, *desk.root.rglob("*")):
        shutil.chown(path, DESK_UID, DESK_UID)
    for name in NETWORKS:
        await engine.docker("network", "create", name)
    environment = {
        **engine.env,
        "DESK_ROOT": str(desk.root),
        "DESK_UID": str(DESK_UID),
        "DESK_GID": str(DESK_UID),
        "DOCKER_GID": str(engine.socket.stat().st_gid),
        "DOCKER_SOCKET": str(engine.socket),
        "TRIAGE_PORT": str(port),
    }
    compose = [str(programs.find("docker-compose-2")), "--project-directory", str(folder)]
    desk.compose_program = COMPOSES[0]  # Compose 2 takes no network of the desk's that it did not make itself
    await desk.up("bot1", profiles=())
    await run(
        [*compose, "up", "-d", "--no-build", "--pull", "never"], env=environment, cwd=folder, within=120
    )
    deployed = Deployed(engine, desk, port)
    try:
        await eventually(deployed.alive, "the service's answer at /livez", within=120)
        yield deployed
    except BaseException:
        for name in (BOT, AGENT):
            print(await engine.docker("logs", name))  # noqa: T201 - pytest shows it beside the failure
        raise
    finally:
        await run([*compose, "down", "--volumes", "--timeout", "5"], env=environment, cwd=folder, within=120)
        await engine.clear()


async def test_the_two_services_are_apart_as_seen_from_inside(deployed: Deployed) -> None:
    """The bot reads the desk's data and reaches the agent; engine, write access and network are where they belong."""
    data = deployed.desk.data
    see = f"""
import json, os, socket
def tried(what):
    try:
        what(); return "done"
    except OSError as error:
        return error.strerror
print(json.dumps({{
    "uid": os.getuid(),
    "engine": os.path.exists("/var/run/docker.sock") or os.path.exists("/run/docker.sock"),
    "host": os.environ.get("DOCKER_HOST", ""),
    "desk": sorted(os.listdir("{deployed.desk.root}")),
    "read": tried(lambda: open("{data}/bot1/conf/conf_client.yml").read()),
    "write": tried(lambda: open("{data}/bot1/conf/new", "w")),
    "root": tried(lambda: open("/app/new", "w")),
    "socket": tried(lambda: open("/run/hbot-triage/new", "w")),
    "nets": sorted(os.listdir("/sys/class/net")),
    "send": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))),
    "key": tried(lambda: open("/run/secrets/audit-key").read()),
    "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")],
}}))
"""
    bot = json.loads(await deployed.inside(BOT, see))
    agent = json.loads(await deployed.inside(AGENT, see))
    assert (bot["uid"], agent["uid"]) == (BOT_UID, DESK_UID)
    assert (bot["engine"], bot["host"]) == (False, "")
    assert agent["engine"] is True
    assert bot["desk"] == ["data"]
    assert (bot["read"], bot["write"]) == ("done", "Read-only file system")
    assert agent["write"] == "done"
    assert bot["root"] == agent["root"] == "Read-only file system"
    assert bot["socket"] == "Read-only file system"
    assert len(bot["nets"]) == 1 + len(NETWORKS)
    assert (agent["nets"], agent["send"]) == (["lo"], "Network is unreachable")
    assert (bot["key"], agent["key"]) == ("done", "No such file or directory")
    assert bot["capabilities"] == agent["capabilities"] == ["0000000000000000"]


async def test_the_health_check_compiles_nothing(deployed: Deployed) -> None:
    """It runs every 15 s: what it imports is there as bytecode."""
    image = (await deployed.engine.inspect(BOT))["Config"]
    how, *words = image["Healthcheck"]["Test"]
    assert how == "CMD"
    told = await deployed.engine.docker("exec", BOT, "sh", "-c", 'exec "$0" -v "$@" 2>&1', *words)
    assert "urllib/__pycache__/request." in told
    assert not [line for line in told.splitlines() if re.fullmatch(r"# code object from /.*\.py", line)]


async def test_the_agent_finds_the_desk_where_desk_yaml_says(deployed: Deployed) -> None:
    """The paths of desk.yaml are the host's, inside too."""
    see = (
        "from pathlib import Path; from bot.desk_file import read_desk; "
        "paths = read_desk('/etc/hbot-triage/desk.yaml', Path('/')).paths; "
        "print(*(each.exists() for each in (paths.compose, paths.env, paths.data, paths.backups)))"
    )
    assert (await deployed.inside(AGENT, see)).split() == ["True"] * 4


async def test_the_agents_socket_answers_the_service_and_nobody_else(deployed: Deployed) -> None:
    """The bot's user is told the desk's containers, not the two services; root in the same container is told nothing."""
    assert (await deployed.inside(BOT, ASK_AGENT)).split() == ["hbot-bot1"]
    with pytest.raises(CommandError, match=r"Permission denied|may not ask"):
        await deployed.inside(BOT, ASK_AGENT, user="0")


async def test_the_audit_trail_is_signed_from_the_first_line(deployed: Deployed) -> None:
    """The key is the service's and of no use to anybody but it; the trail verifies with it."""
    told = await deployed.engine.docker("exec", BOT, "hbot-triage", "audit", "--verify", within=120)
    assert "TRIAGE_AUDIT_KEY_FILE" not in told
    inspected = json.dumps(await deployed.engine.inspect(BOT))
    assert "TRIAGE_AUDIT_KEY_FILE=/run/secrets/audit-key" in inspected
    assert "TRIAGE_AUDIT_KEY=" not in inspected.replace('"TRIAGE_AUDIT_KEY="', "")
