"""A notice over HTTP, and what its failure is called: for every channel that goes over HTTP."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from triage.errors import FallbackFailure
from triage.untrusted_text import one_line

SECONDS = 10.0
"""What one request may take, from the first byte of the connection to the answer's head."""
_SHOWN = 120


async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> int:
    """Ask once, following no redirect; returns the status. Raises FallbackFailure where none came; no body is read."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False) as http,
            http.stream(method, url, content=body, headers=headers) as answer,
        ):
            return answer.status_code
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FallbackFailure(f"did not answer within {SECONDS:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise FallbackFailure(_unanswered(error)) from error


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST once. Raises FallbackFailure with what the server answered, for anything but a 2xx."""
    status = await ask("POST", url, headers, body)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    word = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    mend = ": redirects are not followed, set the address itself" if redirected else ""
    raise FallbackFailure(f"answered {status} {word}".rstrip() + mend)


def _unanswered(error: BaseException) -> str:
    """Say why a request has no answer: TLS, the connection, or an address or a header that cannot be."""
    if isinstance(error, httpx.RemoteProtocolError):
        return "closed the connection, or answered in something else than HTTP"
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {one_line(cause.verify_message, _SHOWN)}"
    if cause is not None:
        return f"cannot be reached over TLS ({one_line(str(cause.reason or cause), _SHOWN)})"
    return f"cannot be reached ({type(error).__name__})"
