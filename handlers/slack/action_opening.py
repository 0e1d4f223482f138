"""Opens the form of an action at once, and fills it in as soon as the desk was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from loguru import logger
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.action_dependencies import ActionDependencies
from handlers.slack.buttons import what_happened
from handlers.slack.click import Click
from handlers.slack.reply import answer_privately, by_name, open_or_say, open_view
from triage.concurrency import FAULTS, is_stop
from triage.errors import Refused, StoreUnavailable
from triage.memory.people import name_of
from triage.model import Json
from triage.plans.record import ActionRecord
from triage.ports.store import Tx

_SLACK_SECONDS = 3.0
NO_PLAN = "That went wrong here, not with you; the log has the reason. Nothing was done. Please try again."


async def open_form(
    parts: ActionDependencies, client: AsyncWebClient, click: Click, record: ActionRecord
) -> None:
    """Open the form with what is stored, then make the plan and show it."""
    kept = {"handle": record.handle, "channel": click.channel, "thread": click.thread_ts or click.message_ts}
    view_id = await open_or_say(client, click, parts.views.preparing(record, kept), "form")
    if view_id:
        await fill_form(parts, client, view_id, kept, {})


async def fill_form(
    parts: ActionDependencies,
    client: AsyncWebClient,
    view_id: str,
    kept: Mapping[str, str],
    chosen: Mapping[str, str],
) -> None:
    """Make the plan and show it in the modal that is open."""
    try:
        prepared = await parts.engine.prepare(kept["handle"], chosen)
        names, incident = await parts.services.store.read(lambda tx: _people(tx, prepared.record))
        view = parts.views.confirm(prepared, kept, names, incident)
    except (Refused, StoreUnavailable) as error:
        view = by_name(parts.views.notice("Not possible", what_happened(error)))
    except FAULTS as error:
        if not is_stop(error):  # else the form would say for ever that the desk is looked at
            await update_view(client, view_id, parts.views.notice("Not possible", NO_PLAN))
        raise
    await update_view(client, view_id, view)


def _people(tx: Tx, record: ActionRecord) -> tuple[dict[str, str], str]:
    names = {one.actor: name_of(tx, one.actor) for one in record.confirmations}
    return names, tx.incidents.handle(record.incident_id) if record.incident_id is not None else ""


async def answer(parts: ActionDependencies, client: AsyncWebClient, click: Click, text: str) -> None:
    """Answer a person alone: in the channel they clicked in, or in a modal where there is none."""
    if click.channel:
        await answer_privately(client, click, text)
    else:
        await open_view(client, click, by_name(parts.views.notice("Not possible", text)))


async def update_view(client: AsyncWebClient, view_id: str, view: Json) -> None:
    """Show something else in a modal that is open."""
    try:
        async with asyncio.timeout(_SLACK_SECONDS):
            await client.views_update(view_id=view_id, view=view)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        # The person closed it, or Slack is away: nothing was confirmed.
        logger.bind(error=str(error)).info("modal not updated")
