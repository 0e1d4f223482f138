"""The agent's socket: who may ask, what may be asked, and that nothing else has an effect."""

import asyncio
import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.agent import protocol as p
from bot.agent.client import AgentUnreachable, Wire
from bot.agent.remote_containers import RemoteContainers
from bot.agent.remote_desk import remote_access
from tests.bot.agent.apart import Apart, agent_apart
from tests.servers.process import eventually
from tests.servers.tcp import Talks
from tests.triage.actions.bench import settings as desk_settings
from triage.desk import Desk
from triage.errors import DeskFailure, Refused, SourceError, SourceUnreachable
from triage.plans.agent_orders import ComposeOrder
from triage.ports.actions import ShownPlan

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("AGENT_FUZZ", "150"))
"""Requests of the fuzzing; the campaign asks for 10,000 and more."""
NOBODY = 65_534


def laid_out(root: Path) -> Desk:
    """Lay out a desk without containers, whose compose command leaves a mark."""
    for folder in ("compose", "env", "data/bot1/conf/controllers", "data/bot1/data", "backups"):
        (root / folder).mkdir(parents=True)
    (root / "env/.env").write_text(
        "HUMMINGBOT_IMAGE=hbot/hummingbot:v1\nBITGET_API_SECRET=verysecret\nEMPTY=\n"
    )
    (root / "env/.env.template").write_text("HUMMINGBOT_IMAGE=\nBITGET_API_SECRET=\nEMPTY=\n")
    (root / "data/bot1/conf/controllers/one.yml").write_text(
        "id: one\nconnector_name: bitget_paper_trade\ninternal_paper_enabled: true\napi_key: verysecret\n"
    )
    said = "print('api_secret=verysecret', flush=True); time.sleep(0.2)"
    mark = f"import time; open({str(root / 'mark')!r}, 'a').write('compose\\n'); {said}"
    return desk_settings(root, (sys.executable, "-c", mark))


@pytest.fixture
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    """Run an agent on such a desk."""
    (tmp_path / "desk").mkdir()
    async with agent_apart(laid_out(tmp_path / "desk"), tmp_path) as apart:
        yield apart


def state_of(root: Path) -> str:
    """Return a digest of every file below a folder: names, modes, contents."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        digest.update(f"{path} {path.lstat().st_mode:o}\n".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


async def said(apart: Apart, data: bytes) -> Any:  # noqa: ANN401 - what JSON can be
    """Send bytes as they are and return the first frame that comes back, None where none does."""
    reader, writer = await asyncio.open_unix_connection(apart.address.removeprefix("unix://"))
    try:
        writer.write(data)
        writer.write_eof()
        size = await asyncio.wait_for(reader.read(4), 10)
        return json.loads(await reader.readexactly(int.from_bytes(size, "big"))) if size else None
    except ConnectionError:
        return None
    finally:
        writer.close()


def shown(token: str = "1" * 24, service: str = "bot1") -> ShownPlan:
    """Return a restart that somebody confirms."""
    return ShownPlan(
        token=token,
        kind="restart",
        target="bot1",
        orders=((1, ComposeOrder("restart", service)),),
        rest="0" * 64,
        actor="U1",
        reason="because",
    )


async def test_a_confirmed_step_is_carried_out_over_the_socket_and_once(apart: Apart, tmp_path: Path) -> None:
    """What the agent refuses comes back as a refusal, with its reason."""
    agent = remote_access(apart.address).agent
    await agent.confirm(shown())
    output: list[str] = []
    performed = await agent.perform("1" * 24, 1, output.append)
    assert (performed.ok, performed.note, performed.known) == (True, "exit 0", True)
    assert performed.output.strip() == "api_secret=***"
    assert output
    assert "verysecret" not in "".join(output)
    with pytest.raises(Refused, match="begun already"):
        await agent.perform("1" * 24, 1, output.append)
    with pytest.raises(Refused, match="no plan of restart"):
        await agent.confirm(shown("2" * 24, service="bot2"))
    assert (tmp_path / "desk/mark").read_text() == "compose\n"


async def test_what_is_seen_of_files_holds_no_secret(apart: Apart) -> None:
    """Values of known keys, of others whether there is one, and the same stand-in for the same value."""
    access = remote_access(apart.address)
    env = await access.env.read()
    assert env["HUMMINGBOT_IMAGE"] == "hbot/hummingbot:v1"
    assert env["EMPTY"] == ""
    assert env["BITGET_API_SECRET"].startswith("hidden-")
    assert env == await access.env.read()
    [file] = await access.controllers.read("bot1")
    assert dict(file.values) == {
        "id": "one",
        "connector_name": "bitget_paper_trade",
        "internal_paper_enabled": "true",
    }
    assert "verysecret" not in json.dumps([env, dict(file.values)])


async def test_names_that_are_not_the_desks_are_looked_at_by_nobody(apart: Apart) -> None:
    """Folders of other bots, paths, files beside the snapshots."""
    access = remote_access(apart.address)
    for name in ("bot9", "..", "../../etc", "/etc", ""):
        with pytest.raises(DeskFailure):
            await access.snapshots.list(name)
        with pytest.raises(DeskFailure):
            await access.controllers.read(name)
    for name in ("../../etc/shadow", "bot1_20260101_000000.tar.gz/../../x", "passwd"):
        with pytest.raises(DeskFailure):
            await access.snapshots.checksum(name)
    assert await RemoteContainers(Wire(apart.address)).inspect("../images/json") is None


def owner_and_mode(path: Path) -> tuple[int, int]:
    """Return who owns a file and its permissions."""
    status = path.stat()
    return status.st_uid, status.st_mode & 0o777


@contextmanager
def user(uid: int) -> Iterator[None]:
    """Be another user as far as the kernel tells whoever is called."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
async def test_only_the_bots_user_is_answered(tmp_path: Path) -> None:
    """Root itself is not: the peer's uid decides, whatever the file's mode lets through."""
    (tmp_path / "desk").mkdir()
    async with agent_apart(laid_out(tmp_path / "desk"), tmp_path, uid=NOBODY) as apart:
        path = Path(apart.address.removeprefix("unix://"))
        assert owner_and_mode(path) == (NOBODY, 0o600)
        with pytest.raises(DeskFailure, match="uid 0 may not ask"):
            await remote_access(apart.address).env.read()
        path.parent.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as one:
            with user(NOBODY):
                one.connect(str(path))
            one.settimeout(10)
            await asyncio.to_thread(one.sendall, p.frame({"ask": "env"}))
            answer = await asyncio.to_thread(one.recv, 65_536)
    assert b"hbot/hummingbot:v1" in answer


def open_files() -> int:
    """Return how many files and connections this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_whoever_reads_no_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken bot asks for much and takes nothing of it: neither connections nor memory pile up."""

    async def much(*_: object) -> str:
        return "x" * 2_000_000

    monkeypatch.setattr("bot.agent.server.CLOSE_SECONDS", 0.2)
    monkeypatch.setattr("bot.agent.server.look", much)
    (tmp_path / "desk").mkdir()
    async with agent_apart(laid_out(tmp_path / "desk"), tmp_path) as apart:
        path = apart.address.removeprefix("unix://")
        before = open_files()
        deaf = [await asyncio.open_unix_connection(path, limit=1024) for _ in range(5)]
        for _, writer in deaf:
            writer.write(p.frame({"ask": "env"}))

        async def only_ours() -> bool:
            return open_files() - before <= len(deaf)

        await eventually(only_ours, "the agent's side of the connections closed")
        for _, writer in deaf:
            writer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
async def test_users_who_may_not_ask_take_no_connection_from_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the agent is not root its socket is open to all, and the kernel says who calls."""
    monkeypatch.setattr("bot.agent.server.CONNECTIONS", 2)
    monkeypatch.setattr("bot.agent.server.DENIED_SECONDS", 3.0)
    (tmp_path / "desk").mkdir()
    async with agent_apart(laid_out(tmp_path / "desk"), tmp_path) as apart:
        path = Path(apart.address.removeprefix("unix://"))
        for place, mode in ((path.parent, 0o755), (path, 0o666)):
            os.chmod(place, mode)  # noqa: PTH101 - not the loop's business
        others = [socket.socket(socket.AF_UNIX) for _ in range(10)]
        with user(NOBODY):
            for each in others:
                each.connect(str(path))
        assert await remote_access(apart.address).env.read()
        for each in others:
            each.close()


async def test_no_agent_is_told_with_the_mend(tmp_path: Path) -> None:
    """A look is a source that cannot be reached, a step one that did not happen."""
    access = remote_access(f"unix://{tmp_path}/none.sock")
    with pytest.raises(SourceUnreachable, match="is hbot-triage agent running"):
        await RemoteContainers(Wire(f"unix://{tmp_path}/none.sock")).list()
    performed = await access.agent.perform("1" * 24, 1, lambda _: None)
    assert (performed.ok, performed.known) == (False, True)
    with pytest.raises(DeskFailure):
        await access.agent.confirm(shown())


async def test_an_agent_that_is_lost_within_a_step_leaves_it_unknown(tmp_path: Path) -> None:
    """It had the request: how far it came nobody knows."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)

    path, talks = tmp_path / "s", Talks(hang_up)
    async with await asyncio.start_unix_server(talks.serve, str(path)):
        performed = await remote_access(f"unix://{path}").agent.perform("1" * 24, 1, lambda _: None)
        with pytest.raises(AgentUnreachable):
            await Wire(f"unix://{path}").ask(p.Hello(), dict)
        await talks.end()
    assert (performed.ok, performed.known) == (False, False)
    assert "the agent was lost" in performed.note


async def test_a_step_goes_to_its_end_when_the_bot_dies_meanwhile(tmp_path: Path) -> None:
    """Half a recreate is worse than a whole one; its end is in the record."""
    (tmp_path / "desk").mkdir()
    desk = laid_out(tmp_path / "desk")
    slow = f"import time; time.sleep(1.5); open({str(tmp_path / 'desk/mark')!r}, 'a').write('done')"
    desk = desk.model_copy(
        update={"compose": desk.compose.model_copy(update={"command": (sys.executable, "-c", slow)})}
    )
    async with agent_apart(desk, tmp_path) as apart:
        agent = remote_access(apart.address).agent
        await agent.confirm(shown())
        step = asyncio.create_task(agent.perform("1" * 24, 1, lambda _: None))
        await asyncio.sleep(0.3)
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)

        async def ended() -> bool:
            return '"done"' in apart.record.read_text()

        await eventually(ended, "the end of the step in the record")
    assert (tmp_path / "desk/mark").read_text() == "done"


HOSTILE = [
    b"",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x02{}",
    p.frame([]),
    p.frame(None),
    p.frame("hello"),
    p.frame({"ask": "hello", "argv": ["sh"]}),
    p.frame({"ask": "exec", "container": "hbot-bot1", "argv": ["id"]}),
    p.frame({"a\u017fk": "hello"}),
    p.frame({"\u212aind": "x", "ask": "confirm"}),
    p.frame({"ask": "inspect", "container": "..%2f..%2fimages%2fjson"}),
    p.frame({"ask": "inspect", "container": "hbot-bot1/exec"}),
    p.frame({"ask": "inspect", "container": 7}),
    p.frame({"ask": "perform", "action": "1" * 24, "step": "1"}),
    p.frame({"ask": "perform", "action": "1" * 24, "step": True}),
    p.frame({"ask": "perform", "action": "../../../etc", "step": 1}),
    p.frame({"ask": "snapshots", "bot": "../../etc"}),
    p.frame({"ask": "anchor", "sequence": -1, "digest": "0" * 64}),
    p.frame({"ask": "history", "since": float("nan"), "until": 1.0}),
    (70 * 1024 * 1024).to_bytes(4, "big") + b"x" * 1000,
    len(b"[" * 100_000).to_bytes(4, "big") + b"[" * 100_000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_is_no_request_is_refused_and_changes_nothing(
    apart: Apart, tmp_path: Path, data: bytes
) -> None:
    """Folded keys, further fields, other types, names that are paths, frames that are none."""
    before = state_of(tmp_path)
    answer = await said(apart, data)
    assert answer is None or answer["type"] == "error", answer
    assert state_of(tmp_path) == before
    assert await remote_access(apart.address).env.read(), "and the agent goes on"


def asks_of(model: type[p.Ask]) -> tuple[str, ...]:
    """Return the names that a request goes by."""
    return tuple(get_args(get_type_hints(model)["ask"]))


words = st.text(max_size=30) | st.sampled_from(
    [
        "bot1",
        "hbot-bot1",
        "../..",
        "/etc/shadow",
        "desk",
        "a" * 24,
        "0" * 64,
        "20260219_040000",
        "redis",
        "stop",
        "down",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)
ASKS = sorted(
    {ask for model in p.Ask.__subclasses__() if model is not p.SignedForm for ask in asks_of(model)}
)
kinds = st.sampled_from(ASKS)
keys = st.sampled_from(sorted({name for model in p.Ask.__subclasses__() for name in model.model_fields}))
ORDERS = [
    "compose",
    "remove_caches",
    "take_snapshot",
    "extract",
    "swap",
    "discard",
    "set_image",
    "set_controller",
]
FIELDS = ["verb", "service", "bot", "stamp", "sha256", "image", "was", "file", "key", "value"]
orders = st.builds(
    lambda kind, rest: {"order": kind, **rest},
    st.sampled_from(ORDERS),
    st.dictionaries(st.sampled_from(FIELDS), words),
)
requests = st.builds(
    lambda ask, fields, steps: {**fields, "ask": ask, **({"orders": steps} if ask == "confirm" else {})},
    kinds,
    st.dictionaries(keys, values, max_size=6),
    st.lists(st.tuples(st.integers(0, 5), orders), max_size=3),
) | st.dictionaries(words, values, max_size=4)


@pytest.mark.timeout(1800)
def test_whatever_is_sent_changes_nothing_of_the_desk(tmp_path: Path) -> None:
    """Thousands of requests that look like requests: the desk's files stay, no command runs, the agent goes on."""
    (tmp_path / "desk").mkdir()
    desk, before, loop = laid_out(tmp_path / "desk"), state_of(tmp_path / "desk"), asyncio.new_event_loop()
    context = agent_apart(desk, tmp_path)
    apart = loop.run_until_complete(context.__aenter__())

    slow = [HealthCheck.too_slow]

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=slow)
    @given(requests, st.binary(max_size=6), st.booleans())
    def fuzz(request: object, noise: bytes, torn: bool) -> None:  # noqa: FBT001 - hypothesis' own
        data = p.frame(request)
        loop.run_until_complete(said(apart, data[: len(data) // 2] + noise if torn else data))

    async def still_well() -> None:
        assert await remote_access(apart.address).env.read()
        with pytest.raises(SourceError):
            await RemoteContainers(Wire(apart.address)).ready()  # no engine is configured here

    try:
        fuzz()
        assert state_of(tmp_path / "desk") == before
        loop.run_until_complete(still_well())
    finally:
        loop.run_until_complete(context.__aexit__(None, None, None))
        loop.close()


def test_the_documents_say_what_each_request_gives_away() -> None:
    """A request that is added is in the table, and in no other words."""
    requests = get_args(get_args(p.Request)[0])
    asked = {ask for each in requests for ask in get_args(get_type_hints(each)["ask"])}
    text = Path("docs/security.md").read_text(encoding="utf-8")
    table = text.partition("## What a service that was taken over gets")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == asked


async def test_an_agent_that_reads_nothing_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signed form is larger than what the kernel keeps of it: it never arrives as a whole, so nothing was asked."""
    monkeypatch.setattr("bot.agent.client.CONNECT_SECONDS", 1.0)
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    silent.bind(str(tmp_path / "agent.sock"))
    silent.listen()
    form = p.SignedForm(body="x" * 400_000, timestamp="1", signature="v0=a")
    request = p.Confirm(
        action="1" * 24,
        kind="restart",
        target="bot1",
        orders=((1, ComposeOrder("restart", "bot1")),),
        rest="0" * 64,
        actor="U1",
        reason="because",
        signed=form,
    )
    async with asyncio.timeout(10):
        with pytest.raises(AgentUnreachable, match="does not read what it is asked") as found:
            await Wire(f"unix://{tmp_path}/agent.sock").ask(request, None)
        assert not found.value.asked
        reader, writer = await asyncio.open_connection(sock=silent.accept()[0], limit=2**20)
        with pytest.raises(asyncio.IncompleteReadError):  # also when the agent reads again
            await reader.readexactly(len(p.frame(request.model_dump(mode="json"))))
        writer.close()
    silent.close()
