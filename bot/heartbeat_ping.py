"""Tells whoever watches us that we live: one request to ``TRIAGE_HEARTBEAT_URL``, of whose answer no body is read."""

from __future__ import annotations

import asyncio

import httpx

from triage.errors import SourceUnreachable

SETTING = "TRIAGE_HEARTBEAT_URL"
SECONDS = 5.0
"""What a request may take in all, redirects included."""
REDIRECTS = 3


def open_client() -> httpx.AsyncClient:
    """Make a client; nothing is connected yet."""
    return httpx.AsyncClient(timeout=SECONDS, follow_redirects=False)


async def ping(http: httpx.AsyncClient, url: str, *, seconds: float = SECONDS) -> None:
    """Ask once. Raises SourceUnreachable for anything but an answer that is well."""
    try:
        async with asyncio.timeout(seconds):
            await _ask(http, http.build_request("GET", url))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        raise SourceUnreachable(SETTING, type(error).__name__) from error


async def _ask(http: httpx.AsyncClient, request: httpx.Request) -> None:
    for _ in range(REDIRECTS + 1):
        answer = await http.send(request, stream=True)
        await answer.aclose()
        if answer.next_request is None:
            answer.raise_for_status()
            return
        request = answer.next_request
    raise httpx.TooManyRedirects(f"more than {REDIRECTS} redirects", request=request)
