"""The bare limit that the webhook is held against: the same server, the same parse, one shared fsync'd commit.

``python -m bench.probe PORT FILE``: FastAPI on uvicorn with uvloop and httptools, as the service has it; the body
read and parsed by the service's own model; its text kept in one SQLite table whose commits (WAL, synchronous FULL)
are shared by the requests that wait. No token, no limit on size, no dedupe, no look at labels, no notification.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import sys
import threading
from pathlib import Path

import uvloop
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.web import WebServer, listen, make_web
from handlers.alertmanager_body import Webhook
from handlers.endpoint import Endpoint

Waiting = tuple[bytes, "asyncio.Future[None]"]


class Keeper:
    """Keeps bodies: all that wait share a commit."""

    def __init__(self, file: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._file, self._loop = file, loop
        threading.Thread(target=self._run, daemon=True).start()

    async def keep(self, body: bytes) -> None:
        """Return once the body is on disk."""
        stored: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((body, stored))
        await stored

    def _run(self) -> None:
        connection = sqlite3.connect(self._file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        while True:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO bodies (body) VALUES (?)", [(body,) for body, _ in batch])
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, [stored for _, stored in batch])


def _answer(waiting: list[asyncio.Future[None]]) -> None:
    for stored in waiting:
        stored.set_result(None)


async def _serve(port: int, file: Path) -> None:
    keeper = Keeper(file, asyncio.get_running_loop())

    async def receive(request: Request) -> JSONResponse:
        body = await request.body()
        webhook = Webhook.model_validate_json(body)
        await keeper.keep(body)
        return JSONResponse({"accepted": len(webhook.alerts)})

    endpoint = Endpoint(method="POST", path="/webhooks/alertmanager", call=receive, documented=dict)
    server = WebServer(make_web([endpoint], version="probe"))
    await server.serve(sockets=[listen(("127.0.0.1", port))])


def main() -> None:
    """Serve until killed."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))


if __name__ == "__main__":
    main()
