"""The engine of actions: plans for people, confirmations, and the loop that runs and verifies. One a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from loguru import logger

from triage.actions import completion, confirmation, proposals
from triage.actions.base import ArgumentChoice
from triage.actions.catalogue import CATALOGUE, find
from triage.actions.context import ActionServices
from triage.actions.executor import Executor
from triage.actions.lease import LEASE_SECONDS
from triage.actions.lifecycle import why_not
from triage.actions.objections import objections
from triage.actions.outcome_check import check_outcome
from triage.actions.runner import ActionRunner
from triage.errors import DeskFailure, Refused, SourceError, StoreUnavailable
from triage.model import ActionProposal, SubjectKind
from triage.plans.agent_orders import token_of
from triage.plans.record import ActionRecord, ActionStatus, Holds, Plan, Precondition
from triage.ports.actions import ShownPlan, Signed
from triage.ports.bell import Bell
from triage.ports.store import Tx

T = TypeVar("T")
PREPARE_SECONDS = 20.0
RECHECK_SECONDS = 1.2
"""Slack waits three seconds for the answer to a form; what takes longer is checked before the first step."""
SHOW_SECONDS = 1.2
ROUND_SECONDS = 2.0
VERIFY_LEASE_SECONDS, VERIFY_RENEW_SECONDS = 9.0, 3.0
"""A verification whose lease was not renewed for so long is another replica's: it is asked again within 15 s."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a person is shown before they confirm. ``blocked``: why it cannot be confirmed now, or empty."""

    record: ActionRecord
    plan: Plan | None
    preconditions: tuple[Precondition, ...]
    choices: tuple[ArgumentChoice, ...]
    blocked: str
    now: datetime


@dataclass(slots=True)
class ActionEngine:
    """Proposes, prepares, confirms, runs and verifies actions of one desk.

    ``told`` rings whoever sends to Slack. ``owner`` names this process in leases. ``executor`` carries out
    steps; by default on the services's own access.
    """

    services: ActionServices
    owner: str
    told: Callable[[], None]
    executor: Executor | None = None
    beat: Callable[[], None] = lambda: None
    """Called at each round: the loop turns."""
    fault: Callable[[Exception], None] = lambda _: None
    """Called with a fault of ours that cost one action, or one round."""
    _bell: Bell = field(default_factory=Bell)
    _at_work: set[int] = field(default_factory=set)

    # -- for people --------------------------------------------------------------------------------------------

    async def look(self, handle: str) -> ActionRecord:
        """Return the action a button stands for. Raises Refused for a forged or forgotten one."""
        return await self.services.store.read(lambda tx: confirmation.by_handle(tx, handle))

    async def prepare(self, handle: str, chosen: Mapping[str, str] | None = None) -> Prepared:
        """Make the plan of a proposal with what was chosen, and keep it. Raises Refused, StoreUnavailable."""
        record, problem = await self.services.store.read(lambda tx: self._why_not(tx, handle))
        if problem:
            return Prepared(
                record=record,
                plan=record.plan,
                preconditions=(),
                choices=(),
                blocked=problem,
                now=self.services.clock.now(),
            )
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                return await self._prepare(record, chosen or {})
        except TimeoutError:
            problem = f"The desk could not be looked at within {PREPARE_SECONDS:g} s. Please try again."
        except (DeskFailure, SourceError, Refused) as error:
            problem = str(error)
        return Prepared(
            record=record,
            plan=None,
            preconditions=(),
            choices=(),
            blocked=problem,
            now=self.services.clock.now(),
        )

    def _why_not(self, tx: Tx, handle: str) -> tuple[ActionRecord, str]:
        record = confirmation.by_handle(tx, handle)
        return record, confirmation.why_not(tx, record, self.services.clock.now())

    async def _prepare(self, record: ActionRecord, chosen: Mapping[str, str]) -> Prepared:
        action = CATALOGUE[record.kind]
        fixed = record.plan if record.awaits_second else None  # the second person confirms what the first saw
        ctx = await self.services.context(record, fixed.arguments if fixed else chosen)
        choices = () if fixed or record.parent_id is not None else await action.choices(ctx)
        ctx = replace(ctx, arguments={**ctx.arguments, **{one.name: one.chosen for one in choices}})
        found = await action.preconditions(ctx)
        found += await self.services.store.read(lambda tx: objections(tx, self.services.desk, record))
        refused = [one.text for one in found if one.holds is Holds.NO]
        blocked = f"Not possible now: {'; '.join(refused)}" if refused else ""
        try:
            plan = fixed or await action.plan(ctx)
        except (DeskFailure, SourceError, Refused) as error:
            return Prepared(
                record=record,
                plan=None,
                preconditions=found,
                choices=choices,
                blocked=blocked or str(error),
                now=ctx.now,
            )
        await self.services.store.write(lambda tx: tx.actions.keep_plan(record.id, plan))
        return Prepared(
            record=record, plan=plan, preconditions=found, choices=choices, blocked=blocked, now=ctx.now
        )

    async def confirm(
        self,
        handle: str,
        *,
        digest: str,
        actor: str,
        reason: str,
        seen: int | None = None,
        signed: Signed | None = None,
    ) -> ActionRecord:
        """Confirm the plan that was shown; returns once that is on disk. Raises Refused, StoreUnavailable.

        ``signed``: the form as Slack signed it (HTTP mode), for the agent to check by itself.
        """
        record, plan = await self._recheck(handle, digest)
        if plan is not None and plan.orders:
            await self._show(record, plan, actor=actor, reason=reason, signed=signed)
        now = self.services.clock.now()
        record = await self.services.store.write(
            lambda tx: confirmation.confirm(
                tx,
                self.services.desk,
                handle,
                digest=digest,
                actor=actor,
                reason=reason,
                now=now,
                seen=seen,
            )
        )
        self.wake()
        return record

    async def _show(
        self, record: ActionRecord, plan: Plan, *, actor: str, reason: str, signed: Signed | None
    ) -> None:
        """Show the agent what is confirmed now, before it is stored: it may say no. Raises Refused."""
        problem = why_not(record, self.services.clock.now())
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
                await self.services.access.agent.confirm(shown)
        except TimeoutError as error:
            raise Refused("The agent that touches the desk does not answer. Nothing was done.") from error
        except DeskFailure as error:
            raise Refused(f"{error}. Nothing was done.") from error

    async def _recheck(self, handle: str, digest: str) -> tuple[ActionRecord, Plan | None]:
        """Ask the preconditions again, as far as there is time for it. Raises Refused."""

        def known(tx: Tx) -> tuple[ActionRecord, Plan | None]:
            record = confirmation.by_handle(tx, handle)
            return record, tx.actions.plan(record.id, digest)

        record, plan = await self.services.store.read(known)
        if plan is None:
            return record, None  # said where it is confirmed
        try:
            async with asyncio.timeout(RECHECK_SECONDS):
                ctx = await self.services.context(record, plan.arguments)
                found = await CATALOGUE[record.kind].preconditions(ctx)
        except TimeoutError:
            return record, plan
        refused = [one.text for one in found if one.holds is Holds.NO]
        if refused:
            raise Refused(f"Not possible now: {'; '.join(refused)}. Nothing was done.")
        return record, plan

    async def reject(self, handle: str, *, actor: str) -> ActionRecord:
        """Reject a proposal. Raises Refused."""
        now = self.services.clock.now()
        record = await self.services.store.write(
            lambda tx: confirmation.reject(tx, handle, actor=actor, now=now)
        )
        self.told()
        return record

    async def cancel(self, handle: str, *, actor: str) -> ActionRecord:
        """Stop an action at the next step that allows it. Raises Refused."""
        now = self.services.clock.now()
        record = await self.services.store.write(
            lambda tx: confirmation.cancel(tx, handle, actor=actor, now=now)
        )
        self.told()
        return record

    async def propose(self, kind: str, target: str, *, by: str, why: str) -> ActionRecord:
        """Propose an action that a person asks for. It joins the open incident of its target. Raises Refused."""
        desk, now = self.services.desk, self.services.clock.now()
        target = target or ("desk" if kind in CATALOGUE and CATALOGUE[kind].target_kind == "desk" else "")
        find(desk, kind, target)

        def work(tx: Tx) -> ActionRecord:
            places = {(SubjectKind.BOT, target), (SubjectKind.CONTAINER, desk.container_of(target))}
            open_ones = [
                incident
                for incident in tx.incidents.open()
                if any((subject.kind, subject.name) in places for subject in incident.subjects)
            ]
            incident_id = open_ones[-1].id if open_ones else None
            proposal = ActionProposal(kind, target, why)
            return proposals.propose(tx, desk, proposal, by=by, now=now, incident_id=incident_id)

        return await self.services.store.write(work)

    async def withdraw(self, handle: str, gone: Mapping[str, str]) -> str:
        """Take back the confirmations of people who may no longer; returns what to say. Raises Refused."""
        now = self.services.clock.now()
        said = await self.services.store.write(lambda tx: confirmation.withdraw(tx, handle, gone, now=now))
        self.told()
        return said

    # -- the loop ----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something to run."""
        self._bell.ring()
        self.told()

    async def recover(self, *, alone: bool) -> int:
        """Make running actions of dead processes ``unknown``; returns how many.

        ``alone``: no other process works on this store (SQLite), so every one that we do not run is dead.
        """

        def dead(tx: Tx) -> list[ActionRecord]:
            now = self.services.clock.now()
            return [
                record
                for record in tx.actions.with_status(ActionStatus.RUNNING)
                if record.id not in self._at_work
                and (alone or record.lease_until is None or record.lease_until < now)
            ]

        def end(tx: Tx, action_id: int) -> list[ActionRecord]:
            # Asked again inside the commit: meanwhile it may have been taken up, or ended.
            found = [record for record in dead(tx) if record.id == action_id]
            for record in found:
                completion.interrupted(tx, self.services.desk, record, self.services.clock.now())
            return found

        ended: list[ActionRecord] = []
        for record in await self.services.store.read(dead):
            ended += await self._isolated(record.id, partial(end, action_id=record.id)) or ()
        await self._isolated(0, lambda tx: proposals.expire_due(tx, self.services.clock.now()))
        for record in ended:
            await self.services.end(record)
        if ended:
            self.told()
        return len(ended)

    async def _isolated(self, action_id: int, work: Callable[[Tx], T]) -> T | None:
        """Write what concerns one action: a fault of ours costs only that one, and is said."""
        try:
            return await self.services.store.write(work)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            logger.bind(action=action_id).opt(exception=error).error("an action could not be brought on")
            self.fault(error)
            return None

    async def run(self, *, alone: bool) -> None:
        """Run and verify until cancelled; then what runs is stopped and said to be ``unknown``."""
        await self.recover(alone=alone)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.beat()
                try:
                    await self._round(tasks)
                except StoreUnavailable as error:
                    logger.bind(error=str(error)).debug("actions wait for the store")
                except Exception as error:  # noqa: BLE001 - it must not end the actions that run
                    logger.opt(exception=error).error("a round of the action engine failed; it goes on")
                    self.fault(error)
                await self._bell.wait(ROUND_SECONDS)

    async def _round(self, tasks: asyncio.TaskGroup) -> None:
        if not await self.services.store.read(self._anything):
            return
        await self.recover(alone=False)
        for record in await self.services.store.read(
            lambda tx: tx.actions.with_status(ActionStatus.CONFIRMED)
        ):
            if record.id not in self._at_work:
                self._spawn(tasks, record.id, self._runner().run(record.id))
        for record in await self.services.store.read(
            lambda tx: tx.actions.to_verify(self.services.clock.now())
        ):
            taken = await self._isolated(record.id, partial(self._take_to_verify, action_id=record.id))
            if taken is not None:
                self._spawn(tasks, taken.id, self.verify(taken))

    def _anything(self, tx: Tx) -> bool:
        """A cheap look: most rounds end here."""
        now = self.services.clock.now()
        live = tx.actions.with_status(ActionStatus.PROPOSED, ActionStatus.CONFIRMED, ActionStatus.RUNNING)
        busy = any(record.status is not ActionStatus.PROPOSED or record.expires_at <= now for record in live)
        return busy or bool(tx.actions.to_verify(now))

    def _runner(self) -> ActionRunner:
        services = self.services
        executor = self.executor or Executor(services.sources, services.access, services.clock)
        return ActionRunner(services, executor, self.owner, self.told)

    def _spawn(self, tasks: asyncio.TaskGroup, action_id: int, work: Coroutine[Any, Any, object]) -> None:
        self._at_work.add(action_id)
        tasks.create_task(self._guarded(action_id, work), name=f"action {action_id}")

    async def _guarded(self, action_id: int, work: Coroutine[Any, Any, object]) -> None:
        """A fault in one action ends neither the others nor the loop; its lease ends, and it becomes unknown."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - see above
            logger.bind(action=action_id).exception("an action ended by a fault of ours")
            self.fault(error)
        finally:
            self._at_work.discard(action_id)

    def _take_to_verify(self, tx: Tx, action_id: int) -> ActionRecord | None:
        now = self.services.clock.now()
        for record in tx.actions.to_verify(now):
            if record.id == action_id:
                held = replace(
                    record, owner=self.owner, lease_until=now + timedelta(seconds=VERIFY_LEASE_SECONDS)
                )
                tx.actions.save(held)
                return held
        return None

    async def verify(self, record: ActionRecord) -> None:
        """Ask the same questions as before the action, and say whether it helped.

        Another process may have taken the question over meanwhile (this one stood still): its answer holds.
        """
        renewing = asyncio.create_task(self._renew(record), name=f"lease of verification {record.id}")
        try:
            verification = await check_outcome(self.services, record)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        now = self.services.clock.now()

        def work(tx: Tx) -> ActionRecord | None:
            newest = _still_asked(tx, record)
            return (
                None
                if newest is None
                else completion.verified(tx, self.services.desk, newest, verification, now)
            )

        done = await self.services.store.write(work)
        if done is None:
            logger.bind(action=record.id).warning("not said: another process took the verification over")
            return
        self.told()
        if done.verify_at is None:
            await self._tidy(done)

    async def _renew(self, record: ActionRecord) -> None:
        """Keep a verification for as long as it looks; a commit that fails is tried again at the next turn."""

        def work(tx: Tx) -> None:
            if (held := _still_asked(tx, record)) is not None:
                until = self.services.clock.now() + timedelta(seconds=VERIFY_LEASE_SECONDS)
                tx.actions.save(replace(held, lease_until=until))

        while True:
            await asyncio.sleep(VERIFY_RENEW_SECONDS)
            try:
                await self.services.store.write(work)
            except StoreUnavailable as error:
                logger.bind(action=record.id, error=str(error)).debug(
                    "the lease of a verification is not renewed"
                )

    async def _tidy(self, record: ActionRecord) -> None:
        if record.plan is None or not record.plan.orders:
            return
        try:
            await self.services.access.agent.tidy(token_of(record.handle))
        except (DeskFailure, Refused) as error:
            logger.bind(action=record.id, error=str(error)).warning("something was left lying")


def _still_asked(tx: Tx, record: ActionRecord) -> ActionRecord | None:
    """Return an action as it is now, where the question that was claimed with this record is still ours."""
    newest = tx.actions.get(record.id)
    if newest is None or newest.lease_until is None:
        return None
    ours = (newest.owner, newest.verify_at) == (record.owner, record.verify_at)
    return newest if ours else None


__all__ = ["LEASE_SECONDS", "ActionEngine", "Prepared"]
