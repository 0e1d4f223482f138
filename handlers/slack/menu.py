"""The menu of a card, and the whole report of its triage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.buttons import Ask, pressed, what_happened
from handlers.slack.click import Click, read_click
from handlers.slack.reply import answer_privately, open_or_say
from handlers.slack.services import Services
from triage.actions.confirmation import UNKNOWN_BUTTON
from triage.errors import Refused, StoreUnavailable
from triage.incidents import operations
from triage.incidents.operations import Operation
from triage.model import Json
from triage.ports.store import Tx

RUNS = 1
_SLACK_SECONDS = 3.0
_OPERATIONS: Mapping[str, tuple[str, Operation]] = MappingProxyType(
    {
        "retriage": ("ask for another triage", operations.retriage),
        "resolve": ("resolve incidents", operations.resolve),
    }
)
"""What the menu can do, by the word before the colon of an option's value; each with how ``You may not …`` ends."""


Act = Callable[[AsyncWebClient, Click], Awaitable[None]]
"""Opens the form of the action whose opaque id the click carries."""


def choose(services: Services, act: Act | None = None) -> Ask:
    """Return the listener of the menu: an option's value is ``<what>:<opaque id>``, of the incident or of an action."""

    async def chosen(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():
            click = read_click(body)
            what, _, handle = click.handle.partition(":")
            click = replace(click, handle=handle)
            if what == "report":
                await ack()
                await _report(services, client, click)
                return
            if what == "action" and act is not None:
                await ack()
                await act(client, click)
                return
            words, operation = _OPERATIONS.get(what, ("", None))
            answer = UNKNOWN_BUTTON
            if operation is not None:
                answer = await pressed(services, click, words, operation)
            await ack()
            services.changed()
            await answer_privately(client, click, answer)

    return chosen


def show_report(services: Services) -> Ask:
    """Return the listener of ``Full report``: everybody may read it."""

    async def shown(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():
            await ack()
            await _report(services, client, read_click(body))

    return shown


async def _report(services: Services, client: AsyncWebClient, click: Click) -> None:
    def gather(tx: Tx) -> Json:
        incident = tx.incidents.by_handle(click.handle) if click.handle else None
        if incident is None:
            raise Refused(UNKNOWN_BUTTON)
        runs = tx.runs.done(incident.id, RUNS)
        return services.report(incident, runs[-1] if runs else None, services.clock.now())

    try:
        view = await services.store.read(gather)
    except (Refused, StoreUnavailable) as error:
        await answer_privately(client, click, what_happened(error))
        return
    await open_or_say(client, click, view, "report")
