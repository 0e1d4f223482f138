"""The bolt app: who we are is asked once, at start, and never again while an event waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextvars import ContextVar

from loguru import logger
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import Identity, SlackClient

_MEANT = "As you gave `client` as well, `token` will be unused."
"""bolt finds SLACK_BOT_TOKEN in the environment by itself and warns of what we mean to do."""

_UNHEARD, _UNANSWERED = "Unhandled request", "didn't call ack()"
_late: ContextVar[bool] = ContextVar("late", default=False)
"""Whether the request of this context had a listener that did not answer in time: bolt calls that unhandled, too."""


class _ToLoguru(logging.Handler):
    """Hands what the SDK logs to the project's log, without the payloads it prints at DEBUG."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        if record.msg == _MEANT:
            return
        said = record.getMessage()
        if said.endswith(_UNANSWERED):
            _late.set(True)
            logger.warning(
                "what was pressed takes longer than the three seconds that Slack waits for an answer"
            )
            return
        if said.startswith(_UNHEARD):
            if not _late.get():
                logger.warning(
                    "Slack sent something that nothing here listens to"
                )  # bolt would print all of it
            _late.set(False)
            return
        level = "INFO" if record.levelno < logging.WARNING else record.levelname
        logger.opt(exception=record.exc_info).bind(library=record.name).log(level, said)


def _sdk_logger() -> logging.Logger:
    log = logging.getLogger("triage.slack_sdk")
    log.setLevel(logging.WARNING)
    log.propagate = False
    if not log.handlers:
        log.addHandler(_ToLoguru())
    return log


def _without_token(web: AsyncWebClient, watches: Sequence[AsyncRetryHandler]) -> AsyncWebClient:
    """Return a client on the same connections: bolt takes the token from ``authorize`` and warns of a second one.

    ``watches`` see each answer, and retry nothing.
    """
    bare = AsyncWebClient(
        base_url=web.base_url,
        timeout=web.timeout,
        session=web.session,
        retry_handlers=list(watches),
        logger=_sdk_logger(),
    )
    bare.proxy = web.proxy
    return bare


def build_app(
    client: SlackClient,
    identity: Identity,
    *,
    signing_secret: str = "",
    watches: Sequence[AsyncRetryHandler] = (),
) -> AsyncApp:
    """Return an app without listeners. Without a signing secret it takes Socket Mode only.

    ``watches`` see each answer to the listeners' calls.

    bolt would call ``auth.test`` with the first event, and drop that event if Slack said 429: what ``identity``
    knows already answers instead.
    """
    known = AuthorizeResult(
        enterprise_id=identity.enterprise_id,
        team_id=identity.team_id,
        team=identity.team,
        url=identity.url,
        bot_id=identity.bot_id,
        bot_user_id=identity.user_id,
        bot_token=client.web.token,
    )

    async def authorize() -> AuthorizeResult:
        return known

    return AsyncApp(
        name="hbot-triage",
        client=_without_token(client.web, watches),
        authorize=authorize,
        signing_secret=signing_secret or "socket-mode-only",
        request_verification_enabled=bool(signing_secret),
        logger=_sdk_logger(),
    )
