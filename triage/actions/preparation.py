"""What a person is shown before they confirm an action, and what is asked once more when they do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from triage.actions import confirmation
from triage.actions.base import ArgumentChoice
from triage.actions.catalogue import CATALOGUE
from triage.actions.context import ActionServices
from triage.actions.lifecycle import why_not
from triage.actions.objections import objections
from triage.errors import DeskFailure, Refused, SourceError
from triage.plans.agent_orders import token_of
from triage.plans.plan import Holds, Plan, Precondition
from triage.plans.record import ActionRecord
from triage.ports.actions import ShownPlan, Signed
from triage.ports.store import Tx

PREPARE_SECONDS = 20.0
RECHECK_SECONDS = 1.2
"""The chat waits three seconds for the answer to a form; what takes longer is checked before the first step."""
SHOW_SECONDS = 1.2


@dataclass(frozen=True, slots=True)
class PreparedPlan:
    """What a person is shown before they confirm. ``blocked``: why it cannot be confirmed now, or empty."""

    record: ActionRecord
    plan: Plan | None
    preconditions: tuple[Precondition, ...]
    choices: tuple[ArgumentChoice, ...]
    blocked: str
    now: datetime


async def prepare(services: ActionServices, handle: str, chosen: Mapping[str, str]) -> PreparedPlan:
    """Make the plan of a proposal with what was chosen, and keep it. Raises Refused, StoreUnavailable."""
    record, problem = await services.store.read(lambda tx: _why_not(services, tx, handle))
    if problem:
        return PreparedPlan(
            record=record,
            plan=record.plan,
            preconditions=(),
            choices=(),
            blocked=problem,
            now=services.clock.now(),
        )
    try:
        async with asyncio.timeout(PREPARE_SECONDS):
            return await _prepare(services, record, chosen)
    except TimeoutError:
        problem = f"The desk could not be looked at within {PREPARE_SECONDS:g} s. Please try again."
    except (DeskFailure, SourceError, Refused) as error:
        problem = str(error)
    return PreparedPlan(
        record=record,
        plan=None,
        preconditions=(),
        choices=(),
        blocked=problem,
        now=services.clock.now(),
    )


def _why_not(services: ActionServices, tx: Tx, handle: str) -> tuple[ActionRecord, str]:
    record = confirmation.by_handle(tx, handle)
    return record, confirmation.why_not(tx, record, services.clock.now())


async def _prepare(services: ActionServices, record: ActionRecord, chosen: Mapping[str, str]) -> PreparedPlan:
    action = CATALOGUE[record.kind]
    fixed = record.plan if record.awaits_second else None  # the second person confirms what the first saw
    ctx = await services.context(record, fixed.arguments if fixed else chosen)
    choices = () if fixed or record.parent_id is not None else await action.choices(ctx)
    ctx = replace(ctx, arguments={**ctx.arguments, **{one.name: one.chosen for one in choices}})
    found = await action.preconditions(ctx)
    found += await services.store.read(lambda tx: objections(tx, services.desk, record))
    refused = [one.text for one in found if one.holds is Holds.NO]
    blocked = f"Not possible now: {'; '.join(refused)}" if refused else ""
    try:
        plan = fixed or await action.plan(ctx)
    except (DeskFailure, SourceError, Refused) as error:
        return PreparedPlan(
            record=record,
            plan=None,
            preconditions=found,
            choices=choices,
            blocked=blocked or str(error),
            now=ctx.now,
        )
    await services.store.write(lambda tx: tx.actions.keep_plan(record.id, plan))
    return PreparedPlan(
        record=record, plan=plan, preconditions=found, choices=choices, blocked=blocked, now=ctx.now
    )


async def show_agent(
    services: ActionServices,
    record: ActionRecord,
    plan: Plan,
    *,
    actor: str,
    reason: str,
    signed: Signed | None,
) -> None:
    """Show the agent what is confirmed now, before it is stored: it may say no. Raises Refused."""
    problem = why_not(record, services.clock.now())
    if problem:
        raise Refused(problem)
    shown = ShownPlan(
        token=token_of(record.handle),
        kind=plan.kind,
        target=plan.target,
        orders=plan.orders,
        rest=plan.rest,
        actor=actor,
        reason=reason,
        signed=signed,
    )
    try:
        async with asyncio.timeout(SHOW_SECONDS):
            await services.access.agent.confirm(shown)
    except TimeoutError as error:
        raise Refused("The agent that touches the desk does not answer. Nothing was done.") from error
    except DeskFailure as error:
        raise Refused(f"{error}. Nothing was done.") from error


async def recheck(services: ActionServices, handle: str, digest: str) -> tuple[ActionRecord, Plan | None]:
    """Ask the preconditions again, as far as there is time for it. Raises Refused."""

    def known(tx: Tx) -> tuple[ActionRecord, Plan | None]:
        record = confirmation.by_handle(tx, handle)
        return record, tx.actions.plan(record.id, digest)

    record, plan = await services.store.read(known)
    if plan is None:
        return record, None  # said where it is confirmed
    try:
        async with asyncio.timeout(RECHECK_SECONDS):
            ctx = await services.context(record, plan.arguments)
            found = await CATALOGUE[record.kind].preconditions(ctx)
    except (TimeoutError, DeskFailure, SourceError):
        return record, plan  # they are asked once more before the first step, which says why they cannot be
    refused = [one.text for one in found if one.holds is Holds.NO]
    if refused:
        raise Refused(f"Not possible now: {'; '.join(refused)}. Nothing was done.")
    return record, plan


__all__ = ["PreparedPlan", "prepare", "recheck", "show_agent"]
