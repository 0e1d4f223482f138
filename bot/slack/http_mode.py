"""HTTP mode: ``POST /slack/events``, each request proven by its signature before anything reads it."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable

from loguru import logger
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.slack.payload_shape import Odd, look_over

MOST_BYTES = 1024 * 1024
_LONGEST_TIMESTAMP = 12
_FAULT = 500


def events_endpoint(app: AsyncApp, signing_secret: str) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint. 401 without a good signature of the last five minutes, 413 beyond 1 MiB, 400 for odd bodies."""
    verifier = SignatureVerifier(signing_secret)
    handler = AsyncSlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _refused(413, f"the body is larger than {MOST_BYTES} bytes")
        stamp = request.headers.get("x-slack-request-timestamp", "")
        # The SDK's int() takes more than digits, and raises on the rest.
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_TIMESTAMP):
            return _refused(401, "X-Slack-Request-Timestamp is missing or no number")
        signature = request.headers.get("x-slack-signature", "")
        try:
            genuine = signature.isascii() and verifier.is_valid(body, stamp, signature)
        except UnicodeDecodeError:
            genuine = False
        if not genuine:
            return _refused(401, _why_not(verifier, body, stamp, signature))
        try:
            look_over(body.decode(), request.headers.get("content-type", ""))
        except Odd as odd:
            logger.warning("Slack signed a body that is none of Slack's: {why}", why=odd)
            return _refused(400, str(odd))
        return await _served(handler, request)

    return endpoint


def _why_not(verifier: SignatureVerifier, body: bytes, stamp: str, signature: str) -> str:
    """Say why a request is not taken for Slack's; that this machine's clock is off is logged too: nobody can press."""
    try:
        signed = verifier.generate_signature(timestamp=stamp, body=body) or ""
    except UnicodeDecodeError:
        signed = ""
    if not signed or not hmac.compare_digest(signed.encode(), signature.encode("utf-8", "replace")):
        return "the signature does not match: is SLACK_SIGNING_SECRET this app's?"
    why = (
        f"the signature is right, and its time is {abs(time.time() - int(stamp)):.0f} s off this machine's clock, where "
        "300 s are allowed: set the clock, if this is no old request that was sent again"
    )
    logger.warning("a request of Slack's is refused: {why}", why=why)
    return why


async def _served(handler: AsyncSlackRequestHandler, request: Request) -> Response:
    """Let bolt serve it. What fails nevertheless is in the log; any answer but a 2xx tells the person so."""
    try:
        answer = await handler.handle(request)
    except Exception:  # noqa: BLE001 - the door of the process: one request costs no more than itself
        logger.exception("a request of Slack's could not be served")
        return _refused(400, "the request could not be served; the log says why")
    if answer.status_code >= _FAULT:
        logger.error(
            "a listener failed with a request of Slack's (status {status})", status=answer.status_code
        )
        return _refused(400, "the request could not be served; the log says why")
    return answer


async def _body(request: Request) -> bytes | None:
    """Return the body, None when it is too large; the request keeps it for bolt."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    request._body = body  # noqa: SLF001 - what request.body() would have kept; the stream is read once
    return body


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)
