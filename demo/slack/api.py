"""`/api/{method}`: who calls, with what, whether they may, and every way in which it can go wrong."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from aiohttp import web

from demo.slack.errors import SlackError
from demo.slack.pace import POST, WORKSPACE_POSTS
from demo.slack.web.call import Args, WebCall
from demo.slack.web.table import METHODS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from demo.slack.backend import SlackBackend
    from demo.slack.faults import Fault
    from demo.slack.model import Json, Token
    from demo.slack.web.table import Method


async def read_args(request: web.Request) -> Json:
    """Return the arguments of a call out of query, form or JSON body."""
    args: Json = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        try:
            sent = json.loads(body) if body else {}
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(sent, dict):
            raise SlackError("json_not_object")
        return args | sent
    return args | {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


async def serve(server: SlackBackend, request: web.Request) -> web.StreamResponse:
    """Serve one call, or break it as an armed fault says."""
    name, at = request.match_info["method"], time.monotonic()
    try:
        args = await read_args(request)
    except SlackError as error:
        return web.json_response(error.answer())
    fault = server.faults.take(name, args)
    if fault is not None and fault.kind == "late":
        return await _late(server, request, name, args, fault)
    if fault is not None and not fault.processed:
        server.calls.add(name, args, at, fault.code or fault.kind)
        return await broken(request, fault)
    response, result = await _answered(server, request, name, args)
    if fault is not None:
        server.calls.add(name, args, at, result if fault.kind == "delay" else fault.code or fault.kind)
        return await broken(request, fault, response)
    server.calls.add(name, args, at, result)
    return response


async def _late(
    server: SlackBackend, request: web.Request, name: str, args: Json, fault: Fault
) -> web.StreamResponse:
    """Do a call after a while, in the background: that its caller has hung up, or died, changes nothing."""
    at = time.monotonic()

    async def do() -> web.Response:
        response, result = await _answered(server, request, name, args)
        server.calls.add(name, args, at, result)
        return response

    return await do_late(server, fault.seconds, do)


async def do_late(
    server: SlackBackend, seconds: float, do: Callable[[], Awaitable[web.Response]]
) -> web.StreamResponse:
    """Do something after a while whatever becomes of the request, and answer it if it is still there."""
    done: asyncio.Future[web.Response] = asyncio.get_running_loop().create_future()

    async def later() -> None:
        await asyncio.sleep(seconds)
        try:
            done.set_result(await do())
        finally:
            server.faults.late -= 1

    server.faults.late += 1
    server.spawn(later())
    return await asyncio.shield(done)


async def broken(request: web.Request, fault: Fault, response: web.Response | None = None) -> web.Response:
    """Answer as a fault says; `response` is what would have been answered."""
    if fault.kind == "rate_limited":
        return _too_many(int(fault.seconds))
    if fault.kind == "error":
        return web.json_response(SlackError(fault.code).answer())
    if fault.kind == "delay" and response is not None:
        await asyncio.sleep(fault.seconds)
        return response
    if fault.kind == "raw":
        return web.Response(
            body=fault.body, status=fault.status, headers=fault.headers, content_type=fault.content_type
        )
    if fault.kind == "http":
        return web.Response(status=fault.status, text="<html>upstream error</html>", content_type="text/html")
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _too_many(seconds: int) -> web.Response:
    answer = SlackError("ratelimited").answer()
    return web.json_response(answer, status=429, headers={"Retry-After": str(seconds)})


async def _answered(
    server: SlackBackend, request: web.Request, name: str, args: Json
) -> tuple[web.Response, str]:
    """Return the answer of a call and the word for the log: `ok`, an error code, or `rate_limited`."""
    headers: dict[str, str] = {}
    try:
        method = _method(name)
        token = _token(server, request, args)
        headers = {
            "x-oauth-scopes": ",".join(sorted(token.scopes)),
            "x-accepted-oauth-scopes": ",".join(method.scopes),
        }
        _allowed(token, method)
        if wait := _wait(server, name, method, args):
            return _too_many(wait), "rate_limited"
        answer = await method.run(WebCall(name, Args(args), token, server))
    except SlackError as error:
        return web.json_response(error.answer(), headers=headers), error.code
    return web.json_response({"ok": True, **answer}, headers=headers), "ok"


def _method(name: str) -> Method:
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", extra={"req_method": name})
    return method


def _token(server: SlackBackend, request: web.Request, args: Json) -> Token:
    header = request.headers.get("Authorization", "")
    value = header.removeprefix("Bearer ").strip() or str(args.pop("token", "") or "")
    if not value:
        raise SlackError("not_authed")
    token = server.tokens.get(value)
    if token is None:
        raise SlackError("invalid_auth")
    if token.refused:
        raise SlackError(token.refused)
    return token


def _allowed(token: Token, method: Method) -> None:
    if method.kind not in {"any", token.kind}:
        raise SlackError("not_allowed_token_type")
    if method.scopes and token.scopes.isdisjoint(method.scopes):
        provided = ",".join(sorted(token.scopes))
        raise SlackError("missing_scope", extra={"needed": ",".join(method.scopes), "provided": provided})


def _wait(server: SlackBackend, name: str, method: Method, args: Json) -> int:
    """Return the seconds a caller must wait, 0 when it need not."""
    if method.limit is not POST:
        return server.pace.wait_for((name,), method.limit)
    channel = str(args.get("channel", ""))
    return server.pace.wait_for((name, channel), POST) or server.pace.wait_for((name,), WORKSPACE_POSTS)
