"""httpx's way to the network, on aiohttp's connections.

A triage asks thirty questions at once. httpx's own pool looks at every connection for each of them, which took
longer than the sources did; aiohttp, which Slack's client brings along, takes a quarter of that.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from aiohttp.connector import AddrInfoType
from yarl import URL

CONNECTIONS = 112
"""At the most, to one server; those that nobody needs are closed after ``IDLE_SECONDS``."""
IDLE_SECONDS = 60.0
RECEIVE_BYTES = 32 * 1024
"""What the kernel holds of an answer until it is read, and so what one read can bring: a loop that reads takes all there
is, up to 256 KiB for each connection, before anybody could refuse the answer.
"""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends httpx's requests to one server, over a unix socket where ``unix`` names one.

    Certificates are compared with the system's trust store, which aiohttp has loaded for Slack: one more would take
    megabytes. Raises httpx's own errors, so that nobody above can tell the difference.
    """

    def __init__(self, *, unix: str = "") -> None:
        self._unix = unix
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        """Open the session when it is first needed: it belongs to the loop that then runs."""
        if self._session is None or self._session.closed:
            connector: aiohttp.BaseConnector
            if self._unix:
                connector = aiohttp.UnixConnector(self._unix, limit=CONNECTIONS)
            else:
                connector = aiohttp.TCPConnector(
                    limit=CONNECTIONS,
                    keepalive_timeout=IDLE_SECONDS,
                    use_dns_cache=False,
                    socket_factory=_small_socket,
                )
            self._session = aiohttp.ClientSession(
                connector=connector,
                read_bufsize=RECEIVE_BYTES,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer with its body unread."""
        body = await request.aread()
        times = request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=times.get("pool"),
            sock_connect=times.get("connect"),
            sock_read=times.get("read"),
        )
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() not in {b"content-length", b"transfer-encoding"}  # aiohttp counts by itself
        ]
        # httpx has made a header of a user and a password in the address already; a copy parses the address anew.
        url = request.url.copy_with(userinfo=b"") if request.url.userinfo else request.url
        with _errors(request):
            response = await self._open().request(
                request.method,
                URL(str(url), encoded=True),
                headers=headers,
                data=body or None,
                allow_redirects=False,
                timeout=timeout,
            )
        return httpx.Response(
            response.status, headers=list(response.raw_headers), stream=_Body(request, response)
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


class _Body(httpx.AsyncByteStream):
    """A body that is read as it is asked for."""

    def __init__(self, request: httpx.Request, response: aiohttp.ClientResponse) -> None:
        self._request, self._response = request, response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors(self._request):
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """Give the connection back where the body was read to its end, else close it."""
        if self._response.content.is_eof():
            self._response.release()
        else:
            self._response.close()


def _small_socket(address: AddrInfoType) -> socket.socket:
    """Make a socket that takes little at once; set before it connects, for the two ends agree on it then."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return made


@contextmanager
def _errors(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ConnectionTimeoutError, aiohttp.ServerTimeoutError, TimeoutError) as error:
        kind = (
            httpx.ConnectTimeout if isinstance(error, aiohttp.ConnectionTimeoutError) else httpx.ReadTimeout
        )
        raise kind(str(error), request=request) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(_words(error.os_error), request=request) from error
    except aiohttp.ServerDisconnectedError as error:
        text = "Server disconnected without sending a response."
        raise httpx.RemoteProtocolError(text, request=request) from error
    except aiohttp.ClientPayloadError as error:
        text = "peer closed connection without sending complete message body"
        raise httpx.RemoteProtocolError(text, request=request) from error
    except aiohttp.ClientResponseError as error:
        raise httpx.RemoteProtocolError(error.message or str(error), request=request) from error
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(_words(error), request=request) from error


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__)
