"""Answers that one person sees."""

from __future__ import annotations

import asyncio

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click
from triage.untrusted_text import one_line

MOST = 1000
SECONDS = 5
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


async def whisper(client: AsyncWebClient, click: Click, text: str) -> None:
    """Tell the person who clicked. What was done is stored already: a whisper that fails is only logged.

    In App Home there is no channel to whisper in: there a small window says it, where Slack lets us open one.
    """
    shown = one_line(text, MOST)
    block = {"type": "section", "text": {"type": "plain_text", "text": shown, "emoji": False}}
    try:
        async with asyncio.timeout(SECONDS):
            if click.channel:
                await client.chat_postEphemeral(
                    channel=click.channel,
                    user=click.user,
                    text=shown.translate(_ESCAPES),
                    blocks=[block],
                    thread_ts=click.thread_ts or None,
                )
            elif click.trigger_id:
                title = {"type": "plain_text", "text": "hbot-triage"}
                await client.views_open(
                    trigger_id=click.trigger_id, view={"type": "modal", "title": title, "blocks": [block]}
                )
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=click.user, error=str(error)).warning("not told: {text}", text=shown)
