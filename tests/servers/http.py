"""A client for servers of a test, which speak plain HTTP on loopback."""

import ssl
from functools import cache
from pathlib import Path

import httpx


def plain_client(
    base_url: str = "", *, timeout: float = 10, follow_redirects: bool = False, socket: Path | None = None
) -> httpx.AsyncClient:
    """Make a client that knows no certificate and no proxy; ``socket``: the Unix socket of a server that has no port.

    One that httpx makes by itself reads all certificates of the world first: a hundred times the processor time of
    a request, and a probe that waits for a server asks thirty times a second.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=timeout,
        trust_env=False,
        follow_redirects=follow_redirects,
        transport=httpx.AsyncHTTPTransport(verify=_no_certificates(), uds=str(socket) if socket else None),
    )


@cache
def _no_certificates() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
