"""The buttons that act: a click opens the plan, the form confirms it, and everything is stored before it is said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from loguru import logger
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.buttons import NOT_STORED, Ask
from handlers.slack.click import Click, read_click
from handlers.slack.reply import whisper
from handlers.slack.services import Services
from triage import operations
from triage.actions.catalogue import CATALOGUE
from triage.actions.engine import ActionEngine, Prepared
from triage.actions.model import ActionRecord, ActionStatus, StepRecord
from triage.errors import Refused, StoreUnavailable
from triage.model import Json
from triage.people import name_of, remember
from triage.ports.store import Tx
from triage.roles import RoleName

CONFIRM = "confirm_action"
REASON = "reason"
CHOICE_BLOCK = "choice."
_SLACK_SECONDS = 3.0


class ActionViews(Protocol):
    """Builds the modals."""

    def preparing(self, record: ActionRecord, kept: Mapping[str, str]) -> Json:
        """Return what is shown at once."""
        ...

    def confirm(
        self, prepared: Prepared, kept: Mapping[str, str], names: Mapping[str, str], incident_handle: str
    ) -> Json:
        """Return the form."""
        ...

    def notice(self, title: str, text: str, incident_handle: str = "") -> Json:
        """Return a sentence."""
        ...

    def output(self, record: ActionRecord, steps: Any) -> Json:  # noqa: ANN401 - a sequence of StepRecord
        """Return what steps printed."""
        ...


@dataclass(frozen=True, slots=True)
class ActionDesk:
    """What these handlers need: the services of all handlers, the engine, the modals."""

    services: Services
    engine: ActionEngine
    views: ActionViews


def register_actions(app: AsyncApp, desk: ActionDesk) -> None:
    """Register every button and form of actions."""
    app.action(re.compile(r"^action\.[a-z_]{1,40}$"))(press(desk))
    app.action("action_choice")(choose(desk))
    app.action("action_reject")(reject(desk))
    app.action("action_cancel")(cancel(desk))
    app.action("action_output")(output(desk))
    app.view(CONFIRM)(submit(desk))


def press(desk: ActionDesk) -> Ask:
    """Return the listener of ``action.<kind>``: the modal at once, the plan as soon as the desk was looked at."""

    async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with desk.services.in_flight.one():
            await ack()
            click = read_click(body)
            try:
                record = await _allowed(desk, click.handle, click, "")
            except Refused as refusal:
                await _say(desk, client, click, str(refusal))
                return
            await _open(desk, client, click, record)

    return pressed


async def open_action(
    desk: ActionDesk, client: AsyncWebClient, *, kind: str, target: str, click: Click
) -> str:
    """Propose an action for a person and open its modal (``/triage do``). Returns why not, or nothing."""
    try:
        if kind in CATALOGUE:
            await _may(desk, click, "operator", f"run {kind}")
        record = await desk.engine.propose(kind, target, by=click.user, why="asked for by hand")
        record = await _allowed(desk, record.handle, click, "")
    except Refused as refusal:
        return str(refusal)
    except StoreUnavailable:
        return NOT_STORED
    await _open(desk, client, click, record)
    return ""


async def _open(desk: ActionDesk, client: AsyncWebClient, click: Click, record: ActionRecord) -> None:
    kept = {"handle": record.handle, "channel": click.channel, "thread": click.thread_ts or click.message_ts}
    view_id = await _call_open(client, click, desk.views.preparing(record, kept))
    if not view_id:
        await whisper(client, click, "The form could not be opened in time. Please press again.")
        return
    await _fill(desk, client, view_id, kept, {})


async def _fill(
    desk: ActionDesk, client: AsyncWebClient, view_id: str, kept: Mapping[str, str], chosen: Mapping[str, str]
) -> None:
    """Make the plan and show it in the modal that is open."""
    try:
        prepared = await desk.engine.prepare(kept["handle"], chosen)
        names, incident = await desk.services.store.read(lambda tx: _people(tx, prepared.record))
        view = desk.views.confirm(prepared, kept, names, incident)
    except (Refused, StoreUnavailable) as error:
        view = desk.views.notice("Not possible", str(error))
    await _update(client, view_id, view)


def choose(desk: ActionDesk) -> Ask:
    """Return the listener of the selects: another choice is another plan, shown before it can be confirmed."""

    async def chosen(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with desk.services.in_flight.one():
            await ack()
            view = body.get("view") or {}
            kept = _kept(view)
            if kept.get("handle"):
                await _fill(desk, client, str(view.get("id", "")), kept, _chosen(view))

    return chosen


def submit(desk: ActionDesk) -> Ask:
    """Return the listener of the form: ask for the role again, confirm, and only then close."""

    async def submitted(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        del client
        async with desk.services.in_flight.one():
            view = body.get("view") or {}
            click = read_click(body)
            kept, reason = _kept(view), _reason(view)
            if not reason:
                await ack(
                    response_action="errors", errors={REASON: "Please say why: it goes into the audit trail."}
                )
                return
            try:
                record = await _confirm(desk, click, kept, _chosen(view), reason)
            except Refused as refusal:
                incident = await _incident_handle(desk, kept.get("handle", ""))
                await ack(
                    response_action="update",
                    view=desk.views.notice("Nothing was done", str(refusal), incident),
                )
                return
            except StoreUnavailable:
                await ack(response_action="errors", errors={REASON: NOT_STORED})
                return
            await ack(response_action="update", view=desk.views.notice("Confirmed", _thanks(record)))

    return submitted


async def _confirm(
    desk: ActionDesk, click: Click, kept: Mapping[str, str], chosen: Mapping[str, str], reason: str
) -> ActionRecord:
    handle, digest = kept.get("handle", ""), kept.get("digest", "")
    await _allowed(desk, handle, click, "confirm ")

    def shown(tx: Tx) -> Mapping[str, str]:
        record = tx.actions.by_handle(handle)
        plan = tx.actions.plan(record.id, digest) if record is not None else None
        return plan.arguments if plan is not None else {}

    arguments = await desk.services.store.read(shown)
    if any(arguments.get(name, value) != value for name, value in chosen.items()):
        raise Refused(
            "Your choice changed while the plan was made. Please open it again and look at the new plan."
        )
    return await desk.engine.confirm(handle, digest=digest, actor=click.user, reason=reason)


def _thanks(record: ActionRecord) -> str:
    if record.status is ActionStatus.PROPOSED:
        return "Confirmed. It waits for a second, different person; the thread has the button for them."
    return "Confirmed. It runs now; the thread shows each step."


def reject(desk: ActionDesk) -> Ask:
    """Return the listener of Reject, in the form and in the thread."""

    async def rejected(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with desk.services.in_flight.one():
            click = read_click(body)
            try:
                await _allowed(desk, click.handle, click, "reject ")
                record = await desk.engine.reject(click.handle, actor=click.user)
                answer = f"Rejected: {record.kind} on {record.target}. Nothing was done."
            except Refused as refusal:
                answer = str(refusal)
            except StoreUnavailable:
                answer = NOT_STORED
            await ack()
            view = body.get("view") or {}
            if view.get("id"):
                await _update(client, str(view["id"]), desk.views.notice("Rejected", answer))
            else:
                await whisper(client, click, answer)

    return rejected


def cancel(desk: ActionDesk) -> Ask:
    """Return the listener of Cancel."""

    async def cancelled(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with desk.services.in_flight.one():
            click = read_click(body)
            try:
                await _allowed(desk, click.handle, click, "cancel ")
                record = await desk.engine.cancel(click.handle, actor=click.user)
                running = record.status is ActionStatus.RUNNING
                answer = (
                    "It stops at the next step that allows it." if running else "Cancelled; nothing was done."
                )
            except Refused as refusal:
                answer = str(refusal)
            except StoreUnavailable:
                answer = NOT_STORED
            await ack()
            await whisper(client, click, answer)

    return cancelled


def output(desk: ActionDesk) -> Ask:
    """Return the listener of Output: everybody may read it, it is masked."""

    async def shown(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with desk.services.in_flight.one():
            await ack()
            click = read_click(body)

            def gather(tx: Tx) -> tuple[ActionRecord, list[StepRecord]] | None:
                record = tx.actions.by_handle(click.handle)
                return None if record is None else (record, tx.actions.steps(record.id))

            try:
                found = await desk.services.store.read(gather)
            except StoreUnavailable as error:
                await whisper(client, click, str(error))
                return
            if found is not None:
                await _call_open(client, click, desk.views.output(*found))

    return shown


async def _allowed(desk: ActionDesk, handle: str, click: Click, deed: str) -> ActionRecord:
    """Return the action of a button if this person may do that to it. Raises Refused, recorded."""
    record = await desk.engine.look(handle)
    await _may(desk, click, _role(desk, record), f"{deed or 'run '}{record.kind}", record)
    return record


def _role(desk: ActionDesk, record: ActionRecord) -> RoleName:
    """The second person is an approver, where desk.yaml names any; else another one of those who may act."""
    settings = desk.engine.desktop.desk
    approvers = settings.roles.approver
    if record.awaits_second and (approvers.users or approvers.groups):
        return "approver"
    return settings.policy(CATALOGUE[record.kind].kind).role


async def _may(
    desk: ActionDesk, click: Click, role: RoleName, what: str, record: ActionRecord | None = None
) -> None:
    services = desk.services
    decision = await services.roles.decide(click.user, role, what)
    now = services.clock.now()

    def write(tx: Tx) -> None:
        remember(tx, click.user, click.user_name)
        if not decision.allowed:
            target = f"{what} on {record.target}" if record is not None else what
            incident_id = record.incident_id if record is not None else None
            operations.record_denied(tx, incident_id, actor=click.user, what=target, now=now)

    try:
        await services.store.write(write)
    except StoreUnavailable as error:
        raise Refused(NOT_STORED) from error
    if not decision.allowed:
        raise Refused(decision.why)


def _people(tx: Tx, record: ActionRecord) -> tuple[dict[str, str], str]:
    names = {one.actor: name_of(tx, one.actor) for one in record.confirmations}
    return names, tx.incidents.handle(record.incident_id) if record.incident_id is not None else ""


async def _incident_handle(desk: ActionDesk, handle: str) -> str:
    def find(tx: Tx) -> str:
        record = tx.actions.by_handle(handle)
        incident_id = record.incident_id if record is not None else None
        return tx.incidents.handle(incident_id) if incident_id is not None else ""

    try:
        return await desk.services.store.read(find)
    except StoreUnavailable:
        return ""


def _kept(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what the form carries; a forged one carries nothing that is believed."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError):
        return {}
    return {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}


def _values(view: Mapping[str, Any]) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values")
    return values if isinstance(values, dict) else {}


def _chosen(view: Mapping[str, Any]) -> dict[str, str]:
    chosen = {}
    for block_id, elements in _values(view).items():
        option = ((elements or {}).get("action_choice") or {}).get("selected_option") or {}
        if block_id.startswith(CHOICE_BLOCK) and isinstance(option.get("value"), str):
            chosen[block_id.removeprefix(CHOICE_BLOCK)] = option["value"]
    return chosen


def _reason(view: Mapping[str, Any]) -> str:
    value = ((_values(view).get(REASON) or {}).get(REASON) or {}).get("value")
    return value.strip()[:500] if isinstance(value, str) else ""


async def _say(desk: ActionDesk, client: AsyncWebClient, click: Click, text: str) -> None:
    """Answer a person alone: in the channel they clicked in, or in a modal where there is none."""
    if click.channel:
        await whisper(client, click, text)
    else:
        await _call_open(client, click, desk.views.notice("Not possible", text))


async def _call_open(client: AsyncWebClient, click: Click, view: Json) -> str:
    try:
        async with asyncio.timeout(_SLACK_SECONDS):
            answer = await client.views_open(trigger_id=click.trigger_id, view=view)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        logger.bind(user=click.user, error=str(error)).warning("modal not opened")
        return ""
    return str((answer.get("view") or {}).get("id", ""))


async def _update(client: AsyncWebClient, view_id: str, view: Json) -> None:
    try:
        async with asyncio.timeout(_SLACK_SECONDS):
            await client.views_update(view_id=view_id, view=view)
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        # The person closed it, or Slack is away: nothing was confirmed.
        logger.bind(error=str(error)).info("modal not updated")
