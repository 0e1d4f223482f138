"""The gate before every listener: who is not of our workspace, or may not read the desk, gets a polite no.

It stands in front of all commands, buttons, forms and events, so that a new one cannot forget to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import read_click
from handlers.slack.reply import answer_privately
from handlers.slack.services import Services
from triage.errors import StoreUnavailable
from triage.incidents.operations import record_denied
from triage.model import Json

OUTSIDER = "I only answer people of the workspace that I belong to. Please ask somebody there."
NO_READER = "You may not read this desk: desk.yaml limits who may. Please ask an operator."
Reads = Callable[[str], Awaitable[bool]]
"""Tells whether a person (a Slack user id) may read."""
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Gate:
    """``team`` is the id of our workspace, ``enterprise`` of its organisation where there is one."""

    services: Services
    team: str
    reads: Reads
    enterprise: str = ""

    async def why_not(self, body: Mapping[str, Any]) -> str:
        """Return why a request is not served, empty where it is."""
        if not is_ours(body, self.team, self.enterprise):
            return OUTSIDER
        user = user_in(body)
        if not user:
            return ""  # no person: an event of the workspace itself
        return "" if await self.reads(user) else NO_READER


def guard(app: AsyncApp, gate: Gate) -> None:
    """Put the gate before every listener of an app."""

    async def middleware(
        body: dict[str, Any],
        ack: AsyncAck,
        client: AsyncWebClient,
        next_: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        why = await gate.why_not(body)
        if not why:
            await next_()
            return None
        await _record(gate, body, why)
        return await _refuse(body, ack, client, why)

    app.middleware(middleware)


def is_ours(body: Mapping[str, Any], team: str, enterprise: str = "") -> bool:
    """Tell whether the person of a payload is of our workspace: it has to be named, and nothing else may be.

    On Enterprise Grid a person may be named by the organisation (``E…``). Ours says nothing of the workspace, so that
    the payload has to name that besides; another one is an outsider's.
    """
    named = set(teams_in(body)) - ({enterprise} if enterprise else set())
    return named == {team} if user_in(body) else named <= {team}


def teams_in(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the workspaces that a payload says its person belongs to, or acts in."""
    event, user, team = _map(body.get("event")), _map(body.get("user")), body.get("team")
    named = [user.get("team_id"), _map(team).get("id") if isinstance(team, dict) else team]
    if event:
        named += [event.get(name) for name in ("user_team", "source_team", "team")]
        if body.get("is_ext_shared_channel") is not True:
            # There it names the workspace of the channel, whoever speaks.
            named.append(body.get("team_id"))
    else:
        named.append(body.get("team_id"))
    for one in named:
        if isinstance(one, str) and one:
            yield one


def user_in(body: Mapping[str, Any]) -> str:
    """Return who it is that a payload comes from, empty where it is nobody."""
    user = body.get("user")
    event = _map(body.get("event")).get("user")
    for one in (
        body.get("user_id"),
        _map(user).get("id"),
        event if isinstance(event, str) else _map(event).get("id"),
    ):
        if isinstance(one, str) and one:
            return one
    return ""


async def _record(gate: Gate, body: Mapping[str, Any], why: str) -> None:
    what = "act from another workspace" if why == OUTSIDER else "read the desk"
    now, actor = gate.services.clock.now(), user_in(body) or "unknown"
    try:
        await gate.services.store.write(lambda tx: record_denied(tx, None, actor=actor, what=what, now=now))
    except StoreUnavailable as error:
        logger.bind(user=actor, error=str(error)).warning("a denied request was not recorded")


async def _refuse(body: dict[str, Any], ack: AsyncAck, client: AsyncWebClient, why: str) -> BoltResponse:
    """Answer where the person looks, with nothing of the desk."""
    if "command" in body:
        return await ack(text=why, response_type="ephemeral")
    if body.get("type") == "view_submission":
        return await ack(response_action="update", view=_notice(why))
    response = await ack()
    event = _map(body.get("event"))
    if event.get("type") == "app_home_opened":
        await _home(client, user_in(body), why)
    elif event.get("type") == "app_mention":
        click = read_click({"user": {"id": user_in(body)}, "channel": {"id": event.get("channel")}})
        await answer_privately(client, click, why)
    elif not event:
        await answer_privately(client, read_click(body), why)
    return response


async def _home(client: AsyncWebClient, user: str, why: str) -> None:
    view = {"type": "home", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": why}}]}
    try:
        async with asyncio.timeout(_SECONDS):
            await client.views_publish(user_id=user, view=view)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=user, error=str(error)).warning("a polite no was not shown")


def _notice(text: str) -> Json:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "hbot-triage"},
        "blocks": [{"type": "section", "text": {"type": "plain_text", "text": text}}],
    }


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
