"""Answers that one person sees."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click
from triage.model import Json
from triage.untrusted_text import one_line

MOST = 1000
SECONDS = 5
VIEW_SECONDS = 3
"""How long Slack takes the id of a click for a modal."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
TOO_LATE = ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "trigger_exchanged")
"""Slack's words where the id of a click is over, or was used: nothing to mend."""
_PASSING = frozenset(
    {
        *TOO_LATE,
        *("ratelimited", "rate_limited", "hash_conflict", "team_added_to_org"),
        *("fatal_error", "internal_error", "service_unavailable", "request_timeout"),
    }
)
"""Slack's words for what passes by itself: too late, too often, or Slack's own trouble."""
_MEND = (
    "compare the app with deploy/slack-manifest.yaml and install it again, or ask an admin of the workspace"
)
_MENDS = {
    "not_enabled": "turn on the Home tab on the app's page (App Home)",
    "view_too_large": "tell who maintains this bot: what it wants to show is too large",
    "invalid_arguments": "tell who maintains this bot: Slack does not take what it wants to show",
}
_ID = re.compile(r"@?\b([UWS](?=[A-Z]*[0-9])[A-Z0-9]{8,20})\b")
"""A person's or a user group's id, as desk.yaml has them: shown to a person as the name it stands for.

It has a digit, which tells it from a word in capitals, as ``WEBSOCKET`` and ``UNAVAILABLE`` of a log.
"""


async def answer_privately(client: AsyncWebClient, click: Click, text: str) -> None:
    """Tell the person who clicked. What was done is stored already: an answer that fails is only logged.

    It is shown where they look: beside the message they pressed. Only who pressed inside a thread is answered
    there: an answer in a thread that is not open is not seen. In App Home there is no channel for it:
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
                    text=named_text(shown.translate(_ESCAPES)),
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


async def answer_beside(
    client: AsyncWebClient, channel: str, user: str, text: str, blocks: Sequence[Json]
) -> None:
    """Show a person a whole answer in the channel in which they asked; one that fails is only logged."""
    try:
        async with asyncio.timeout(SECONDS):
            await client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=list(blocks))
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=user, error=str(error)).warning("not answered in the channel either")


async def open_view(client: AsyncWebClient, click: Click, view: Json) -> str:
    """Open a modal and return its id; empty where Slack did not take it."""
    return (await _opened(client, click, view))[0]


async def open_or_say(client: AsyncWebClient, click: Click, view: Json, what: str) -> str:
    """Open a modal and return its id; where Slack did not take it, tell the person why ``what`` could not be opened."""
    view_id, why = await _opened(client, click, view)
    if why:
        text = f"The {what} could not be opened, and nothing was done. Slack says {why}."
        await answer_privately(client, click, text)
    elif not view_id:
        await answer_privately(client, click, f"The {what} could not be opened in time. Please press again.")
    return view_id


async def _opened(client: AsyncWebClient, click: Click, view: Json) -> tuple[str, str]:
    """Open a modal. Returns its id, and why Slack refuses it; both empty where it did not take it in time."""
    try:
        async with asyncio.timeout(VIEW_SECONDS):
            answer = await client.views_open(trigger_id=click.trigger_id, view=view)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        why = refused_with(error)
        logger.bind(user=click.user, error=str(error)).log("ERROR" if why else "WARNING", "modal not opened")
        return "", why
    view_made = answer.get("view")
    return str(view_made.get("id") or "") if isinstance(view_made, dict) else "", ""


def refusal_in(error: Exception) -> Mapping[str, Json]:
    """Return what Slack answered with an error; empty where that cannot be read: the SDK then gives aiohttp's answer."""
    answer = getattr(error.response, "data", None) if isinstance(error, SlackApiError) else None
    return answer if isinstance(answer, dict) else {}


def refused_with(error: Exception) -> str:
    """Return Slack's word for a refusal that a person must mend, with the mend; empty for what passes by itself."""
    answer = refusal_in(error)
    word = str(answer.get("error") or "")
    if not word or word in _PASSING:
        return ""
    needed = answer.get("needed")
    scope = f" (needs {one_line(str(needed), 60)})" if needed else ""
    return f"{one_line(word, 60)}{scope}; {_MENDS.get(word, _MEND)}"


def named_text(text: str) -> str:
    """Return an escaped preview with its ids as mentions of people and groups; one person sees it."""
    return _ID.sub(
        lambda found: f"<!subteam^{found[1]}>" if found[1].startswith("S") else f"<@{found[1]}>", text
    )


def by_name(content: Json) -> Json:
    """Return blocks or a view with the ids in their rich text as the names of whom they stand for.

    For what one person sees alone, where a name pings nobody: a window, an answer to one.
    """
    if isinstance(content, list | tuple):
        return [by_name(one) for one in content]
    if not isinstance(content, dict):
        return content
    if content.get("type") == "rich_text_section":
        return {**content, "elements": [part for one in content["elements"] for part in _parts(one)]}
    return {key: by_name(value) for key, value in content.items()}


def _parts(leaf: Json) -> list[Json]:
    """Return a leaf with its ids as names; code stays as it is, to be copied."""
    if leaf.get("type") != "text" or (leaf.get("style") or {}).get("code"):
        return [leaf]
    words = _ID.split(leaf["text"])
    return [
        _named(word) if number % 2 else {**leaf, "text": word} for number, word in enumerate(words) if word
    ]


def _block(text: str) -> Json:
    """Return the sentence as a block; an id in it becomes the name of whom it stands for, and pings nobody."""
    leaf = {"type": "text", "text": text}
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}
    return by_name(block)


def _named(name: str) -> Json:
    if name.startswith("S"):
        return {"type": "usergroup", "usergroup_id": name}
    return {"type": "user", "user_id": name}
