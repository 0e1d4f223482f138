"""One POST of a notice, and what its failure is called: for every channel that goes over HTTP."""

from __future__ import annotations

from http import HTTPStatus

import httpx

from triage.errors import FallbackFailure

SECONDS = 10.0
UNSENT = (httpx.HTTPError, httpx.InvalidURL, ValueError)
"""Why a request does not reach a server: the network, an address or a header that cannot be."""


async def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """POST once, following no redirect. Raises FallbackFailure with what the server answered; its body is not read."""
    try:
        async with (
            httpx.AsyncClient(timeout=SECONDS, trust_env=False, follow_redirects=False) as http,
            http.stream("POST", url, content=body, headers=headers) as answer,
        ):
            pass
    except UNSENT as error:
        raise FallbackFailure(f"cannot be reached ({type(error).__name__})") from error
    if not answer.is_success:
        status = HTTPStatus(answer.status_code).phrase if answer.status_code in set(HTTPStatus) else ""
        raise FallbackFailure(f"answered {answer.status_code} {status}".rstrip())
