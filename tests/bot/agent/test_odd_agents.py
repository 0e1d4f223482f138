"""An agent that answers slowly, wrongly, emptily, hugely or half: each question gets an error that says so."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot.agent import protocol as p
from bot.agent.client import AgentUnreachable, Wire, hello
from bot.agent.core import LocalAgent
from bot.agent.desk_reader import DeskReader
from bot.agent.remote_containers import RemoteContainers
from bot.agent.remote_desk import remote_access
from bot.agent.server import Server
from tests.fakes.breaking import FAULTS
from tests.fakes.clock import ManualClock
from tests.servers.tcp import Handle, Talks
from triage.desk import Desk
from triage.errors import DeskFailure, Refused, SourceError

pytestmark = pytest.mark.slow
NOW = datetime(2026, 2, 21, 12, 0, tzinfo=UTC)
TOKEN = "0123456789abcdef01234567"
SLOW_SECONDS = 0.4


def framed(text: bytes) -> bytes:
    """Return a frame as the agent sends it."""
    return len(text).to_bytes(4, "big") + text


def answer(data: object) -> bytes:
    """Return an answer's frame."""
    return framed(json.dumps({"type": "answer", "data": data}).encode())


PIECE = framed(b'{"type": "piece", "data": "as far as this"}')
ODD: dict[str, bytes] = {
    "nothing": b"",
    "half a length": b"\0\0",
    "half a frame": answer([])[:-3],
    "a frame without an end": (8 * 1024 * 1024).to_bytes(4, "big") + b"[",
    "a huge length": b"\xff\xff\xff\xff",
    "an empty frame": framed(b""),
    "null": framed(b"null"),
    "a list": framed(b"[1, 2]"),
    "a number": framed(b"17"),
    "a text": framed(b'"answer"'),
    "an empty object": framed(b"{}"),
    "no JSON": framed(b"\xff\xfe{"),
    "not a number": framed(b'{"type": "answer", "data": NaN}'),
    "levels of brackets": framed(b'{"type": "answer", "data": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"),
    "too many levels": framed(b"[" * 100_000 + b"]" * 100_000),
    "an answer without data": framed(b'{"type": "answer"}'),
    "an answer that is a text": answer("perhaps"),
    "an answer that is a list of another kind": answer([{"a": 1}, None, 5]),
    "an answer that is an object of another kind": answer({"record": None, "bots": 3, "a": [1]}),
    "an error without a kind": framed(b'{"type": "error"}'),
    "an error of another kind": framed(b'{"type": "error", "kind": ["refused"], "why": {"a": 1}}'),
    "an error of ours that is none": framed(b'{"type": "error", "kind": "SourceError", "why": "x"}'),
    "a number of thousands of digits": framed(b'{"type": "answer", "data": ' + b"9" * 10_000 + b"}"),
}


@asynccontextmanager
async def listening(path: Path, handle: Handle) -> AsyncIterator[Wire]:
    """Listen as an agent does."""
    talks = Talks(handle)
    server = await asyncio.start_unix_server(talks.serve, path)
    try:
        yield Wire(f"unix://{path}")
    finally:
        server.close()
        await talks.end()


def says(what: bytes) -> Handle:
    """Answer everything with the same bytes, and hang up."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(what)
        await writer.drain()

    return talk


def questions(wire: Wire) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return everything that is asked of an agent, except that a step be carried out."""
    of, containers = remote_access(f"unix://{wire.path}"), RemoteContainers(wire)
    name = "hbot-bot1_20260221_120000.tar.gz"
    return {
        "hello": lambda: hello(f"unix://{wire.path}"),
        "inspect": lambda: containers.inspect("hbot-bot1"),
        "list": containers.list,
        "files": lambda: containers.files("hbot-bot1", "/home/hummingbot/controllers"),
        "lines": lambda: containers.last_lines("hbot-bot1", since=NOW),
        "history": lambda: containers.history(since=NOW, until=NOW),
        "events": lambda: anext(containers.events(since=NOW)),
        "ready": containers.ready,
        "snapshots": lambda: of.snapshots.list("bot1"),
        "checksum": lambda: of.snapshots.checksum(name),
        "room": lambda: of.snapshots.room_to_take("bot1"),
        "differences": lambda: of.snapshots.differences("bot1", name),
        "swapped": lambda: of.snapshots.swapped("bot1", TOKEN),
        "env": of.env.read,
        "template": of.env.template,
        "controllers": lambda: of.controllers.read("bot1"),
        "images": lambda: of.images.list("hbot/hummingbot"),
        "hashes": lambda: of.project.hashes(external=True),
        "rehearsed": lambda: of.project.rehearsed(external=True),
        "taken down": of.project.taken_down,
        "service images": lambda: of.project.images(external=True),
        "project": of.project.name,
        "end": lambda: of.agent.end(TOKEN),
        "tidy": lambda: of.agent.tidy(TOKEN),
        "keep": lambda: of.agent.keep_snapshot("bot1"),
        "anchor": lambda: of.agent.anchor(1, "a" * 64),
    }


async def outcome(question: Callable[[], Awaitable[object]]) -> object:
    """Return the answer, or one of the errors that whoever asks knows."""
    try:
        return await asyncio.wait_for(question(), 20)
    except (DeskFailure, SourceError, Refused) as error:
        return error


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_answer_is_an_error_that_whoever_asks_knows(tmp_path: Path, odd: str) -> None:
    """Never one of another kind, which would be taken for a fault of the check or of the job."""
    async with listening(tmp_path / "s", says(ODD[odd])) as wire:
        found = {name: await outcome(ask) for name, ask in questions(wire).items()}
    understood = {name for name, what in found.items() if not isinstance(what, Exception)}
    # What asks for nothing may take null for an answer, what may be missing for "there is none".
    may = {
        "an answer without data": {"inspect", "swapped", "rehearsed", "end", "tidy", "anchor"},
        "an answer that is a text": {"checksum", "template", "project"},
        "an answer that is an object of another kind": {"ready"},
    }
    assert understood <= may.get(odd, set()), found


@pytest.mark.parametrize("odd", ODD)
async def test_a_step_whose_answer_is_odd_is_neither_done_nor_failed(tmp_path: Path, odd: str) -> None:
    """It was asked for: whether it was done is not known, unless the agent says plainly that it refuses."""
    async with listening(tmp_path / "s", says(PIECE + ODD[odd])) as wire:
        agent, told = remote_access(f"unix://{wire.path}").agent, list[str]()
        try:
            performed = await asyncio.wait_for(agent.perform(TOKEN, 1, told.append), 20)
        except (DeskFailure, Refused, SourceError):
            assert odd.startswith("an error")
        else:
            assert not performed.ok
            assert not performed.known
    assert told == ["as far as this"]


async def test_an_agent_that_never_comes_to_an_answer_is_waited_for_no_longer_than_one_that_is_silent(
    tmp_path: Path,
) -> None:
    """Each piece in time, and no end of them: a job that asks without a deadline of its own had hung for good."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(PIECE)
            await asyncio.sleep(SLOW_SECONDS / 4)

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    for number, talk in enumerate((drip, silent)):
        async with listening(tmp_path / str(number), talk) as wire:
            with pytest.raises(AgentUnreachable, match="no answer within"):
                await asyncio.wait_for(wire.ask(p.Hello(), dict, seconds=SLOW_SECONDS), 10)


@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if isinstance(one, Exception)], ids=lambda fault: type(fault).__name__
)
async def test_a_request_that_the_agent_fails_on_says_by_what(tmp_path: Path, fault: Exception) -> None:
    """It was told as a lost agent. A step may have been done all the same, a look has no answer; the next is answered."""

    async def fails(*_: object) -> None:
        raise fault

    agent = SimpleNamespace(perform=fails, end=fails, head=(1, "0" * 64), proves=False)
    looks = SimpleNamespace(inspect=fails, engine=SimpleNamespace(ready=fails), desk=Desk())
    server = Server(cast("DeskReader", looks), cast("LocalAgent", agent), ManualClock(), uid=os.geteuid())
    path = tmp_path / "s"
    async with server.listening(path):
        of, containers = remote_access(f"unix://{path}"), RemoteContainers(Wire(f"unix://{path}"))
        for _ in range(2):
            performed = await of.agent.perform(TOKEN, 1, lambda _: None)
            assert (performed.ok, performed.known) == (False, False)
            with pytest.raises((SourceError, DeskFailure)) as looked:
                await containers.inspect("hbot-bot1")
            with pytest.raises((SourceError, DeskFailure)) as ended:
                await of.agent.end(TOKEN)
    if not isinstance(fault, TimeoutError):  # of the desk, which is late
        said = f"the agent met a fault of ours ({type(fault).__name__}"
        assert said in performed.note
        assert said in str(looked.value)
        assert said in str(ended.value)
