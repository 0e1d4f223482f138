"""HTTP mode: requests to the app's address, signed as Slack signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from demo.slack.sockets import Ack

if TYPE_CHECKING:
    from demo.slack.model import Json
    from demo.slack.settings import AppConfig


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the v0 signature of a raw body."""
    base = b":".join((b"v0", timestamp.encode(), body))
    return f"v0={hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()}"


class SignedRequests:
    """Posts commands, interactions and events to `AppConfig.request_url`."""

    def __init__(self, app: AppConfig) -> None:
        self._app = app
        self._session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, payload: Json, seconds: float, **more: object) -> Ack:
        """POST one request and wait up to `seconds` for a 2xx; its body is the payload of the answer."""
        body, content_type = _encode(kind, payload)
        now = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": signature(self._app.signing_secret, now, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        if more.get("retry_attempt"):
            headers["X-Slack-Retry-Num"] = str(more["retry_attempt"])
            headers["X-Slack-Retry-Reason"] = str(more["retry_reason"])
        return await self._post(body, headers, seconds)

    async def _post(self, body: bytes, headers: dict[str, str], seconds: float) -> Ack:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        since = time.monotonic()
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            address = str(self._app.request_url)
            async with self._session.post(address, data=body, headers=headers, timeout=timeout) as answer:
                text = await answer.text()
                took = time.monotonic() - since
                if not answer.ok:
                    return Ack(acked=False, seconds=took, why=f"http_{answer.status}")
                return Ack(acked=True, payload=_decode(text), seconds=took)
        except TimeoutError:
            return Ack(acked=False, seconds=seconds, why="operation_timeout")
        except aiohttp.ClientError as error:
            return Ack(acked=False, seconds=time.monotonic() - since, why=f"dispatch_failed: {error}")

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()


def _encode(kind: str, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _decode(text: str) -> Json | None:
    if not text.strip():
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return {"text": text}
    return body if isinstance(body, dict) else {"text": text}
