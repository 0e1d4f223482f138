"""The few questions the agent asks the Docker Engine, and the one thing it does there by itself: run a command."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from bot.agent.engine_http import EngineHttp, refusal
from bot.sources.answer_shape import answer_shape
from bot.sources.docker.frames import demultiplexed
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
from bot.sources.docker.shapes import from_inspect, from_lists, not_there
from triage.errors import SourceTimeout, SourceUnreachable
from triage.model import utc
from triage.ports.actions import Image
from triage.ports.sources import ContainerEvent, ContainerState, ExecResult, FileStat, LogLines

OUTPUT_MAX = 256 * 1024
_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._/:-]{0,250}(@sha256:[0-9a-f]{64})?")
_OK, _CREATED, _NOT_FOUND = 200, 201, 404

_shape = partial(answer_shape, NAME)


class Engine:
    """The engine, for the agent. Raises SourceError."""

    def __init__(self, host: str) -> None:
        self._http = EngineHttp(host)

    async def ready(self) -> None:
        """Return when the engine answers; raise otherwise."""
        await self._http.get("_ping")

    async def inspect(self, name: str) -> ContainerState | None:
        """Return a container's state by name or id, None when there is none."""
        return await by_name(name, self._inspect, self.list) if names_container(name) else None

    async def _inspect(self, name: str) -> ContainerState | None:
        answer = await self._of(name, "json")
        if answer is None:
            return None
        status, body = answer
        if status != _OK:
            raise refusal(status, body)
        with _shape("a container"):
            return from_inspect(json.loads(body))

    async def list(self) -> tuple[ContainerState, ...]:
        """Return every container, stopped ones too; the list knows no restart counts and start times."""
        body = await self._http.get("containers/json", params={"all": "1"})
        with _shape("the containers"):
            return from_lists(json.loads(body))

    async def files(self, name: str, folder: str) -> tuple[FileStat, ...]:
        """Return the files below a folder in a container, from the engine's archive of it."""
        status, body = await self._asked(name, "archive", {"path": folder})
        if status == _NOT_FOUND and b"could not find the file" in body.lower():
            return ()
        if status != _OK:
            raise refusal(status, body)
        from bot.sources.docker.files import listing  # noqa: PLC0415 - tarfile is loaded when it is needed

        with _shape("a folder's archive"):
            return await asyncio.to_thread(listing, body, folder)

    async def last_lines(self, name: str, *, since: datetime) -> LogLines:
        """Return the last lines that a container wrote since then, masked."""
        from bot.sources.docker import last_lines  # noqa: PLC0415 - loaded when it is needed

        status, body = await self._asked(name, "logs", last_lines.asked(since))
        if status != _OK:
            raise refusal(status, body)
        with _shape("a container's lines"):
            return await asyncio.to_thread(last_lines.last_lines, body)

    async def _asked(
        self, name: str, what: str, params: Mapping[str, str] | None = None, body: object = None
    ) -> tuple[int, bytes]:
        """Ask something of a container by its name. Raises SourceRejected where there is none."""
        ask = partial(self._of, what=what, params=params, body=body)
        answer = await by_name(checked_name(name), ask, self.list)
        if answer is None:
            raise no_such_container(name)
        return answer

    async def _of(
        self, name: str, what: str, params: Mapping[str, str] | None = None, body: object = None
    ) -> tuple[int, bytes] | None:
        """Ask the engine under one name or id, with a body by POST; None where it has no such container."""
        method = "GET" if body is None else "POST"
        status, said = await self._http.ask(method, f"containers/{name}/{what}", params=params, body=body)
        return None if status == _NOT_FOUND and not_there(said) else (status, said)

    async def images(self, *repositories: str) -> tuple[Image, ...]:
        """Return the tagged images of some repositories, the newest first."""
        body = await self._http.get("images/json")
        with _shape("the images"):
            found = [
                Image(tag, str(each["Id"]), int(each["Size"]), utc(float(each["Created"])))
                for each in json.loads(body)
                for tag in each.get("RepoTags") or ()
                if tag.rpartition(":")[0] in repositories
            ]
        return tuple(sorted(found, key=lambda image: (image.created_at, image.tag), reverse=True))

    async def has_image(self, reference: str) -> bool:
        """Return whether the engine has an image, by its name, with tag or digest."""
        if not _IMAGE.fullmatch(reference):
            return False
        status, body = await self._http.ask("GET", f"images/{reference}/json")
        if status not in {_OK, _NOT_FOUND}:
            raise refusal(status, body)
        return status == _OK

    async def history(self, *, since: datetime, until: datetime) -> tuple[ContainerEvent, ...]:
        """Return past container events, oldest first (the engine remembers only its last 256 events)."""
        body = await self._http.get("events", params=event_filters(since=since, until=until))
        found = [event for line in body.splitlines() for event in events_of(line)]
        return tuple(sorted(found, key=lambda each: each.time_ns))

    async def events(self, *, since: datetime) -> AsyncIterator[ContainerEvent]:
        """Yield container events from ``since`` on, then live ones, until the connection breaks (raises)."""
        async with self._http.stream("GET", "events", params=event_filters(since=since)) as stream:
            if stream.status != _OK:
                raise refusal(stream.status, await stream.body())
            rest = b""
            async for piece in stream.pieces():
                lines, rest = whole_lines(rest + piece)
                for line in lines:
                    for event in events_of(line):
                        yield event
        raise SourceUnreachable(NAME, "the engine ended its stream of events")

    async def exec(self, name: str, command: Sequence[str], *, timeout_seconds: float = 30) -> ExecResult:
        """Run a command in a container, without a shell. After a timeout it may still run in there."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exec(name, command)
        except TimeoutError as error:
            raise SourceTimeout(NAME, f"the command did not end within {timeout_seconds:g} s") from error

    async def _exec(self, name: str, command: Sequence[str]) -> ExecResult:
        asked = {"AttachStdout": True, "AttachStderr": True, "Tty": False, "Cmd": list(command)}
        status, body = await self._asked(name, "exec", body=asked)
        if status != _CREATED:
            raise refusal(status, body)
        with _shape("an exec"):
            exec_id = checked_name(str(json.loads(body)["Id"]))
        start = {"Detach": False, "Tty": False}
        async with self._http.stream("POST", f"exec/{exec_id}/start", body=start) as stream:
            if stream.status != _OK:
                raise refusal(stream.status, await stream.body())
            with _shape("an exec's output"):
                output = await demultiplexed(stream.pieces(), OUTPUT_MAX)
        ended: Any = json.loads(await self._http.get(f"exec/{exec_id}/json"))
        with _shape("an exec's end"):
            return ExecResult(int(ended["ExitCode"]), output.text, output.truncated)


class EngineImageList:
    """Implements ``triage.ports.actions.Images``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, repository: str) -> tuple[Image, ...]:
        """Return the tagged images of a repository, the newest first."""
        return await self._engine.images(repository)
