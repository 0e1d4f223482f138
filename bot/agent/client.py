"""The bot's side of the agent's socket: a request, its answer, and its errors as ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from bot.agent import protocol as p
from triage import errors
from triage.errors import (
    DeskFailure,
    Refused,
    SourceBadAnswer,
    SourceError,
)

T = TypeVar("T")
NAME = "Docker"
"""As operators know what is asked through the agent's looks."""
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 35.0
ARCHIVE_SECONDS, STEP_SECONDS = 600.0, 900.0
_ERRORS: dict[str, type[errors.TriageError]] = {
    "refused": Refused,
    "not_clear": errors.FileNotClear,
    "compose_refused": errors.ComposeRefused,
}
_SOURCE_ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, SourceError)
    and kind not in {SourceError, errors.SourceNotConfigured}
}


class AgentUnreachable(Exception):
    """The agent cannot be reached, or the connection to it broke. ``asked``: the request had been sent."""

    def __init__(self, why: str, *, asked: bool) -> None:
        super().__init__(why)
        self.asked = asked


class Wire:
    """Asks the agent at ``unix:///…``, one request a connection."""

    def __init__(self, address: str) -> None:
        self.path = address.removeprefix("unix://")

    @asynccontextmanager
    async def _asked(self, request: p.Ask) -> AsyncIterator[asyncio.StreamReader]:
        """Send a request. Raises AgentUnreachable."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.path, limit=64 * 1024)
        except (OSError, TimeoutError) as error:
            why = getattr(error, "strerror", None) or "no answer"
            said = f"the agent at {self.path} cannot be reached ({why}); is hbot-triage agent running"
            raise AgentUnreachable(said, asked=False) from error
        try:
            await self._sent(writer, p.frame(request.model_dump(mode="json")))
            yield reader
        finally:
            writer.close()

    async def _sent(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                with contextlib.suppress(ConnectionError):  # refused before it was read: the answer says why
                    writer.write(data)
                    await writer.drain()
        except TimeoutError as error:
            asked = not writer.transport.get_write_buffer_size()
            writer.transport.abort()  # else the rest is sent when the agent reads again: nobody waits for that any more
            said = f"the agent at {self.path} does not read what it is asked"
            raise AgentUnreachable(said, asked=asked) from error

    async def frames(self, request: p.Ask, *, seconds: float) -> AsyncIterator[tuple[str, Any]]:
        """Yield the pieces and then the answer. Raises AgentUnreachable, Refused, DeskFailure, SourceError."""
        async with self._asked(request) as reader:
            while True:
                try:
                    async with asyncio.timeout(seconds):
                        found = await p.read_frame(reader, p.ANSWER_MAX)
                except (p.BrokenFrame, TimeoutError) as error:
                    why = str(error) or f"no answer within {seconds:g} s"
                    raise AgentUnreachable(f"the agent was lost: {why}", asked=True) from error
                if not isinstance(found, dict):
                    raise AgentUnreachable("the agent was lost: it told something else", asked=True)
                if found.get("type") == "error":
                    raise _error(str(found.get("kind")), str(found.get("why")))
                yield str(found.get("type")), found.get("data")
                if found.get("type") == "answer":
                    return

    async def ask(self, request: p.Ask, kind: type[T] | Any, *, seconds: float = ANSWER_SECONDS) -> T:  # noqa: ANN401 - a type form
        """Ask and return the answer as ``kind``. Raises AgentUnreachable, Refused, DeskFailure, SourceError."""
        answer: Any = None
        try:
            async with asyncio.timeout(seconds):  # of all it tells, also where each piece comes in time
                async for what, data in self.frames(request, seconds=seconds):
                    answer = data if what == "answer" else answer
        except TimeoutError as error:
            said = f"the agent was lost: no answer within {seconds:g} s"
            raise AgentUnreachable(said, asked=True) from error
        try:
            read: T = adapter(kind).validate_python(answer)
        except (ValidationError, RecursionError) as error:
            said = "the agent answered something else than was asked; is it of this version"
            raise SourceBadAnswer(NAME, said) from error
        return read


_adapters: dict[str, TypeAdapter[Any]] = {}


def adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type form
    """Return what reads an answer of that kind; made once."""
    return _adapters.setdefault(str(kind), TypeAdapter(kind))


def _error(kind: str, why: str) -> Exception:
    if kind == "SourceNotConfigured":
        return errors.SourceNotConfigured(NAME)
    if kind in _SOURCE_ERRORS:
        return _SOURCE_ERRORS[kind](NAME, why)
    if kind in _ERRORS:
        return _ERRORS[kind](why)
    if kind == "denied":
        return AgentUnreachable(f"the agent does not let this process in: {why}", asked=False)
    if kind == "busy":
        return AgentUnreachable(f"the agent is busy: {why}", asked=False)
    return DeskFailure(why if kind == "desk" else f"the agent did not take the request: {why}")


@dataclass(frozen=True, slots=True)
class RecordLength:
    """How many lines the agent's record has, and the digest of the last."""

    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """What an agent says of itself: its desk, what it may do, whether it believes Slack's signature alone."""

    desk: str
    bots: tuple[str, ...]
    kinds: tuple[str, ...]
    proves: bool
    record: RecordLength
    uid: int
    at: AwareDatetime


async def hello(address: str) -> AgentIdentity:
    """Ask the agent who it is. Raises DeskFailure, SourceError."""
    try:
        found: AgentIdentity = await Wire(address).ask(p.Hello(), AgentIdentity)
    except AgentUnreachable as error:
        raise DeskFailure(str(error)) from error
    return found
