"""Files that come with an answer: pictures of a digest that somebody shared."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from triage.answers import AnswerFile
from triage.foreign import one_line

SECONDS = 30.0
ALT = 1000


async def upload(client: AsyncWebClient, files: Sequence[AnswerFile], channel: str, thread: str = "") -> None:
    """Upload files into a channel or a thread. The text was sent already: what fails here is only logged."""
    if not files:
        return
    uploads = [
        {
            "filename": file.name,
            "content": file.content,
            "title": one_line(file.title, 150),
            "alt_txt": one_line(file.alt, ALT),
        }
        for file in files
    ]
    try:
        async with asyncio.timeout(SECONDS):
            await client.files_upload_v2(
                file_uploads=uploads, channel=channel, thread_ts=thread or None, request_file_info=False
            )
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.warning("the files of an answer did not reach Slack: {error}", error=error)
