"""A Redis that answers anything but what was asked: each costs its question, is named, and is never taken for well."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.sources.redis.client import RedisStreams
from bot.sources.redis.connection import open_redis
from bot.sources.redis.reader import GroupReader
from tests.fakes.sources import NOW
from tests.servers.tcp import tcp_server
from triage.errors import SourceError
from triage.ports.events import StreamBatch

pytestmark = pytest.mark.slow

ERRORS = (
    "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOAUTH Authentication required.",
    "NOPERM this user has no permissions to run the 'xread' command",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    "MOVED 3999 127.0.0.1:6381",
    "ASK 3999 127.0.0.1:6381",
    "MOVED nowhere",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "READONLY You can't write against a read only replica.",
    "BUSY Redis is busy running a script.",
    "NOREPLICAS Not enough good replicas to write.",
    "EXECABORT Transaction discarded because of previous errors.",
    "ERR max number of clients reached",
    "",
)
ODD = {
    **{error.partition(" ")[0] or "nothing": f"-{error}\r\n".encode() for error in ERRORS},
    "MOVED nowhere": b"-MOVED nowhere\r\n",
    "a word": b"+OK\r\n",
    "a number": b":7\r\n",
    "null": b"$-1\r\n",
    "a null list": b"*-1\r\n",
    "a list of a number": b"*1\r\n:7\r\n",
    "a list of null": b"*1\r\n$-1\r\n",
    "a list of lists of null": b"*1\r\n*2\r\n$-1\r\n*-1\r\n",
    "an entry whose fields are a number": b"*1\r\n*2\r\n$3\r\n1-1\r\n:3\r\n",
    "an id that is none": b"*1\r\n*2\r\n$4\r\nnone\r\n*2\r\n$7\r\npayload\r\n$1\r\nx\r\n",
    "an odd number of fields": b"*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n$7\r\npayload\r\n",
    "an error within a list": b"*2\r\n$4\r\nrole\r\n-ERR half done\r\n",
    "a map of RESP3": b"%1\r\n+role\r\n+master\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a length that is none": b"$abc\r\n",
    "an endless length": b"$99999999999\r\nx\r\n",
    "an endless list": b"*99999999999\r\n:1\r\n",
    "a negative list": b"*-5\r\n",
    "bytes": b"\x00\xff\xfe\r\n",
    "deep": b"*1\r\n" * 3000 + b":1\r\n",
}
Question = Callable[[RedisStreams, GroupReader], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "health": lambda streams, _: streams.health(),
    "info": lambda streams, _: streams.info("hb.audit.v1"),
    "newest": lambda streams, _: streams.newest("hb.audit.v1"),
    "between": lambda streams, _: streams.between("hb.audit.v1", start=NOW - timedelta(hours=1), end=NOW),
    "add": lambda streams, _: streams.add("hb.audit.v1", {"payload": "x"}, max_length=9),
    "open": lambda _, reader: reader.open("0-0", known_id="1-1"),
    "read": lambda _, reader: reader.read(),
    "standing": lambda _, reader: reader.standing(),
}
EMPTY = ((), StreamBatch())
ANSWERED = {("an odd number of fields", "newest"), ("an odd number of fields", "between")}
"""Read, with what can be read: an entry without its fields."""


@asynccontextmanager
async def asked(answer: Callable[[bytes], bytes]) -> AsyncIterator[tuple[RedisStreams, GroupReader]]:
    """Ask a server that gives this answer to a command; it takes a connection's own commands as Redis does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(b"".join(answer(word) for word in commands(data)))
            await writer.drain()

    async with tcp_server(serve) as port:
        client = open_redis(f"redis://127.0.0.1:{port}", answer_seconds=0.6)
        try:
            yield (
                RedisStreams(client, seconds=0.6),
                GroupReader(client, "hb.audit.v1", group="g", consumer="c", block_seconds=0.05),
            )
        finally:
            await client.aclose()


def commands(data: bytes) -> list[bytes]:
    """Return the first word of each command in what a client sent."""
    lines = data.split(b"\r\n")
    return [lines[at + 2].upper() for at, line in enumerate(lines[:-2]) if line.startswith(b"*")]


@pytest.mark.parametrize("shape", ODD)
async def test_an_odd_answer_of_redis_is_an_error_that_is_named(shape: str) -> None:
    """Of every question; an empty list is a list, and whatever else is answered is no news of anything."""

    def answer(command: bytes) -> bytes:
        return b"+OK\r\n" if command == b"CLIENT" else ODD[shape]

    said: list[str] = []
    for name, question in QUESTIONS.items():
        async with asked(answer) as (streams, reader):
            try:
                found = await question(streams, reader)
            except SourceError as error:
                said.append(str(error))
                continue
        assert (shape, name) in ANSWERED or found in EMPTY, f"{shape}, {name}: {found}"
    assert said
    assert all(len(words) > len("Redis: ") for words in said)
