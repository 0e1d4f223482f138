"""A notice as a signed JSON POST.

The signature is the HMAC-SHA-256 (hex) of ``<timestamp>.<body>`` under the shared secret, in ``X-Triage-Signature`` as
``sha256=…``, with the Unix time in ``X-Triage-Timestamp``. ``Idempotency-Key`` is the notice's id: the same in every try.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass

from bot.fallback.declaration import FallbackDeclaration
from bot.fallback.http_post import post
from bot.fallback.webhook.settings import ADDRESS, WebhookSettings
from triage.model import Severity
from triage.ports.fallback import Notice


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what ``X-Triage-Signature`` holds."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts to ``url``; ``secret`` may be empty, then nothing is signed."""

    url: str
    secret: str = ""
    name: str = "webhook"

    async def send(self, notice: Notice) -> str:
        """Post a notice; any 2xx is taken. Raises FallbackFailure."""
        body = json.dumps({**asdict(notice), "fallback": True}, ensure_ascii=False).encode()
        now = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notice.id,
            "X-Triage-Timestamp": now,
        }
        if self.secret:
            headers["X-Triage-Signature"] = signature(self.secret, now, body)
        await post(self.url, body, headers)
        return ""

    async def examine(self) -> str:
        """Post a notice of kind ``test``: whatever receives it must ignore kinds it does not know."""
        await self.send(
            Notice(
                id="hbot-triage-test",
                kind="test",
                title="Test",
                text="A test of hbot-triage.",
                severity=Severity.SEV3,
            )
        )
        return "took a test notice" + ("" if self.secret else "; it is not signed: no secret is set")


def _open(settings: WebhookSettings) -> WebhookChannel:
    return WebhookChannel(
        settings.triage_fallback_webhook.get_secret_value(),
        settings.triage_fallback_webhook_secret.get_secret_value(),
    )


CHANNEL = FallbackDeclaration("webhook", ADDRESS, _open)
