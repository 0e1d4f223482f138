"""What the handlers of actions are given, and the check of who may press what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.slack.buttons import what_happened
from handlers.slack.click import Click
from handlers.slack.services import Services
from triage.actions.authority import no_longer_allowed, role_for
from triage.actions.catalogue import action_title
from triage.actions.engine import ActionEngine
from triage.actions.preparation import PreparedPlan
from triage.errors import Refused, StoreUnavailable
from triage.incidents import operations
from triage.memory.people import remember
from triage.model import Json
from triage.plans.record import ActionRecord, StepRecord
from triage.ports.store import Tx
from triage.roles import RoleName


class ActionViews(Protocol):
    """Builds the modals."""

    def preparing(self, record: ActionRecord, kept: Mapping[str, str]) -> Json:
        """Return the modal that is shown at once, before the plan is made."""
        ...

    def confirm(
        self, prepared: PreparedPlan, kept: Mapping[str, str], names: Mapping[str, str], incident_handle: str
    ) -> Json:
        """Return the modal with the plan, to be confirmed."""
        ...

    def notice(self, title: str, text: str, incident_handle: str = "") -> Json:
        """Return a modal that says one sentence."""
        ...

    def output(self, record: ActionRecord, steps: Sequence[StepRecord]) -> Json:
        """Return a modal with what steps printed, masked."""
        ...


@dataclass(frozen=True, slots=True)
class ActionDependencies:
    """What these handlers are given: the services of all handlers, the engine of actions, the modals."""

    services: Services
    engine: ActionEngine
    views: ActionViews


async def allowed(parts: ActionDependencies, handle: str, click: Click, verb: str) -> ActionRecord:
    """Return the action of a button if this person may do that to it. Raises Refused, recorded."""
    record = await parts.engine.look(handle)
    await may(
        parts,
        click,
        _role(parts, record),
        f"{verb or 'run '}{action_title(record.kind, record.target)}",
        record,
    )
    return record


def _role(parts: ActionDependencies, record: ActionRecord) -> RoleName:
    return role_for(parts.engine.services.desk, record.kind, 1 if record.awaits_second else 0)


async def still_confirmed(parts: ActionDependencies, record: ActionRecord) -> None:
    """Return where everybody who confirmed before still may; else take theirs back. Raises Refused."""
    gone = await no_longer_allowed(parts.services.roles, parts.engine.services.desk, record)
    if gone:
        raise Refused(await parts.engine.withdraw(record.handle, gone))


async def may(
    parts: ActionDependencies, click: Click, role: RoleName, what: str, record: ActionRecord | None = None
) -> None:
    """Return where this person may; raise Refused otherwise, with the denial recorded. Learns their name."""
    services = parts.services
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
        raise Refused(what_happened(error)) from error
    if not decision.allowed:
        raise Refused(decision.why)
