"""The HTTP side: one FastAPI application, and a uvicorn server that our own shutdown drives."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from bot.connections import ConnectionLimits
from bot.limited_protocol import limited
from handlers.endpoint import Endpoint
from triage.errors import SettingError

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_SECONDS = 3
"""How long requests under way may take to end at shutdown."""


def make_web(endpoints: Iterable[Endpoint], *, version: str) -> FastAPI:
    """Return the application: no redirects (one answered with 200 loses the alert), errors as JSON."""
    from fastapi import FastAPI  # noqa: PLC0415 - ``EndpointDispatcher`` answers what is asked all day, without it

    web = FastAPI(
        title="hbot-triage",
        version=version,
        redirect_slashes=False,
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
    )
    for one in endpoints:
        web.add_api_route(one.path, one.call, methods=[one.method], response_model=None, **one.documented())

    async def refuse(request: Request, error: Exception) -> JSONResponse:
        del request
        code = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        reasons = {404: "there is nothing at this path", 405: "this path does not take that method"}
        detail = str(getattr(error, "detail", "")) or "internal error"
        return JSONResponse({"error": reasons.get(code, detail)}, status_code=code, headers=headers)

    web.add_exception_handler(HTTPException, refuse)
    return web


def listen(address: tuple[str, int]) -> socket.socket:
    """Bind the address now, so that one that is taken is said in one line. Raises SettingError."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        why = f"cannot listen on {host}:{port} ({error.strerror or error})"
        raise SettingError(f"TRIAGE_LISTEN: {why}; choose another port, or end what holds it") from error
    listener.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    return listener


class WebServer(Server):
    """uvicorn without its own signal handlers: the process has one shutdown, not two."""

    def __init__(self, web: ASGIApp, limits: ConnectionLimits | None = None) -> None:
        super().__init__(
            Config(
                web,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,  # nobody asks where a request came from: whoever has the token may post
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_SECONDS,
                loop="none",
                http=limited(limits) if limits is not None else "httptools",
                ws="none",
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def stop(self) -> None:
        """Take no more connections, end those under way, return from ``serve``."""
        self.should_exit = True
