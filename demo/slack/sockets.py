"""Socket Mode: the app's WebSocket connections, and the envelopes that are sent over any one of them."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from demo.slack.workspace import Change

if TYPE_CHECKING:
    from aiohttp import WSMessage

    from demo.slack.model import Json
    from demo.slack.workspace import Workspace

MOST_CONNECTIONS = 10


@dataclass(frozen=True)
class Ack:
    """How the app answered: in how many seconds, with what payload; `why` says why it did not."""

    acked: bool
    payload: Json | None = None
    seconds: float = 0.0
    why: str = ""


@dataclass(eq=False)
class Connection:
    """One socket. A `silent` one answers pings and carries no envelope; a `frozen` one does not answer pings either."""

    socket: web.WebSocketResponse
    request: web.Request
    number: int
    silent: bool = False
    frozen: bool = False
    leaving: bool = False
    awaited: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)


class Sockets:
    """All connections of the app. Envelopes take turns among them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._turn = itertools.count()
        self._numbers = itertools.count(1)
        self.connections: list[Connection] = []
        self.opened = 0
        self.base_url = ""
        self.turned_away = ""
        """A reason for which each new connection is told to go at once, and closed; empty: they are welcome."""
        self.deaf = False
        """Whether each new connection is opened and then neither greeted nor answered, as behind a proxy that holds all."""

    def new_address(self) -> str:
        """Return a WebSocket address that is good for one connection."""
        ticket = self._workspace.ids.secret()
        self._tickets.add(ticket)
        address = self.base_url.replace("http", "ws", 1)
        return f"{address}/link/?ticket={ticket}&app_id={self._workspace.app.app_id}"

    async def until_connected(self, count: int = 1, seconds: float = 30.0) -> None:
        """Wait until the app holds at least `count` connections."""
        await self._workspace.until(
            lambda: len(self.connections) >= count, seconds, f"{count} Socket Mode connections"
        )

    # -- one connection ----------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve `GET /link/`."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(text="this ticket is unknown or used")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False, timeout=0.5)
        await socket.prepare(request)
        away = "too_many_websockets" if len(self.connections) >= MOST_CONNECTIONS else self.turned_away
        if away:
            await socket.send_json({"type": "disconnect", "reason": away})
            await socket.close()
            return socket
        connection = Connection(socket, request, next(self._numbers), frozen=self.deaf)
        self.connections.append(connection)
        self.opened += 1
        try:
            if not connection.frozen:
                await self._hello(connection)
            self._workspace.tell(Change("sockets"))
            async for message in socket:
                await self._received(connection, message)
        finally:
            self._forget(connection)
        return socket

    async def _hello(self, connection: Connection) -> None:
        await connection.socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.connections),
                "debug_info": {
                    "host": f"applink-{connection.number}",
                    "build_number": 1,
                    "approximate_connection_time": 18060,
                },
                "connection_info": {"app_id": self._workspace.app.app_id},
            }
        )

    async def _received(self, connection: Connection, message: WSMessage) -> None:
        if connection.frozen:
            return
        if message.type is WSMsgType.PING:
            with suppress(ConnectionError):  # it has gone meanwhile, or is being closed
                await connection.socket.pong(message.data)
        elif message.type is WSMsgType.TEXT and not connection.silent:
            answer = json.loads(message.data)
            waiting = connection.awaited.get(answer.get("envelope_id", ""))
            if waiting is not None and not waiting.done():
                waiting.set_result(answer.get("payload"))

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        for waiting in connection.awaited.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the connection closed before the answer"))
        self._workspace.tell(Change("sockets"))

    # -- envelopes ---------------------------------------------------------------------------------------------

    async def send(self, kind: str, payload: Json, seconds: float, **more: object) -> Ack:
        """Send one envelope down the next connection and wait up to `seconds` for its acknowledgement."""
        usable = [each for each in self.connections if not each.socket.closed]
        usable = [each for each in usable if not each.leaving] or usable
        if not usable:
            return Ack(acked=False, why="no connection")
        connection = usable[next(self._turn) % len(usable)]
        envelope_id = str(uuid.uuid4())
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        connection.awaited[envelope_id] = waiting
        since = time.monotonic()
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, **more}
        try:
            async with asyncio.timeout(seconds):
                if not (connection.silent or connection.frozen):
                    await connection.socket.send_json(envelope)
                answer = await waiting
            return Ack(acked=True, payload=answer, seconds=time.monotonic() - since)
        except TimeoutError:
            return Ack(acked=False, seconds=seconds, why="operation_timeout")
        except ConnectionError as error:
            return Ack(acked=False, seconds=time.monotonic() - since, why=str(error))
        finally:
            del connection.awaited[envelope_id]

    # -- trouble -----------------------------------------------------------------------------------------------

    async def refresh(
        self, reason: str = "refresh_requested", *, warning: bool = False, close_after: float | None = None
    ) -> None:
        """Ask every connection to reconnect, as Slack does every few hours; `warning` sends the notice before it.

        With `close_after` they are closed so many seconds later, if they are still there.
        """
        leaving = tuple(self.connections)
        for connection in leaving:
            if warning:
                await connection.socket.send_json({"type": "disconnect", "reason": "warning"})
            await connection.socket.send_json(
                {
                    "type": "disconnect",
                    "reason": reason,
                    "debug_info": {"host": f"applink-{connection.number}"},
                }
            )
            connection.leaving = close_after is not None
        if close_after is not None:
            await asyncio.sleep(close_after)
            for connection in leaving:
                await connection.socket.close(code=1000, message=b"refresh")

    def drop(self, count: int | None = None) -> int:
        """Cut connections (all of them, or `count`) without a close frame; return how many."""
        victims = self.connections[:count]
        for connection in victims:
            if connection.request.transport is not None:
                connection.request.transport.abort()
        return len(victims)

    def stop_answering(self, count: int | None = None, *, frozen: bool = False) -> int:
        """Keep connections open and ignore them; `frozen` ones do not answer pings either. Return how many."""
        victims = self.connections[:count]
        for connection in victims:
            connection.silent, connection.frozen = True, frozen
        return len(victims)

    async def close(self) -> None:
        """Close every connection in good order."""
        for connection in tuple(self.connections):
            await connection.socket.close(code=1001, message=b"server shutdown")
