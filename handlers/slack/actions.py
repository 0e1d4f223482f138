"""The buttons that act: a click opens the plan, the form confirms it, and everything is stored before it is said."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.action_dependencies import ActionDependencies, allowed, may, still_confirmed
from handlers.slack.action_form import REASON, chosen_in, kept_in, reason_in, signed_in
from handlers.slack.action_opening import answer, fill_form, open_form, update_view
from handlers.slack.buttons import Ask, what_happened
from handlers.slack.click import Click, read_click
from handlers.slack.reply import answer_privately, by_name, open_view
from triage.action_kinds import KIND
from triage.actions.catalogue import CATALOGUE, action_title
from triage.errors import Refused, StoreUnavailable
from triage.plans.record import ActionRecord, ActionStatus, StepRecord
from triage.ports.actions import Signed
from triage.ports.store import Tx

CONFIRM = "confirm_action"

PRESSED = re.compile(rf"^action\.{KIND}$")
"""The buttons of every kind, of one that is gone too: its cards stand in the channel."""


def register_actions(app: AsyncApp, parts: ActionDependencies) -> None:
    """Register every button and form of actions."""
    app.action(PRESSED)(press(parts))
    app.action("action_choice")(choose(parts))
    app.action("action_reject")(reject(parts))
    app.action("action_cancel")(cancel(parts))
    app.action("action_output")(output(parts))
    app.view(CONFIRM)(submit(parts))


def press(parts: ActionDependencies) -> Ask:
    """Return the listener of ``action.<kind>``: the modal at once, the plan as soon as the desk was looked at."""

    async def pressed(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with parts.services.in_flight.one():
            await ack()
            await open_offered(parts, client, read_click(body))

    return pressed


async def open_offered(parts: ActionDependencies, client: AsyncWebClient, click: Click) -> None:
    """Open the form of an action that is offered, for somebody who pressed for it; a refusal is told them."""
    try:
        record = await allowed(parts, click.handle, click, "")
    except Refused as refusal:
        await answer(parts, client, click, str(refusal))
        return
    except StoreUnavailable as error:
        await answer(parts, client, click, what_happened(error))
        return
    await open_form(parts, client, click, record)


async def open_action(
    parts: ActionDependencies, client: AsyncWebClient, *, kind: str, target: str, click: Click
) -> str:
    """Propose an action for a person and open its modal (``/triage do``). Returns why not, or nothing."""
    try:
        if kind in CATALOGUE:
            await may(parts, click, "operator", f"run {action_title(kind, target)}")
        record = await parts.engine.propose(kind, target, by=click.user, why="asked for by hand")
        record = await allowed(parts, record.handle, click, "")
    except Refused as refusal:
        return str(refusal)
    except StoreUnavailable as error:
        return what_happened(error)
    await open_form(parts, client, click, record)
    return ""


def choose(parts: ActionDependencies) -> Ask:
    """Return the listener of the selects: another choice is another plan, shown before it can be confirmed.

    The role is asked for again: it may have been taken since the form was opened.
    """

    async def chosen(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with parts.services.in_flight.one():
            await ack()
            view = body.get("view") or {}
            kept, view_id = kept_in(view), str(view.get("id", ""))
            if not kept.get("handle"):
                return
            try:
                await allowed(parts, kept["handle"], read_click(body), "")
            except (Refused, StoreUnavailable) as error:
                await update_view(
                    client, view_id, by_name(parts.views.notice("Not possible", what_happened(error)))
                )
                return
            await fill_form(parts, client, view_id, kept, chosen_in(view))

    return chosen


def submit(parts: ActionDependencies) -> Ask:
    """Return the listener of the form: ask for the role again, confirm, and only then close."""

    async def submitted(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        async with parts.services.in_flight.one():
            view = body.get("view") or {}
            click = read_click(body)
            kept, reason = kept_in(view), reason_in(view)
            if not reason:
                await ack(
                    response_action="errors", errors={REASON: "Please say why: it goes into the audit trail."}
                )
                return
            try:
                record = await _confirm(parts, click, kept, chosen_in(view), reason, signed=signed_in(req))
            except Refused as refusal:
                incident = await _incident_handle(parts, kept.get("handle", ""))
                await ack(
                    response_action="update",
                    view=by_name(parts.views.notice("Nothing was done", str(refusal), incident)),
                )
                return
            except StoreUnavailable as error:
                await ack(response_action="errors", errors={REASON: what_happened(error)})
                return
            await ack(response_action="update", view=parts.views.notice("Confirmed", _thanks(record)))

    return submitted


async def _confirm(
    parts: ActionDependencies,
    click: Click,
    kept: Mapping[str, str],
    chosen: Mapping[str, str],
    reason: str,
    *,
    signed: Signed | None,
) -> ActionRecord:
    handle, digest = kept.get("handle", ""), kept.get("digest", "")
    seen = await allowed(parts, handle, click, "confirm ")
    await still_confirmed(parts, seen)

    def shown(tx: Tx) -> Mapping[str, str]:
        record = tx.actions.by_handle(handle)
        plan = tx.actions.plan(record.id, digest) if record is not None else None
        return plan.arguments if plan is not None else {}

    arguments = await parts.services.store.read(shown)
    if any(arguments.get(name, value) != value for name, value in chosen.items()):
        raise Refused(
            "Your choice changed while the plan was made. Please open it again and look at the new plan."
        )
    return await parts.engine.confirm(
        handle,
        digest=digest,
        actor=click.user,
        reason=reason,
        seen=len(seen.confirmations),
        signed=signed,
    )


def _thanks(record: ActionRecord) -> str:
    if record.status is ActionStatus.PROPOSED:
        return "Confirmed. It waits for a second, different person; its message in the channel has the button for them."
    return "Confirmed. It runs now; the thread shows each step."


def reject(parts: ActionDependencies) -> Ask:
    """Return the listener of Reject, in the form and in the thread."""

    async def end(click: Click) -> str:
        record = await parts.engine.reject(click.handle, actor=click.user)
        return f"Rejected: {record.kind} on {record.target}. Nothing was done."

    async def rejected(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with parts.services.in_flight.one():
            click = read_click(body)
            said = await _said(parts, click, "reject", end)
            await ack()
            view = body.get("view") or {}
            if view.get("id"):
                await update_view(client, str(view["id"]), by_name(parts.views.notice("Rejected", said)))
            else:
                await answer_privately(client, click, said)

    return rejected


async def _said(
    parts: ActionDependencies, click: Click, verb: str, end: Callable[[Click], Awaitable[str]]
) -> str:
    """End an action if this person may, and return what they are told of it."""
    try:
        await allowed(parts, click.handle, click, f"{verb} ")
        return await end(click)
    except Refused as refusal:
        return str(refusal)
    except StoreUnavailable as error:
        return what_happened(error)


def cancel(parts: ActionDependencies) -> Ask:
    """Return the listener of Cancel."""

    async def end(click: Click) -> str:
        record = await parts.engine.cancel(click.handle, actor=click.user)
        running = record.status is ActionStatus.RUNNING
        return "It stops at the next step that allows it." if running else "Cancelled; nothing was done."

    async def cancelled(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with parts.services.in_flight.one():
            click = read_click(body)
            said = await _said(parts, click, "cancel", end)
            await ack()
            await answer_privately(client, click, said)

    return cancelled


def output(parts: ActionDependencies) -> Ask:
    """Return the listener of Output: everybody may read it, it is masked."""

    async def shown(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with parts.services.in_flight.one():
            await ack()
            click = read_click(body)

            def gather(tx: Tx) -> tuple[ActionRecord, list[StepRecord]] | None:
                record = tx.actions.by_handle(click.handle)
                return None if record is None else (record, tx.actions.steps(record.id))

            try:
                found = await parts.services.store.read(gather)
            except StoreUnavailable as error:
                await answer_privately(client, click, str(error))
                return
            if found is not None:
                await open_view(client, click, parts.views.output(*found))

    return shown


async def _incident_handle(parts: ActionDependencies, handle: str) -> str:
    def find(tx: Tx) -> str:
        record = tx.actions.by_handle(handle)
        incident_id = record.incident_id if record is not None else None
        return tx.incidents.handle(incident_id) if incident_id is not None else ""

    try:
        return await parts.services.store.read(find)
    except StoreUnavailable:
        return ""


__all__ = ["ActionDependencies", "open_action", "register_actions"]
