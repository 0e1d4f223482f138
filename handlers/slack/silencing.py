"""The silence button and its modal: a real silence in Alertmanager, written down before the form closes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.buttons import Ask, incident_of, opening, stored, what_happened
from handlers.slack.click import Click
from handlers.slack.form import close_once_stored
from handlers.slack.reply import open_or_say
from handlers.slack.services import Services
from handlers.slack.silence_form import COMMENT, SilenceForm, digest, read_form, silence_view
from triage.actions.confirmation import UNKNOWN_BUTTON
from triage.errors import Refused, SourceError, SourceTimeout, StoreUnavailable, no_incident
from triage.incidents import operations
from triage.incidents.operations import SilenceWish
from triage.incidents.silences import Matchers, hidden_by, hides, matchers_for, unidentified
from triage.incidents.subjects import IDENTITY
from triage.memory.people import remember
from triage.model import Incident, Json
from triage.ports.sources import UNREADABLE
from triage.ports.store import Tx
from triage.wording import listed

WHAT = "silence alerts"
NOTHING_FIRES = "Nothing from Alertmanager fires in this incident now, so there is nothing to silence."
NOTHING_IDENTIFIES = (
    "The labels of {alerts} do not say what they are about: a silence would hide that alert everywhere. "
    "Please silence it in Alertmanager, with matchers of your own."
)
ALERTMANAGER_SECONDS = 2.0
"""Slack waits three seconds for the answer to a form."""
LOOK_SECONDS = 0.8
"""How long the form waits for Alertmanager's alerts: three seconds after the click it cannot be opened any more."""
NOT_LOOKED = "Alertmanager did not say what fires now: this may hide more alerts than are known here."


def open_silence(services: Services) -> Ask:
    """Return the listener of the button: open the modal."""
    return opening(services, _view)


async def open_silence_of(services: Services, client: AsyncWebClient, incident_id: int, click: Click) -> None:
    """Open the form for an incident that was named (``/triage silence``). Raises Refused."""

    def find(tx: Tx) -> str:
        if tx.incidents.get(incident_id) is None:
            raise no_incident(incident_id)
        return tx.incidents.handle(incident_id)

    click = replace(click, handle=await services.store.read(find))
    await open_or_say(client, click, await _view(services, click), "form")


async def _view(services: Services, click: Click) -> Json:
    """Return the modal. Raises Refused, recorded, where the person may not, or there is nothing to silence."""
    decision = await services.roles.decide(click.user, "operator", WHAT)
    if not decision.allowed:
        raise Refused(await stored(services, lambda tx: _denied(services, tx, click, decision.why)))
    try:
        known = await services.store.read(lambda tx: _with_others(tx, click))
    except StoreUnavailable as error:
        raise Refused(what_happened(error)) from error
    further, note = await _hidden_elsewhere(services, known)
    return silence_view(known.incident, known.silences, click, (*known.others, *further), note)


def _denied(services: Services, tx: Tx, click: Click, why: str) -> str:
    incident_id = incident_of(tx, click)
    operations.record_denied(tx, incident_id, actor=click.user, what=WHAT, now=services.clock.now())
    return why


def _silences(tx: Tx, click: Click) -> tuple[Incident, tuple[Matchers, ...]]:
    incident = tx.incidents.by_handle(click.handle) if click.handle else None
    if incident is None:
        raise Refused(UNKNOWN_BUTTON)
    episodes = tx.incidents.episodes([incident.id])
    silences = matchers_for(episodes)
    if not silences:
        nameless = unidentified(episodes)
        raise Refused(NOTHING_IDENTIFIES.format(alerts=listed(nameless, 3)) if nameless else NOTHING_FIRES)
    return incident, silences


@dataclass(frozen=True, slots=True)
class _StoredSilences:
    """What the store says: the silences, and the alerts of other incidents that they hide, one line each.

    ``fingerprints``: which of Alertmanager's alerts are told by that already, or are the incident's own.
    """

    incident: Incident
    silences: tuple[Matchers, ...]
    others: tuple[str, ...]
    fingerprints: frozenset[str]


def _with_others(tx: Tx, click: Click) -> _StoredSilences:
    """Return also what fires in other incidents and would be hidden too."""
    incident, silences = _silences(tx, click)
    further = {one.id: one.number for one in tx.incidents.open() if one.id != incident.id}
    hidden = hidden_by(silences, tx.incidents.episodes(further))
    lines = [
        f"{one.name} on {one.subject.name} ({further.get(one.incident_id, 'another incident')})"
        for one in hidden
    ]
    told = (*hidden, *tx.incidents.episodes([incident.id]))
    return _StoredSilences(
        incident, silences, tuple(dict.fromkeys(lines)), frozenset(one.fingerprint for one in told)
    )


async def _hidden_elsewhere(services: Services, known: _StoredSilences) -> tuple[tuple[str, ...], str]:
    """Ask Alertmanager what else fires now that the silences hide: one line each, and why that may not be all."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            alerts = await services.alerts.alerts()
    except (SourceError, TimeoutError):
        return (), NOT_LOOKED
    lines = [
        f"{one.labels.get('alertname', '')} on {_about(one.labels)} (in no incident that is open here)"
        for one in alerts
        if one.fingerprint not in known.fingerprints
        and one.state != UNREADABLE
        and hides(known.silences, one.labels, one.labels.get("alertname", ""))
    ]
    all_read = all(one.state != UNREADABLE for one in alerts)
    return tuple(dict.fromkeys(lines)), "" if all_read else NOT_LOOKED


def _about(labels: Mapping[str, str]) -> str:
    """Return what tells an alert from others of its name: all labels that may, for a silence matches few of them."""
    told = [labels[name] for group in IDENTITY for name in group if labels.get(name)]
    return ", ".join(dict.fromkeys(told))


def submit_silence(services: Services) -> Ask:
    """Return the listener of the form: silence, store, then close it."""

    async def submit(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        async with services.in_flight.one():

            async def store() -> tuple[Click, str]:
                form = read_form(body["view"], body["user"])
                return form.click, await _silence(services, form)

            await close_once_stored(ack, client, store, COMMENT)

    return submit


async def _silence(services: Services, form: SilenceForm) -> str:
    """Write the silences and record them. Asks for the role again: it may have been taken since the click.

    That they are asked for is on disk before Alertmanager gets them, what came of it after: also where it
    wrote some of them only, or did not answer.
    """
    decision = await services.roles.decide(form.click.user, "operator", WHAT)
    if not decision.allowed:
        raise Refused(await stored(services, lambda tx: _denied(services, tx, form.click, decision.why)))
    start = services.clock.now()

    def ask(tx: Tx) -> tuple[Incident, SilenceWish]:
        incident, silences = _silences(tx, form.click)
        if digest(silences) != form.shown:
            raise Refused("The alerts changed since this form was opened. Please open it again.")
        remember(tx, form.click.user, form.click.user_name)
        wish = SilenceWish(form.click.user, silences, start + form.length, form.comment)
        operations.ask_silence(tx, incident.id, wish, start)
        return incident, wish

    try:
        incident, wish = await services.store.write(ask)
    except StoreUnavailable as error:
        raise Refused(what_happened(error)) from error
    written = await _write_silences(services, form, incident, wish, start)
    try:
        outcome = await services.store.write(lambda tx: _record(services, tx, incident, wish, written))
    except StoreUnavailable as error:
        raise Refused(f"{what_happened(error)} (A silence may stand in Alertmanager.)") from error
    services.changed()
    if written.why:
        raise Refused(outcome.text)
    return outcome.text


@dataclass(slots=True)
class SilenceResult:
    """What Alertmanager made of it: the ids it gave, and why there are no more; ``sure``: it said so itself."""

    ids: list[str] = field(default_factory=list)
    why: str = ""
    sure: bool = True


async def _write_silences(
    services: Services, form: SilenceForm, incident: Incident, wish: SilenceWish, start: datetime
) -> SilenceResult:
    written = SilenceResult()
    who = form.click.user_name or form.click.user
    comment = f"{incident.number}: {wish.comment}"
    try:
        async with asyncio.timeout(ALERTMANAGER_SECONDS):
            for matchers in wish.silences:
                written.ids.append(
                    await services.alerts.silence(
                        matchers, start=start, end=wish.until, created_by=who, comment=comment
                    )
                )
    except (SourceTimeout, TimeoutError) as error:
        written.why, written.sure = str(error) or f"no answer within {ALERTMANAGER_SECONDS:g} s", False
    except SourceError as error:
        written.why = str(error)
    return written


def _record(
    services: Services, tx: Tx, incident: Incident, wish: SilenceWish, written: SilenceResult
) -> operations.OperationResult:
    now, ids = services.clock.now(), written.ids
    if not written.why:
        return operations.record_silence(tx, incident.id, wish, ids=ids, now=now)
    return operations.record_silence_trouble(
        tx, incident.id, wish, ids=ids, why=written.why, sure=written.sure, now=now
    )
