"""Asks the Docker Engine over its socket with a small HTTP client of its own, for a process that must stay small.

One connection a question. Limits: connect 3 s, the whole answer 10 s (or what the caller says), 8 MiB.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httptools

from bot.sources.docker.questions import NAME
from triage.errors import (
    SourceBadAnswer,
    SourceError,
    SourceNotConfigured,
    SourceRejected,
    SourceTimeout,
    SourceUnreachable,
)
from triage.masking import masked, masked_and_cut

CONNECT_SECONDS, TOTAL_SECONDS = 3.0, 10.0
MAX_BYTES = 8 * 1024 * 1024
_PIECE = 64 * 1024
_OK, _CREATED, _NOT_FOUND = 200, 201, 404


@dataclass(slots=True)
class _HttpReader:
    """What httptools calls while it reads: status, then pieces of the body, then the end."""

    status: int = 0
    headed: bool = False
    over: bool = False
    pieces: list[bytes] = field(default_factory=list)

    def on_headers_complete(self) -> None:
        """The head is read."""
        self.headed = True

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body, without its framing."""
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self.over = True


@dataclass(slots=True)
class Stream:
    """An answer whose body is still to come."""

    status: int
    _reader: asyncio.StreamReader
    _parser: httptools.HttpResponseParser
    _answer: _HttpReader

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        answer = self._answer
        while True:
            while answer.pieces:
                yield answer.pieces.pop(0)
            if answer.over:
                return
            data = await self._reader.read(_PIECE)
            if not data:
                return
            self._parser.feed_data(data)

    async def body(self) -> bytes:
        """Return the whole body. Raises SourceRejected over the limit."""
        whole = bytearray()
        async for piece in self.pieces():
            whole += piece
            if len(whole) > MAX_BYTES:
                raise SourceRejected(NAME, f"its answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
        return bytes(whole)


class EngineHttp:
    """The engine at ``unix:///…`` or ``tcp://host:port``; empty: not configured."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
    ) -> tuple[int, bytes]:
        """Ask and return status and body. Raises SourceError without an answer."""
        try:
            async with (
                asyncio.timeout(TOTAL_SECONDS),
                self.stream(method, path, params=params, body=body) as stream,
            ):
                return stream.status, await stream.body()
        except TimeoutError as error:
            raise SourceTimeout(NAME, f"no answer within {TOTAL_SECONDS:g} s") from error

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> bytes:
        """Ask and insist on a 200."""
        status, body = await self.ask("GET", path, params=params)
        if status != _OK:
            raise refusal(status, body)
        return body

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
    ) -> AsyncIterator[Stream]:
        """Open an answer and leave its body unread. ``path`` is written by this program, ``params`` are quoted."""
        if not self._host:
            raise SourceNotConfigured(NAME)
        target = f"/{path}{'?' + urlencode(params) if params else ''}"
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nUser-Agent: hbot-triage\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        reader, writer = await self._connect()
        try:
            writer.write(head.encode("ascii") + content)
            await writer.drain()
            yield await self._head(reader)
        except httptools.HttpParserError as error:
            raise SourceBadAnswer(NAME, f"it does not speak HTTP as it should ({error})") from error
        except OSError as error:
            raise SourceUnreachable(NAME, f"the connection broke ({masked(str(error))[:200]})") from error
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> Stream:
        answer = _HttpReader()
        parser = httptools.HttpResponseParser(answer)
        read = 0
        while not answer.headed:
            data = await reader.read(_PIECE)
            read += len(data)
            if not data or read > MAX_BYTES:
                raise SourceUnreachable(NAME, "it closed the connection without an answer")
            parser.feed_data(data)
        return Stream(parser.get_status_code(), reader, parser, answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        scheme, _, rest = self._host.partition("://")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if scheme == "unix":
                    return await asyncio.open_unix_connection(rest)
                host, _, port = rest.rstrip("/").rpartition(":")
                return await asyncio.open_connection(host.strip("[]"), int(port))
        except TimeoutError as error:
            raise SourceTimeout(NAME, f"no connection within {CONNECT_SECONDS:g} s") from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SourceUnreachable(NAME, f"cannot connect to {rest} ({why})") from error


def refusal(status: int, body: bytes) -> SourceError:
    """Return the error that a status stands for, in the engine's own words."""
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        said = body.decode("utf-8", "replace")
    line = next((line.strip() for line in masked_and_cut(said, 2000).splitlines() if line.strip()), "")
    why = f"{status}: {line[:300]}"
    return SourceRejected(NAME, why) if _OK <= status < 500 else SourceBadAnswer(NAME, why)  # noqa: PLR2004 - HTTP's own
