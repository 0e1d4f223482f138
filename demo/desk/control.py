"""The control socket: how the compose command, a process of its own, reaches the simulated engine.

One request a connection, a JSON line; answers are JSON lines ``{"out": …}`` or ``{"err": …}``, the last one
``{"exit": code}``.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from demo.desk import compose_commands, compose_file
from demo.desk.compose_file import ComposeError
from demo.desk.engine import Engine, EngineError

FAILED, FILE_NOT_FOUND, NOT_PARSED, PULL_FAILED = 1, 14, 15, 18
READ_WITHIN = 5.0


class Order(BaseModel):
    """A compose command line that was read already; paths are absolute."""

    file: Path
    env_files: list[Path]
    environment: dict[str, str]
    project: str | None = None
    command: str
    services: list[str]
    profiles: list[str]
    options: list[str]
    tail: int = 0


def project_of(order: Order) -> compose_file.Project:
    """Read the project an order names. Raises ComposeError."""
    env: dict[str, str] = {}
    for path in order.env_files:
        env |= compose_file.read_env(path)
    env |= order.environment
    if order.project:
        env["COMPOSE_PROJECT_NAME"] = order.project
    return compose_file.load(order.file, env)


class Control:
    """Listens on a unix socket. ``before`` brings the world up to date ahead of a command."""

    def __init__(self, engine: Engine, before: Callable[[], None] = lambda: None) -> None:
        self._engine, self._before = engine, before
        self._server: asyncio.Server | None = None
        self._served: set[asyncio.Task[None]] = set()

    async def start(self, socket: Path) -> None:
        """Listen. Raises OSError when the path cannot be used."""
        self._server = await asyncio.start_unix_server(self._connected, str(socket))

    async def stop(self) -> None:
        """Close the socket, and end what is under way on it."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            raw = await asyncio.wait_for(reader.readline(), READ_WITHIN)
            self._before()
            code = self._carry_out(raw, lambda kind, text: _send(writer, {kind: text}))
            _send(writer, {"exit": code})
            await asyncio.wait_for(writer.drain(), READ_WITHIN)
        except (ConnectionError, TimeoutError):
            pass  # the caller is gone: what was done is done
        finally:
            writer.close()
            with suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), READ_WITHIN)

    def _carry_out(self, raw: bytes, say: Callable[[str, str], None]) -> int:
        command = ""
        try:
            order = Order.model_validate_json(raw)
            command = order.command
            request = compose_commands.Request(
                command=order.command,
                services=tuple(order.services),
                profiles=tuple(order.profiles),
                options=frozenset(order.options),
                tail=order.tail,
            )
            for kind, text in compose_commands.run(self._engine, project_of(order), request):
                say(kind, text)
        except ValidationError as error:
            say("err", f"invalid order: {error.errors()[0]['msg']}")
            return FAILED
        except ComposeError as error:
            say("err", str(error))
            return _code(str(error))
        except EngineError as error:
            say("err", f"Error response from daemon: {error}")
            return PULL_FAILED if command == "pull" else FAILED
        return 0


def _code(text: str) -> int:
    if "no such file" in text or "couldn't find" in text:
        return FILE_NOT_FOUND
    return NOT_PARSED if text.startswith("yaml:") else FAILED


def _send(writer: asyncio.StreamWriter, message: dict[str, object]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
