"""The agent's socket: who calls is known by the kernel, what is said is one of a closed set, all else is refused."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger
from pydantic import ValidationError

from bot.agent import protocol as p
from bot.agent.core import LocalAgent
from bot.agent.desk_reader import DeskReader
from bot.agent.looks import look
from triage.errors import ComposeRefused, DeskFailure, FileNotClear, Refused, SettingError, SourceError
from triage.masking import masked
from triage.model import utc
from triage.ports.actions import Performed, ShownPlan, Signed
from triage.ports.clock import Clock
from triage.untrusted_text import fault_words

T = TypeVar("T")
DENIED_SECONDS = 0.2
CLOSE_SECONDS = 5.0
"""What the other side has to take the rest of an answer; then the connection is cut, and its memory is free."""
CONNECTIONS = 64
"""At once; more are told so."""
_DESK_ERRORS = {FileNotClear: "not_clear", ComposeRefused: "compose_refused"}
LOOK_SECONDS, ARCHIVE_SECONDS = 30.0, 600.0
EVENTS_SECONDS = 3600.0
"""A stream of events ends after this; the bot asks for the next."""
_LIVE_CHARS = 8_000
_UNREAD_BYTES = 64 * 1024
"""Output of a step that nobody reads is not kept; the end of it comes with the answer."""


class Server:
    """Answers one uid. ``uid``: whose processes may ask."""

    def __init__(self, looks: DeskReader, agent: LocalAgent, clock: Clock, *, uid: int) -> None:
        self._looks, self._agent, self._clock, self._uid = looks, agent, clock, uid
        self._open = 0
        self._preparing: asyncio.Task[object] | None = None
        self._working: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """Listen at a path until the end of the block; steps under way are then waited for. Raises SettingError."""
        try:
            server = await asyncio.start_unix_server(self.talk, sock=_bound(path, self._uid), limit=64 * 1024)
        except OSError as error:
            raise SettingError(f"TRIAGE_AGENT: cannot listen at {path}: {error.strerror}") from error
        try:
            yield
        finally:
            server.close()
            _unlinked(path)
            if self._working:
                await asyncio.wait(self._working, timeout=5)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it. Whatever comes, this ends without an error of ours."""
        if not self._may(writer):
            # A socket that is closed with words unread drops the answer too: read them, for a moment.
            with contextlib.suppress(p.BrokenFrame, TimeoutError, ConnectionError):
                async with asyncio.timeout(DENIED_SECONDS):
                    await p.read_request(reader)
            await _closed(writer)
            return
        self._open += 1  # of those who may ask: others keep nobody out
        try:
            if self._open > CONNECTIONS:
                writer.write(_error("busy", f"{CONNECTIONS} requests are under way"))
                return
            await self._answer(await p.read_request(reader), reader, writer)
        except p.BrokenFrame as error:
            writer.write(_error("broken", str(error)))
        except (TimeoutError, ConnectionError):
            pass  # the other side went away, or never said what it wants
        finally:
            await _closed(writer)
            self._open -= 1

    def _may(self, writer: asyncio.StreamWriter) -> bool:
        peer: socket.socket = writer.get_extra_info("socket")
        _, uid, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid == self._uid:
            return True
        writer.write(_error("denied", f"uid {uid} may not ask here"))
        return False

    async def _answer(self, text: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = p.REQUESTS.validate_json(text)
        except (ValidationError, RecursionError, ValueError) as error:
            count = error.error_count() if isinstance(error, ValidationError) else 1
            writer.write(_error("broken", f"no request of this agent's ({count} faults)"))
            return
        try:
            data = p.frame({"type": "answer", "data": await self._asked(request, reader, writer)})
            writer.write(
                data if len(data) <= p.ANSWER_MAX else _error("desk", "the answer is larger than 8 MiB")
            )
        except Refused as error:
            writer.write(_error("refused", str(error)))
        except DeskFailure as error:
            writer.write(_error(_DESK_ERRORS.get(type(error), "desk"), str(error)))
        except SourceError as error:
            writer.write(_error(type(error).__name__, error.why))
        except TimeoutError as error:
            late = _error("SourceTimeout", f"no answer within {LOOK_SECONDS:g} s")
            writer.write(_failed(request, fault_words(error)) if isinstance(request, p.Perform) else late)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - of ours: the bot is told what it was, and what of a step is not known
            logger.opt(exception=error).error("a request met a fault of ours")
            writer.write(_failed(request, fault_words(error)))

    async def _asked(
        self, request: p.Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> object:
        match request:
            case p.Perform(action=action, step=step):
                return await self._perform(action, step, writer)
            case p.FollowEvents(since=since):
                return await self._events(utc(since), reader, writer)
            case p.KeepSnapshot(bot=bot):
                return await self._to_its_end(self._agent.keep_snapshot(bot))
            case p.End(ask="tidy", action=action):
                return await self._to_its_end(self._agent.tidy(action))
            case _:
                async with asyncio.timeout(
                    ARCHIVE_SECONDS if isinstance(request, p.Archive) else LOOK_SECONDS
                ):
                    return await self._quick(request)

    async def _quick(self, request: p.Request) -> object:
        match request:
            case p.Hello():
                await self._looks.engine.ready()
                return self._who()
            case p.Confirm():
                await self._agent.confirm(_shown(request))
            case p.End(action=action):
                await self._agent.end(action)
            case p.Anchor(sequence=sequence, digest=digest):
                await self._agent.anchor(sequence, digest)
            case _:
                self._prepare_to_judge()
                return await look(self._looks, request)
        return None

    def _prepare_to_judge(self) -> None:
        """Import what judges a plan beside the first look, once: a confirmation has about a second in all.

        Before anybody looks, the agent stays small.
        """
        if self._preparing is None:
            self._preparing = self._kept(
                asyncio.to_thread(importlib.import_module, "triage.actions.catalogue")
            )

    def _who(self) -> object:
        number, digest = self._agent.head
        desk = self._looks.desk
        return {
            "desk": desk.name,
            "bots": [bot.name for bot in desk.bots],
            "kinds": list(desk.agent.kinds),
            "proves": self._agent.proves,
            "record": {"entries": number, "head": digest},
            "uid": os.geteuid(),
            "at": self._clock.now().isoformat(),
        }

    async def _perform(self, action: str, step: int, writer: asyncio.StreamWriter) -> object:
        """Carry a step out and send its output meanwhile; it runs to its end also when the bot's connection is gone."""
        news = _News()
        task = self._kept(self._agent.perform(action, step, news.on_output))
        while not task.done():
            waited: set[asyncio.Future[Any]] = {task, news.waiting()}
            await asyncio.wait(waited, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            unread = writer.transport.get_write_buffer_size()
            if (text := news.take()) and not writer.is_closing() and unread < _UNREAD_BYTES:
                writer.write(p.frame({"type": "piece", "data": masked(text)[-_LIVE_CHARS:]}))
        news.close()
        return task.result()

    async def _to_its_end(self, work: Coroutine[object, object, object]) -> object:
        """Wait for work that is not left half done when the other side goes away."""
        return await asyncio.shield(self._kept(work))

    def _kept(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _events(
        self, since: datetime, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> object:
        """Tell events as they come, until the other side goes away."""
        sending = asyncio.create_task(self._tell(since, writer))
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({sending, gone}, timeout=EVENTS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
        return None

    async def _tell(self, since: datetime, writer: asyncio.StreamWriter) -> None:
        async for event in self._looks.events(since):
            writer.write(p.frame({"type": "piece", "data": event}))
            await writer.drain()


class _News:
    """The newest output of a step, and a future that is done when there is some."""

    def __init__(self) -> None:
        self._text = ""
        self._arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_output(self, text: str) -> None:
        self._text = text
        if not self._arrived.done():
            self._arrived.set_result(None)

    def waiting(self) -> asyncio.Future[None]:
        return self._arrived

    def take(self) -> str:
        text, self._text = self._text, ""
        if self._arrived.done():
            self._arrived = asyncio.get_running_loop().create_future()
        return text

    def close(self) -> None:
        self._arrived.cancel()


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection when the other side has read the answer, or has had the time to."""
    writer.close()
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await writer.wait_closed()
    except (TimeoutError, ConnectionError):
        writer.transport.abort()


def _unlinked(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _bound(path: Path, uid: int) -> socket.socket:
    """Bind a socket that only ``uid`` (and root) can connect to; one that a dead agent left is replaced."""
    with contextlib.suppress(FileNotFoundError):
        if path.is_socket():
            path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Modes are given by the bind itself: a link that somebody puts at the path meanwhile changes nothing elsewhere.
    # Of an agent that is not root the socket is open to all: the kernel tells who calls, and all but one are refused.
    before = os.umask(0o177 if os.geteuid() == 0 else 0o111)
    try:
        sock.bind(str(path))
        if os.geteuid() == 0:
            os.chown(path, uid, -1, follow_symlinks=False)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _failed(request: p.Request, why: str) -> bytes:
    """Return what is told where we fail on a request: a step may have been done all the same."""
    if isinstance(request, p.Perform):
        return p.frame(
            {"type": "answer", "data": Performed(ok=False, note=f"the agent met {why}", known=False)}
        )
    return _error("desk", f"the agent met {why}")


def _error(kind: str, why: str) -> bytes:
    return p.frame({"type": "error", "kind": kind, "why": why})


def _shown(request: p.Confirm) -> ShownPlan:
    signed = request.signed
    form = Signed(signed.body, signed.timestamp, signed.signature) if signed is not None else None
    return ShownPlan(
        token=request.action,
        kind=request.kind,
        target=request.target,
        orders=request.orders,
        rest=request.rest,
        actor=request.actor,
        reason=request.reason,
        signed=form,
    )
