"""Answers that one person sees."""

from __future__ import annotations

import asyncio
import re

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click
from triage.model import Json
from triage.untrusted_text import one_line

MOST = 1000
SECONDS = 5
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ID = re.compile(r"\b([UWS][A-Z0-9]{8,20})\b")
"""A person's or a user group's id, as desk.yaml has them: shown to a person as the name it stands for."""


async def whisper(client: AsyncWebClient, click: Click, text: str) -> None:
    """Tell the person who clicked. What was done is stored already: a whisper that fails is only logged.

    It is shown where they look: beside the message they pressed. Only who pressed inside a thread is answered
    there: an answer in a thread that is not open is not seen. In App Home there is no channel to whisper in:
    there a small window says it, where Slack lets us open one.
    """
    shown = one_line(text, MOST)
    block = _block(shown)
    try:
        async with asyncio.timeout(SECONDS):
            if click.channel:
                await client.chat_postEphemeral(
                    channel=click.channel,
                    user=click.user,
                    text=shown.translate(_ESCAPES),
                    blocks=[block],
                    thread_ts=click.thread_ts if click.in_thread else None,
                )
            elif click.trigger_id:
                title = {"type": "plain_text", "text": "hbot-triage"}
                await client.views_open(
                    trigger_id=click.trigger_id, view={"type": "modal", "title": title, "blocks": [block]}
                )
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=click.user, error=str(error)).warning("not told: {text}", text=shown)


def _block(text: str) -> Json:
    """Return the sentence as a block; an id in it becomes the name of whom it stands for, and pings nobody."""
    parts = _ID.split(text)
    elements = [
        _named(part) if number % 2 else {"type": "text", "text": part} for number, part in enumerate(parts)
    ]
    kept = [one for one in elements if one.get("text") != ""]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": kept}]}


def _named(name: str) -> Json:
    if name.startswith("S"):
        return {"type": "usergroup", "usergroup_id": name}
    return {"type": "user", "user_id": name}
