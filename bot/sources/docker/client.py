"""The Docker Engine's HTTP API, over its unix socket or over TCP.

Paths carry no API version: the engine then speaks its own, and proxies let both forms through.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from bot.sources.docker import last_lines
from bot.sources.docker.files import listing
from bot.sources.docker.questions import (
    NAME,
    by_name,
    checked_name,
    event_filters,
    events_of,
    names_container,
    no_such_container,
    whole_lines,
)
from bot.sources.docker.shapes import from_inspect, from_lists, message_of, not_there
from bot.sources.http import CONNECT_SECONDS, TOTAL_SECONDS, HttpSource, Params, Reply, base_url, first_line
from bot.sources.transport import AiohttpTransport
from triage.errors import SettingError, SourceUnreachable
from triage.ports.sources import ContainerEvent, ContainerState, FileStat, LogLines

_WORDS_MAX = 256 * 1024
IDLE_SECONDS = 30.0
"""After this long without an event the engine is asked whether it is still there."""


def open_docker(host: str, *, total_seconds: float = TOTAL_SECONDS) -> HttpSource:
    """Make the HTTP side of ``DOCKER_HOST``: ``unix:///…``, ``tcp://…``, ``http(s)://…``. Raises SettingError."""
    scheme, _, rest = host.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        transport = AiohttpTransport(unix=rest)
        return HttpSource.open(
            NAME, httpx.URL("http://docker/"), total_seconds=total_seconds, transport=transport, where=rest
        )
    if scheme in {"tcp", "http", "https"}:
        url = base_url(NAME, "DOCKER_HOST", f"{'http' if scheme == 'tcp' else scheme}://{rest}")
        return HttpSource.open(NAME, url, total_seconds=total_seconds)
    raise SettingError(
        "DOCKER_HOST: use unix:///var/run/docker.sock or tcp://host:2375; "
        f"{scheme or 'a bare path'} is not understood"
    )


class Docker:
    """The port ``Containers``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state, None when there is no container of that name."""
        return await by_name(name, self._inspect, self.list) if names_container(name) else None

    async def _inspect(self, name: str) -> ContainerState | None:
        reply = await self._of(name, "json")
        if reply is None:
            return None
        answer = self._http.json(self._insist(reply))
        with self._http.shape("a container"):
            return from_inspect(answer)

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container, stopped ones too; the list knows no restart counts and start times."""
        answer = self._http.json(
            self._insist(await self._http.ask("GET", "containers/json", params={"all": "1"}))
        )
        with self._http.shape("the containers"):
            return from_lists(answer)

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container (running or not), from the engine's archive of it.

        One question that changes nothing; its answer is as large as the folder, 8 MiB at the most.
        """
        reply = await self._asked(name, "archive", {"path": folder})
        if reply.status == httpx.codes.NOT_FOUND and "could not find the file" in message_of(reply.body):
            return ()
        archive = self._insist(reply).body
        with self._http.shape("a folder's archive"):
            return await asyncio.to_thread(listing, archive, folder)

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first (the engine remembers only its last 256 events)."""
        params = event_filters(since=since, until=until)
        reply = self._insist(await self._http.ask("GET", "events", params=params))
        found = [event for line in reply.body.splitlines() for event in events_of(line)]
        return tuple(sorted(found, key=lambda each: each.time_ns))

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield container events from ``since`` on, then live ones, until the connection breaks (raises).

        A silent connection is checked with a ping of its own, so that a dead one is noticed.
        """
        params: Params = event_filters(since=since)
        with self._http.network_errors():
            async with self._http.stream("GET", "events", params=params, read_seconds=86_400.0) as response:
                if response.status_code != httpx.codes.OK:
                    body = await _short_body(response)
                    raise self._http.refusal(
                        Reply(response.status_code, response.headers, body), _words(body)
                    )
                self._http.refuse_packed(response)
                async for line in self._lines(response):
                    for event in events_of(line):
                        yield event
        raise SourceUnreachable(NAME, "the engine ended its stream of events")

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Return the last lines that a container wrote since then, masked."""
        reply = self._insist(await self._asked(name, "logs", last_lines.asked(since)))
        with self._http.shape("a container's lines"):
            return await asyncio.to_thread(last_lines.last_lines, reply.body)

    async def ready(self) -> None:
        """Return when the engine answers; raise otherwise."""
        self._insist(await self._http.ask("GET", "_ping"))

    async def _asked(self, name: str, what: str, params: Params) -> Reply:
        """Ask something of a container by its name. Raises SourceRejected where there is none."""
        reply = await by_name(checked_name(name), partial(self._of, what=what, params=params), self.list)
        if reply is None:
            raise no_such_container(name)
        return reply

    async def _of(self, name: str, what: str, params: Params | None = None) -> Reply | None:
        """Ask the engine under one name or id; None where it has no such container."""
        reply = await self._http.ask("GET", f"containers/{name}/{what}", params=params)
        return None if reply.status == httpx.codes.NOT_FOUND and not_there(reply.body) else reply

    async def _lines(self, response: httpx.Response) -> AsyncIterator[bytes]:
        pieces = response.aiter_raw()
        rest = b""
        while True:
            piece = await self._next(pieces)
            if piece is None:
                return
            lines, rest = whole_lines(rest + piece)
            for line in lines:
                yield line

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        """Wait for the next piece, and make sure of the engine every ``IDLE_SECONDS`` meanwhile."""
        waiting = asyncio.ensure_future(anext(pieces, None))
        try:
            while not (await asyncio.wait({waiting}, timeout=IDLE_SECONDS))[0]:
                await self.ready()
            return waiting.result()
        finally:
            if not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting})

    def _insist(self, reply: Reply, *allowed: int) -> Reply:
        if reply.status == httpx.codes.OK or reply.status in allowed:
            return reply
        raise self._http.refusal(reply, _words(reply.body))


async def _short_body(response: httpx.Response) -> bytes:
    body = b""
    async with asyncio.timeout(CONNECT_SECONDS):
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > _WORDS_MAX:
                break
    return body


def _words(body: bytes) -> str:
    """The engine's errors are ``{"message": …}``; a proxy's are text or HTML."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return first_line(body.decode("utf-8", "replace"))
    return first_line(str(answer.get("message", ""))) if isinstance(answer, dict) else ""
