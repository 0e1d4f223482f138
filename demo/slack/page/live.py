"""The live connection of a page: each change, as HTML for its viewer, within milliseconds."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from demo.slack.errors import SlackError

if TYPE_CHECKING:
    from demo.slack.model import Json, Message, User
    from demo.slack.page.render import Renderer
    from demo.slack.server import SlackServer
    from demo.slack.workspace import Change


class Live:
    """All live connections of all pages."""

    def __init__(self, server: SlackServer, renderer: Renderer) -> None:
        self._server = server
        self._renderer = renderer
        self._sockets: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request, viewer: User) -> web.WebSocketResponse:
        """Serve one page until it goes away."""
        socket = web.WebSocketResponse(heartbeat=20, timeout=0.5)
        changes: asyncio.Queue[Change] = asyncio.Queue()
        with self._server.workspace.listening(changes.put_nowait):
            await socket.prepare(request)
            self._sockets.add(socket)
            try:
                await socket.send_json({"kind": "hello", "version": self._server.workspace.version})
                async with asyncio.TaskGroup() as tasks:
                    sender = tasks.create_task(self._send(socket, viewer, changes))
                    await self._listen(socket, viewer)
                    sender.cancel()
            finally:
                self._sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Close every connection, so that the server can stop."""
        for socket in tuple(self._sockets):
            await socket.close(code=1001)

    async def _listen(self, socket: web.WebSocketResponse, viewer: User) -> None:
        """Take the page's word for what has been read."""
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            channel = self._server.workspace.channels.get(json.loads(frame.data).get("read", ""))
            if channel is not None:
                self._renderer.reads.mark(viewer.id, channel)

    async def _send(
        self, socket: web.WebSocketResponse, viewer: User, changes: asyncio.Queue[Change]
    ) -> None:
        try:
            while True:
                change = await changes.get()
                version = self._server.workspace.version
                for note in self._notes(change, viewer):
                    await socket.send_json(note | {"version": version})
        except ConnectionError:
            await socket.close()

    def _notes(self, change: Change, viewer: User) -> list[Json]:
        """Return what the page is told of a change; nothing when it is not for this viewer."""
        if change.user is not None and change.user != viewer.id:
            return []
        if change.kind == "view":
            return [{"kind": "view", "html": self._renderer.modal(viewer)}]
        if change.kind == "home":
            return [{"kind": "home", "html": self._renderer.pane(viewer, "home")}]
        message = change.message
        if message is None or viewer.id not in self._server.workspace.channel(message.channel).members:
            return []
        if change.kind == "deleted" and not message.tombstone:
            return [
                {"kind": "deleted", "channel": message.channel, "ts": message.ts},
                *self._parent(message, viewer),
            ]
        return [self._update(change.kind, message, viewer), *self._parent(message, viewer)]

    def _parent(self, message: Message, viewer: User) -> list[Json]:
        """Return the parent of a reply anew: it counts its replies."""
        if not message.is_reply or message.ephemeral_to is not None:
            return []
        try:
            parent = self._server.workspace.message(message.channel, message.thread_ts or "")
        except SlackError:
            return []
        return [self._update("edited", parent, viewer)]

    def _update(self, kind: str, message: Message, viewer: User) -> Json:
        in_channel = message.broadcast or message.thread_ts in {None, message.ts}
        in_thread = message.thread_ts is not None
        return {
            "kind": "posted" if kind == "posted" else "edited",
            "channel": message.channel,
            "ts": message.ts,
            "thread": message.thread_ts or message.ts,
            "mine": message.user == viewer.id,
            "html": self._renderer.message(viewer, message, scope="c") if in_channel else "",
            "reply": self._renderer.message(viewer, message, scope="t") if in_thread else "",
        }
