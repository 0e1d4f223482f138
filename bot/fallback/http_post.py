"""Sends a notice over HTTP and names its failure: for every channel that goes over HTTP."""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus

import httpx

from triage.errors import FallbackFailure
from triage.outside_numbers import real
from triage.untrusted_text import one_line

SECONDS = 10.0
"""What one request may take, from the first byte of the connection to the answer's head."""
_SHOWN = 120
_DAY = 86_400.0
"""The longest wait that is taken for one."""


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """The status, and the seconds that the receiver asks to wait (0: it asks nothing)."""

    status: int
    wait_seconds: float = 0.0


async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> ReceiverAnswer:
    """Ask once, following no redirect. Raises FallbackFailure where no answer came; no body is read."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(
                timeout=SECONDS, trust_env=False, follow_redirects=False, verify=_authorities()
            ) as http,
            http.stream(method, url, content=body, headers=headers) as answer,
        ):
            wait = wait_seconds(answer.headers.get("Retry-After", ""), time.time())
            return ReceiverAnswer(answer.status_code, wait)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise FallbackFailure(f"did not answer within {SECONDS:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise FallbackFailure(_unanswered(error)) from error


@cache
def _authorities() -> ssl.SSLContext:
    """Read whom certificates are trusted from, once: that holds the loop for 25 ms."""
    return httpx.create_ssl_context(trust_env=False)


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST once. Raises FallbackFailure with what the server answered, for anything but a 2xx.

    A 413 without a time to wait is an answer for good: the same notice is as large the next time.
    """
    answer = await ask("POST", url, headers, body)
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    word = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    for_good = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and not answer.wait_seconds
    mend = ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        mend = ": redirects are not followed, set the address itself"
    elif for_good:
        mend = f": a notice of {len(body):,} bytes is more than it takes, raise its limit"
    raise FallbackFailure(
        f"answered {status} {word}".rstrip() + mend, wait_seconds=answer.wait_seconds, for_good=for_good
    )


def wait_seconds(value: str, now: float) -> float:
    """Read ``Retry-After``, in seconds or as a date; 0 where it says nothing that can be read. ``now``: Unix time."""
    try:
        seconds = real(value.strip())
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), _DAY) if math.isfinite(seconds) else 0.0


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
