"""How a request to the exchange can fail, and the exception that the connector then meets.

The shapes are those of Hummingbot's REST assistant and of aiohttp: an answer with an HTTP status of 400 or more, an
answer with status 200 whose code is not ``00000``, and a request that got no answer at all.
"""

from dataclasses import dataclass
from typing import Literal

Endpoint = Literal["place", "cancel", "account", "orders", "rules", "time", "book", "user_stream"]
SIGNED: tuple[Endpoint, ...] = ("place", "cancel", "account", "orders", "user_stream")
PUBLIC: tuple[Endpoint, ...] = ("rules", "time", "book")
EVERYTHING: tuple[Endpoint, ...] = (*SIGNED, *PUBLIC)
SOCKETS: tuple[Endpoint, ...] = ("book", "user_stream")
OK_CODE = "00000"
FIRST_ERROR = 400

_REST, _SOCKET = "api.bitget.com", "ws.bitget.com"
_PATHS: dict[Endpoint, str] = {
    "place": "POST /api/v2/spot/trade/place-order",
    "cancel": "POST /api/v2/spot/trade/cancel-order",
    "account": "GET /api/v2/spot/account/assets",
    "orders": "GET /api/v2/spot/trade/orderInfo",
    "rules": "GET /api/v2/spot/public/symbols",
    "time": "GET /api/v2/public/time",
}
_UNDERTAKINGS: dict[Endpoint, str] = {"place": "submitting order", "cancel": "cancelling order"}


def host_of(endpoint: Endpoint) -> str:
    """Return the host that an endpoint lies on."""
    return _SOCKET if endpoint in SOCKETS else _REST


@dataclass(frozen=True, slots=True)
class Refusal:
    """The exchange answers, and says no. ``code`` empty: the body is a page and no JSON."""

    status: int
    code: str = ""
    text: str = ""

    def exception(self, endpoint: Endpoint, at: float) -> str:
        """Return the exception's line, as it ends a traceback."""
        if endpoint in SOCKETS:
            return f"aiohttp.client_exceptions.WSServerHandshakeError: {self.status}, message='Invalid response status'"
        if self.status < FIRST_ERROR:
            doing = _UNDERTAKINGS.get(endpoint, "requesting data")
            return f"OSError: Error: {self.code} - Error {doing}: {self.text}"
        method, path = _PATHS[endpoint].split(" ")
        body = "N/A"
        if self.code:
            body = f'{{"code":"{self.code}","msg":"{self.text}","requestTime":{int(at * 1000)},"data":null}}'
        url = f"https://{_REST}{path}"
        return f"OSError: Error executing request {method} {url}. HTTP status is {self.status}. Error: {body}"


Way = Literal[
    "dns", "dns_again", "refused", "reset", "timeout", "self_signed", "wrong_name", "too_many_files"
]

_NOT_CONNECTED: dict[Way, tuple[str, str]] = {
    "dns": ("ClientConnectorDNSError", "Name or service not known"),
    "dns_again": ("ClientConnectorDNSError", "Temporary failure in name resolution"),
    "refused": ("ClientConnectorError", "Connect call failed ('104.18.13.21', 443)"),
    "too_many_files": ("ClientConnectorError", "Too many open files"),
}
_BROKEN: dict[Way, str] = {
    "reset": "aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected",
    "timeout": "TimeoutError",
}
_UNTRUSTED: dict[Way, str] = {
    "self_signed": "self-signed certificate in certificate chain (_ssl.c:1006)",
    "wrong_name": "IP address mismatch, certificate is not valid for '{host}'. (_ssl.c:1006)",
}


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request got no answer, for a reason on the way."""

    way: Way

    def exception(self, endpoint: Endpoint, at: float) -> str:
        """Return the exception's line, as it ends a traceback."""
        del at
        host = host_of(endpoint)
        where = f"Cannot connect to host {host}:443 ssl:"
        if self.way in _NOT_CONNECTED:
            kind, why = _NOT_CONNECTED[self.way]
            return f"aiohttp.client_exceptions.{kind}: {where}default [{why}]"
        if self.way in _BROKEN:
            return _BROKEN[self.way]
        why = _UNTRUSTED[self.way].format(host=host)
        inner = f"[SSLCertVerificationError: (1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why}')]"
        return f"aiohttp.client_exceptions.ClientConnectorCertificateError: {where}True {inner}"


Reply = Refusal | NoAnswer
