"""The buttons of an incident: acknowledge, triage again, resolve. What was pressed is stored before it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.click import Click, read_click
from handlers.slack.reply import answer_privately, open_or_say
from handlers.slack.services import Services
from triage.actions.confirmation import UNKNOWN_BUTTON
from triage.errors import CommitUnknown, NotStored, Refused, StoreUnavailable
from triage.incidents import operations
from triage.incidents.operations import Operation
from triage.memory.people import remember
from triage.model import Json
from triage.ports.store import Tx

Ask = Callable[..., Any]

NOT_STORED = "That could not be stored just now, so nothing was done. Please try again in a moment."
NOT_READ = "What is stored cannot be read just now, so nothing was done. Please try again in a moment."
OUTCOME_UNKNOWN = (
    "I could not learn whether that was stored. Please look at the thread in a minute before you try again: "
    "if it was stored, it shows there."
)


def button(services: Services, what: str, operation: Operation) -> Ask:
    """Return the listener of a button; ``what`` ends ``You may not …``."""

    async def press(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():
            click = read_click(body)
            answer = await pressed(services, click, what, operation)
            await ack()
            services.changed()
            await answer_privately(client, click, answer)

    return press


def opening(services: Services, view: Callable[[Services, Click], Awaitable[Json]]) -> Ask:
    """Return the listener of a button that opens a form, at once, from what is stored; ``view`` may raise Refused."""

    async def press(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():
            click = read_click(body)
            try:
                form = await view(services, click)
            except Refused as refusal:
                await ack()
                await answer_privately(client, click, str(refusal))
                return
            await ack()
            await open_or_say(client, click, form, "form")

    return press


async def pressed(services: Services, click: Click, what: str, operation: Operation) -> str:
    """Do what was pressed, if the person may, and return the sentence for them; it is on disk by then."""
    decision = await services.roles.decide(click.user, "operator", what)
    now = services.clock.now()

    def work(tx: Tx) -> str:
        incident_id = incident_of(tx, click)
        if not decision.allowed:
            operations.record_denied(tx, incident_id, actor=click.user, what=what, now=now)
            return decision.why
        return operation(tx, incident_id, actor=click.user, now=now).text

    return await stored(services, work)


def incident_of(tx: Tx, click: Click) -> int:
    """Return the incident that a button stands for, and learn the person's name. Raises Refused."""
    incident = tx.incidents.by_handle(click.handle) if click.handle else None
    if incident is None:
        raise Refused(UNKNOWN_BUTTON)
    remember(tx, click.user, click.user_name)
    return incident.id


async def stored(services: Services, work: Callable[[Tx], str]) -> str:
    """Run a unit of work and return its sentence; a refusal and a store that is away have theirs."""
    try:
        return await services.store.write(work)
    except Refused as refusal:
        return str(refusal)
    except StoreUnavailable as error:
        return what_happened(error)


def what_happened(error: Refused | StoreUnavailable) -> str:
    """Tell a person what became of what was pressed or typed: a refusal says it by itself."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, CommitUnknown):
        return OUTCOME_UNKNOWN
    return NOT_STORED if isinstance(error, NotStored) else NOT_READ
