"""What somebody asked for in Slack and we failed on: they read that it went wrong, and ``/readyz`` names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loguru import logger
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import read_click
from handlers.slack.reply import answer_privately

WENT_WRONG = (
    "That went wrong here, not with you; the log has the reason. Whether it was done shows in the thread."
)


def tell_faults(app: AsyncApp, failed: Callable[[BaseException], None]) -> None:
    """Register what is called where a listener fails. ``failed`` is told by what.

    A form that was not acknowledged stays open, and Slack itself says there that it did not work.
    """

    async def told(error: Exception, body: dict[str, Any], client: AsyncWebClient) -> None:
        logger.opt(exception=error).error("what somebody asked for in Slack failed")
        failed(error)
        click = read_click(body)
        if click.user and click.channel:
            await answer_privately(client, click, WENT_WRONG)

    app.error(told)


__all__ = ["WENT_WRONG", "tell_faults"]
