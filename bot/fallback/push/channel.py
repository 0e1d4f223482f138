"""A notice as a push message, as ntfy takes it: the text as the body, title and priority as headers."""

from __future__ import annotations

from dataclasses import dataclass
from email.header import Header
from http import HTTPStatus

from bot.fallback.declaration import FallbackDeclaration
from bot.fallback.http_post import ask, post
from bot.fallback.push.settings import ADDRESS, PushSettings
from triage.errors import FallbackFailure
from triage.model import Severity
from triage.ports.fallback import Notice
from triage.untrusted_text import cut

PRIORITIES = {Severity.SEV1: "urgent", Severity.SEV2: "high", Severity.SEV3: "default"}
MOST = 3_500
"""Characters of a text: ntfy makes an attachment of what is longer than 4,096 bytes."""


@dataclass(frozen=True, slots=True)
class PushChannel:
    """Posts to ``url``, the topic's address; ``token`` is sent as a bearer token where it is set."""

    url: str
    token: str = ""
    name: str = "push"

    async def send(self, notice: Notice) -> str:
        """Push a notice. Raises FallbackFailure."""
        headers = {
            "Title": Header(cut(notice.title, 200), "utf-8").encode(
                linesep=""
            ),  # headers are ASCII: RFC 2047
            "Priority": PRIORITIES[notice.severity],
            "Tags": "rotating_light",
            "Content-Type": "text/plain; charset=utf-8",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        }
        await post(self.url, _fitting(notice.text).encode(), headers)
        return ""

    async def examine(self) -> str:
        """Ask for the topic's address without pushing anything: it answers, and lets us in.

        A service that shows its topics to nobody answers 404 and takes a push all the same: said, and no failure.
        """
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        status = (await ask("HEAD", self.url, headers)).status
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise FallbackFailure(f"answered {status}: check {ADDRESS}_TOKEN")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise FallbackFailure(f"answered {status}")
        taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        unproven = "" if taken else ", which does not tell whether it takes a push"
        return f"answers ({status}){unproven}; nothing was pushed"


def _fitting(text: str) -> str:
    while len(text.encode()) > MOST:
        text = cut(text, len(text) * 9 // 10)
    return text


def _open(settings: PushSettings) -> PushChannel:
    return PushChannel(
        settings.triage_fallback_push.get_secret_value(),
        settings.triage_fallback_push_token.get_secret_value(),
    )


CHANNEL = FallbackDeclaration("push", ADDRESS, _open)
