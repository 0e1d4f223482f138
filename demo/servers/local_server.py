"""What every stand-in shares: an aiohttp application on a loopback port, and faults on request."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Self

from aiohttp import web

# Go's encoder writes no spaces; a client that compares text sees what the real server sends.
compact = partial(json.dumps, separators=(",", ":"), ensure_ascii=False)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FaultKind = Literal["delay", "hang", "status", "garbage", "empty", "huge", "reset"]

HUGE_BYTES = 64 * 1024 * 1024
HUGE_CHUNK = b" " * 65_536


@dataclass(slots=True)
class Fault:
    """One way to fail the next `times` requests (None: until removed) whose path starts with `path`.

    `delay` waits `seconds` and then answers; `hang` never answers; `status` answers `status` with `body` (JSON or text);
    `garbage` answers 200 with something that is not JSON; `empty` 200 without a body; `huge` 200 with
    64 MiB; `reset` closes the connection without an answer.
    """

    kind: FaultKind
    path: str = "/"
    seconds: float = 0.0
    status: int = 500
    body: str = ""
    times: int | None = None


@dataclass(slots=True)
class Faults:
    """The faults a server has at the moment; the first that fits a request takes it."""

    active: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Let matching requests fail from now on."""
        self.active.append(fault)

    def clear(self) -> None:
        """Answer properly again."""
        self.active.clear()

    def take(self, path: str) -> Fault | None:
        """Return the fault for a request, and count it."""
        for fault in self.active:
            if not path.startswith(fault.path):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.active.remove(fault)
            return fault
        return None


class LocalServer:
    """An HTTP server on 127.0.0.1, started and stopped inside the running event loop.

    Subclasses give their routes in `routes()`. Usable as `async with`.
    """

    def __init__(self, port: int = 0) -> None:
        self.faults = Faults()
        self.requests: list[str] = []
        self._wanted_port = port
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._stopping = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes this server answers."""
        raise NotImplementedError

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request; a subclass wraps this to check authorisation or to shape errors."""
        return await handler(request)

    @property
    def url(self) -> str:
        """The base address, without a slash at its end. Raises RuntimeError before `start`."""
        if not self._port:
            raise RuntimeError(f"{type(self).__name__} is not started")
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError when the port is in use."""

        @web.middleware
        async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.path_qs}")
            fault = self.faults.take(request.path)
            if fault is not None:
                failed = await self._fail(request, fault)
                if failed is not None:
                    return failed
            return await self.answer(request, handler)

        application = web.Application(middlewares=[with_faults], client_max_size=HUGE_BYTES)
        application.add_routes(self.routes())
        self._stopping.clear()
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port or self._wanted_port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and every connection; `start` again listens on the same port."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                return None
            case "hang":
                await self._stopping.wait()
                return web.Response(status=503)
            case "status":
                kind = "application/json" if fault.body[:1] in {"{", "[", '"'} else "text/plain"
                return web.Response(status=fault.status, text=fault.body, content_type=kind)
            case "huge":
                return await _huge(request)
            case _:
                return _broken(request, fault)


def _broken(request: web.Request, fault: Fault) -> web.Response:
    """Answer what no client can use."""
    if fault.kind == "reset" and request.transport is not None:
        request.transport.abort()
    text = "<html>not what you asked for" if fault.kind == "garbage" else ""
    return web.Response(text=text, content_type="application/json")


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the parameters of a request; in a POST the body's go before the address'."""
    form = {name: str(value) for name, value in request.query.items()}
    if request.method == "POST":
        form.update({name: str(value) for name, value in (await request.post()).items()})
    return form


async def _huge(request: web.Request) -> web.StreamResponse:
    """Stream more than any client should read."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(HUGE_BYTES // len(HUGE_CHUNK)):
        await response.write(HUGE_CHUNK)
    await response.write_eof()
    return response
