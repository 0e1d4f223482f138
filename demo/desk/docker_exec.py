"""Running commands in containers over the Engine API: create, start (also over an upgraded connection), inspect."""

import secrets
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from demo.desk import container_shell
from demo.desk.container import Container

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

STDOUT, STDERR = 1, 2
RAW, MULTIPLEXED = "application/vnd.docker.raw-stream", "application/vnd.docker.multiplexed-stream"


@dataclass(slots=True)
class Execution:
    """One command in one container."""

    container: Container
    command: list[str]
    tty: bool
    exit_code: int | None = None


def frame(stream: int, text: str) -> bytes:
    """Return a chunk of a multiplexed stream; nothing for an empty text."""
    data = text.encode()
    return struct.pack(">BxxxL", stream, len(data)) + data if data else b""


class Executions:
    """Keeps the commands by their id."""

    def __init__(self, world: "WorldState") -> None:
        self._world = world
        self._known: dict[str, Execution] = {}

    def create(self, container: Container, body: dict[str, object]) -> str:
        """Note a command and return its id. Raises ValueError when there is none."""
        command = body.get("Cmd")
        if not isinstance(command, list) or not command:
            raise ValueError("No exec command specified")
        execution_id = secrets.token_hex(32)
        self._known[execution_id] = Execution(
            container, [str(word) for word in command], bool(body.get("Tty"))
        )
        return execution_id

    def find(self, execution_id: str) -> Execution | None:
        """Return the command of that id; None when there is none."""
        return self._known.get(execution_id)

    def run(self, execution: Execution) -> bytes:
        """Run it and return what its stream carries."""
        ran = container_shell.run(self._world, execution.container, execution.command)
        execution.exit_code = ran.exit_code
        if execution.tty:
            return (ran.out + ran.err).replace("\n", "\r\n").encode()
        return frame(STDOUT, ran.out) + frame(STDERR, ran.err)


def upgraded(request: web.Request, kind: str, data: bytes) -> web.Response:
    """Answer a client that wants the bare connection: 101, the stream, and the end."""
    if request.transport is not None:
        head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: {kind}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        request.transport.write(head.encode() + data)
        request.transport.close()
    return web.Response()
