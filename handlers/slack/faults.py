"""What somebody asked for in Slack and we failed on: they read that it went wrong, and ``/readyz`` names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from loguru import logger
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click, read_click
from handlers.slack.gate import user_in
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
        click = _asked(body)
        if click.user and click.channel:
            await answer_privately(client, click, WENT_WRONG)

    app.error(told)


def _asked(body: Mapping[str, Any]) -> Click:
    """Return who asked and where: a command and a mention name them in other places than a click does."""
    click = read_click(body)
    event = body.get("event")
    where: Mapping[str, Any] = {"channel": body.get("channel_id")}
    if isinstance(event, dict) and event.get("type") == "app_mention":
        where = event
    found = [where.get(name) for name in ("channel", "ts", "thread_ts")]
    channel, ts, thread = (one if isinstance(one, str) else "" for one in found)
    if click.channel or not channel:
        return click
    return replace(click, user=user_in(body), channel=channel, message_ts=ts, thread_ts=thread)


__all__ = ["WENT_WRONG", "tell_faults"]
