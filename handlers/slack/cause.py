"""The thread's question whether the verdict was right: yes at once, no by a form. Stored before it is answered."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.buttons import Ask, opening, stored, what_happened
from handlers.slack.cause_form import CAUSE, cause_view, read_form
from handlers.slack.click import Click, read_click
from handlers.slack.form import close_once_stored
from handlers.slack.reply import answer_privately, open_or_say
from handlers.slack.services import Services
from triage.errors import Refused, StoreUnavailable, no_incident
from triage.incidents.cause_answers import WHAT, asked_about, confirm, correct
from triage.incidents.feedback import question_of
from triage.incidents.operations import record_denied
from triage.memory.people import remember
from triage.model import Json
from triage.ports.store import Tx


def say_right(services: Services) -> Ask:
    """Return the listener of ``Yes``."""

    async def press(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():
            click = read_click(body)
            answer = await _said_right(services, click)
            await ack()
            services.changed()
            await answer_privately(client, click, answer)

    return press


async def _said_right(services: Services, click: Click) -> str:
    try:
        await _allowed(services, click)
    except Refused as refusal:
        return str(refusal)

    def work(tx: Tx) -> str:
        remember(tx, click.user, click.user_name)
        return confirm(tx, click.handle, actor=click.user, now=services.clock.now()).text

    return await stored(services, work)


def open_cause(services: Services) -> Ask:
    """Return the listener of ``No, it was…`` and ``Change…``: open the form."""

    async def view(services: Services, click: Click) -> Json:
        await _allowed(services, click)
        return await _view(services, click)

    return opening(services, view)


def submit_cause(services: Services) -> Ask:
    """Return the listener of the form: store, then close it. Asks for the role again: it may be gone by now."""

    async def submit(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():

            async def store() -> tuple[Click, str]:
                form = read_form(body["view"], body["user"])
                await _allowed(services, form.click)
                text = await _store(services, form.click, form.cause, form.text)
                services.changed()
                return form.click, text

            await close_once_stored(ack, client, store, CAUSE)

    return submit


async def open_cause_of(services: Services, client: AsyncWebClient, incident_id: int, click: Click) -> None:
    """Open the form for an incident that was named (``/triage cause``). Raises Refused."""
    await open_or_say(client, click, await _view_of(services, incident_id, click), "form")


async def _allowed(services: Services, click: Click) -> None:
    """Ask for the role of who acknowledges. Raises Refused, recorded, where the person may not."""
    decision = await services.roles.decide(click.user, "operator", WHAT)
    if decision.allowed:
        return

    def denied(tx: Tx) -> str:
        remember(tx, click.user, click.user_name)
        incident = tx.incidents.by_handle(click.handle.partition(":")[0])
        number = None if incident is None else incident.id
        record_denied(tx, number, actor=click.user, what=WHAT, now=services.clock.now())
        return decision.why

    raise Refused(await stored(services, denied))


async def _store(services: Services, click: Click, cause: str, text: str) -> str:
    def work(tx: Tx) -> str:
        remember(tx, click.user, click.user_name)
        now = services.clock.now()
        return correct(tx, click.handle, actor=click.user, cause=cause, text=text, now=now).text

    try:
        return await services.store.write(work)
    except StoreUnavailable as error:
        raise Refused(what_happened(error)) from error


async def _view(services: Services, click: Click) -> Json:
    def find(tx: Tx) -> int:
        return asked_about(tx, click.handle)[0].id

    try:
        incident_id = await services.store.read(find)
    except StoreUnavailable as error:
        raise Refused(what_happened(error)) from error
    return await _view_of(services, incident_id, click)


async def _view_of(services: Services, incident_id: int, click: Click) -> Json:
    def make(tx: Tx) -> Json:
        incident = tx.incidents.get(incident_id)
        if incident is None:
            raise no_incident(incident_id)
        if incident.is_open:
            raise Refused(f"{incident.number} is not over yet: say it then.")
        question = question_of(tx, incident_id)
        if question is None:
            raise Refused(
                f"{incident.number} was never triaged to a verdict: there is nothing to say about it."
            )
        return cause_view(question, click)

    try:
        return await services.store.read(make)
    except StoreUnavailable as error:
        raise Refused(what_happened(error)) from error
