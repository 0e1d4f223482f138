"""Answers that one person sees."""

from __future__ import annotations

import asyncio

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click
from triage.foreign import one_line

MOST = 1000
SECONDS = 5
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


async def whisper(client: AsyncWebClient, click: Click, text: str) -> None:
    """Tell the person who clicked. What was done is stored already: a whisper that fails is only logged."""
    if not click.channel:
        return
    shown = one_line(text, MOST)
    try:
        async with asyncio.timeout(SECONDS):
            await client.chat_postEphemeral(
                channel=click.channel,
                user=click.user,
                text=shown.translate(_ESCAPES),
                blocks=[{"type": "section", "text": {"type": "plain_text", "text": shown, "emoji": False}}],
                thread_ts=click.thread_ts or None,
            )
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=click.user, error=str(error)).warning("not told: {text}", text=shown)
