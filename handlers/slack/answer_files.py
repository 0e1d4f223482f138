"""Files of an answer: a channel shows a file to everybody, so one for a single person goes to their direct messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.reply import refusal_in
from triage.ports.chat import AnswerFile
from triage.untrusted_text import one_line

SECONDS = 30.0
ALT = 1000
_FAILURES = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError)


async def upload(client: AsyncWebClient, files: Sequence[AnswerFile], channel: str, thread: str = "") -> str:
    """Upload files into a channel or a thread, behind the answer. Returns why it failed, empty if it did not."""
    if not files:
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            await _upload(client, files, channel, thread)
    except _FAILURES as error:
        return _failure_words(error)
    return ""


async def upload_for(client: AsyncWebClient, files: Sequence[AnswerFile], user: str, about: str) -> str:
    """Send files to a person's direct messages with us, ``about`` before them. Returns why it failed, or empty.

    Slack opens the conversation for a post to a person's id and names it: no further scope is needed.
    """
    if not files:
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            posted = await client.chat_postMessage(
                channel=user, text=about, mrkdwn=False, unfurl_links=False, unfurl_media=False
            )
            await _upload(client, files, str(posted["channel"]), "")
    except _FAILURES as error:
        return _failure_words(error)
    return ""


async def _upload(client: AsyncWebClient, files: Sequence[AnswerFile], channel: str, thread: str) -> None:
    uploads = [
        {
            "filename": file.name,
            "content": file.content,
            "title": one_line(file.title, 150),
            "alt_txt": one_line(file.alt, ALT),
        }
        for file in files
    ]
    await client.files_upload_v2(
        file_uploads=uploads, channel=channel, thread_ts=thread or None, request_file_info=False
    )


def _failure_words(error: Exception) -> str:
    """Return a failure's name, logged: the answer itself was sent already."""
    logger.warning("the files of an answer did not reach Slack: {error}", error=error)
    if isinstance(error, SlackApiError):
        return str(refusal_in(error).get("error") or "refused")
    return "Slack did not answer" if isinstance(error, TimeoutError) else type(error).__name__
