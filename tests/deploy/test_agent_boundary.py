"""Six ways that led from a Docker socket proxy to root on the host, tried on the agent's socket beside a real engine.

Each is sent as it was sent to the proxy, and again in the form of a request of the agent's. The engine's whole state and
every file, of the desk and beside it, must be the same afterwards.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_fuzz
from hypothesis import strategies as st

from bot.agent import protocol as p
from bot.agent.remote_desk import remote_access
from tests.bot.agent.apart import Apart, agent_apart
from tests.bot.agent.test_server import EXAMPLES, requests, said, state_of
from tests.servers.desk import Desk
from tests.triage.actions.bench import settings
from triage.errors import DeskFailure, Refused
from triage.plans.agent_orders import ComposeOrder
from triage.ports.actions import ShownPlan

TOKEN = "1" * 24


TOLD = ("Id", "Name", "Image", "Config", "HostConfig", "Mounts", "ExecIDs", "RestartCount")


def _running(container: dict[str, Any]) -> list[object]:
    return [container["State"][name] for name in ("Status", "Pid", "StartedAt", "ExitCode")]


def _ordered(value: Any) -> Any:  # noqa: ANN401 - what JSON can be
    """Put every list in one order: the engine tells mounts and the like in any."""
    if isinstance(value, dict):
        return {name: _ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_ordered(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


@dataclass(frozen=True)
class Boundary:
    """A desk with a bot that runs, an agent beside it, and a file of the host's that nobody may touch."""

    desk: Desk
    apart: Apart
    host: Path

    async def state(self) -> dict[str, str]:
        """Return what there is: containers with all their settings, images, volumes, networks, files."""
        docker = self.desk.engine.docker
        ids = (await docker("ps", "-aq", "--no-trunc")).split()
        shown = json.loads(await docker("inspect", *ids)) if ids else []
        kept = [{name: each[name] for name in TOLD} | {"State": _running(each)} for each in shown]
        found = {
            "containers": json.dumps(_ordered(kept), sort_keys=True),
            "images": await docker(
                "images", "-a", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"
            ),
            "volumes": await docker("volume", "ls"),
            "networks": await docker("network", "ls", "--no-trunc"),
            "host": state_of(self.host),
        }
        found = {name: "\n".join(sorted(text.splitlines())) for name, text in found.items()}
        for folder in ("compose", "env", "backups", "data/bot2"):
            found[folder] = state_of(self.desk.root / folder)
        return found


@pytest.fixture
async def boundary(desk: Desk, tmp_path: Path) -> AsyncIterator[Boundary]:
    """Run bot1 and an agent; `host` is what lies outside the desk's folder."""
    await desk.up("bot1", profiles=())
    host = tmp_path / "host"
    host.mkdir()
    (host / "shadow").write_text("root:secret\n")
    async with agent_apart(
        settings(desk.root, desk.compose_command), tmp_path, docker_host=desk.engine.host
    ) as apart:
        yield Boundary(desk, apart, host)


def http(method: str, path: str, body: object = None, *, raw: bytes | None = None) -> bytes:
    """Return a request as the proxy was sent it."""
    content = raw if raw is not None else json.dumps(body or {}, ensure_ascii=False).encode()
    kind = "Content-Type: application/json"
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def framed(content: bytes) -> bytes:
    """Return bytes as the content of a frame."""
    return len(content).to_bytes(4, "big") + content


def exploits(desk: Desk, host: Path) -> dict[str, list[bytes]]:
    """Return the attacks: each as raw HTTP, as a frame that holds it, and as something like a request."""
    image = "hbot/service:1"
    bind = [f"{host}:/host"]
    link = desk.data / "bot1" / "data" / "link"

    def create(config: dict[str, Any], query: str = "name=hbot-new") -> bytes:
        return http("POST", f"/v1.41/containers/create?{query}", {"Image": image, "Cmd": ["sh"], **config})

    def confirm(order: dict[str, Any], **more: Any) -> bytes:  # noqa: ANN401 - whatever JSON can be
        request = {
            "ask": "confirm",
            "action": TOKEN,
            "kind": "recreate",
            "target": "bot1",
            "orders": [[1, order]],
        }
        return p.frame({**request, "rest": "0" * 64, "actor": "U1", "reason": "x", **more})

    archive = {"before_rollback": False, "sha256": "0" * 64}
    recreate = {"order": "compose", "verb": "recreate", "service": "bot1", "external": True}
    folded = json.dumps(
        {"Image": image, "Ho\u017ftConfig": {"Privileged": True, "Binds": bind}, "\u212aind": 1},
        ensure_ascii=False,
    ).encode()
    return {
        "folded keys": [
            http("POST", "/containers/create?name=hbot-new", raw=folded),
            framed(folded),
            confirm({**recreate, "\u017fervice": "redis"}),
            confirm(recreate, HoſtConfig={"Privileged": True}),
        ],
        "a symlink below the desk's folder": [
            create({"HostConfig": {"Binds": [f"{link}:/host"]}}),
            p.frame({"ask": "snapshots", "bot": "bot1/data/link"}),
            p.frame({"ask": "controllers", "bot": str(link)}),
            confirm({"order": "extract", "bot": "bot1/data/link", "stamp": "20260219_040000", **archive}),
        ],
        "a HostConfig in a start's body": [
            http(
                "POST",
                "/v1.18/containers/hbot-bot1/start",
                {"HostConfig": {"Binds": bind, "Privileged": True}},
            ),
            p.frame({"ask": "perform", "action": TOKEN, "step": 1, "HostConfig": {"Binds": bind}}),
        ],
        "exec": [
            http("POST", "/containers/hbot-bot1/exec", {"Cmd": ["sh", "-c", "id"], "Privileged": True}),
            p.frame({"ask": "exec", "container": "hbot-triage-agent", "argv": ["sh"]}),
            confirm(
                {"order": "remove_caches", "bot": "bot1", "argv": ["sh", "-c", "id"]}, kind="clear_cache"
            ),
            confirm({"order": "exec", "container": "hbot-bot1", "argv": ["id"]}),
        ],
        "masked paths": [
            create({"HostConfig": {"MaskedPaths": [], "ReadonlyPaths": []}}),
            confirm(recreate, MaskedPaths=[]),
        ],
        "percent-encoded names": [
            create({"HostConfig": {"Binds": bind}}, query="n%61me=hbot-new"),
            p.frame({"ask": "inspect", "container": "hbot%2dbot1"}),
            p.frame({"ask": "code_times", "container": "hbot-bot1/archive?p%61th=/"}),
            confirm({**recreate, "service": "bot1%20--privileged"}),
        ],
    }


NAMES = list(exploits(Desk(Path("/x"), None), Path("/y")))  # type: ignore[arg-type] # only their names


@pytest.mark.parametrize("name", NAMES)
async def test_none_of_the_six_ways_to_the_host_has_an_effect(boundary: Boundary, name: str) -> None:
    """Every attempt is refused, and nothing of the engine, the desk or the host is another afterwards."""
    (boundary.desk.data / "bot1" / "data" / "link").symlink_to(boundary.host)
    before = await boundary.state()
    for attempt in exploits(boundary.desk, boundary.host)[name]:
        answer = await said(boundary.apart, attempt)
        assert answer is None or answer["type"] == "error", answer
        assert "secret" not in json.dumps(answer)
    assert await boundary.state() == before


async def test_a_bot_that_was_taken_over_can_do_what_it_was_confirmed_and_no_more(boundary: Boundary) -> None:
    """It confirms by itself (over Socket Mode nobody can prove more): one recreate of one bot, recorded, and no second."""
    agent = remote_access(boundary.apart.address).agent
    before = await boundary.desk.container("bot1")
    plan = ShownPlan(
        token=TOKEN,
        kind="recreate",
        target="bot1",
        orders=((1, ComposeOrder("recreate", "bot1")),),
        rest="0" * 64,
        actor="U0ANA00001",
        reason="x",
    )
    await agent.confirm(plan)
    assert (await agent.perform(TOKEN, 1, lambda _: None)).ok
    after = await boundary.desk.container("bot1")
    assert after["Id"] != before["Id"]
    assert sorted(after["HostConfig"]["Binds"]) == sorted(before["HostConfig"]["Binds"])
    assert after["HostConfig"]["Privileged"] is False
    with pytest.raises(Refused):
        await agent.perform(TOKEN, 1, lambda _: None)
    assert "U0ANA00001" in boundary.apart.record.read_text()


async def test_a_container_of_others_is_not_there_for_the_bot(boundary: Boundary) -> None:
    """What else runs on the engine is neither listed nor looked into; of the desk's no environment and no mount is told."""
    docker = boundary.desk.engine.docker
    options = ("--network", "none", "--name", "other", "-e", "PASSWORD=verysecret")
    await docker("run", "-d", *options, "hbot/service:1", "sleep", "60")
    try:
        answer = await said(boundary.apart, p.frame({"ask": "containers"}))
        names = {each["name"] for each in answer["data"]}
        assert "hbot-bot1" in names
        assert "other" not in names
        assert (await said(boundary.apart, p.frame({"ask": "inspect", "container": "other"})))["data"] is None
        one = await said(boundary.apart, p.frame({"ask": "inspect", "container": "hbot-bot1"}))
        assert not {"Env", "Mounts", "env", "mounts"} & set(one["data"])
        assert all(label.startswith("com.docker.compose.") for label in one["data"]["labels"])
        with pytest.raises(DeskFailure, match="no bot"):
            await remote_access(boundary.apart.address).snapshots.list("redis")
    finally:
        await docker("rm", "-f", "other")


def drawn(count: int) -> list[bytes]:
    """Return frames that look like requests, the same ones at each run."""
    found: list[bytes] = []

    @settings_of_fuzz(max_examples=count, deadline=None, database=None, derandomize=True)
    @given(requests, st.booleans())
    def keep(request: object, torn: bool) -> None:  # noqa: FBT001 - hypothesis' own
        data = p.frame(request)
        found.append(data[: len(data) // 2] if torn else data)

    keep()
    return found


@pytest.mark.timeout(1800)
async def test_thousands_of_requests_change_nothing_of_the_engine_and_the_desk(boundary: Boundary) -> None:
    """`AGENT_FUZZ=10500` is the long form: the engine's whole state and every file are the same afterwards."""
    before = await boundary.state()
    for data in drawn(EXAMPLES):
        await said(boundary.apart, data)
    assert await boundary.state() == before
    assert '"begun"' not in boundary.apart.record.read_text()
