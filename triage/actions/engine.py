"""The engine of actions: plans for people, confirmations, and the loop that runs and verifies. One a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from loguru import logger

from triage.actions import completion, confirmation, proposals
from triage.actions.catalogue import CATALOGUE, find
from triage.actions.context import ActionServices
from triage.actions.executor import Executor
from triage.actions.incident_of_action import incident_about
from triage.actions.preparation import PreparedPlan, prepare, recheck, show_agent
from triage.actions.runner import ActionRunner
from triage.actions.verifier import Verifier
from triage.concurrency import FAULTS, is_stop
from triage.errors import StoreUnavailable
from triage.model import ActionProposal
from triage.plans.record import ActionRecord, ActionStatus
from triage.ports.actions import Signed
from triage.ports.bell import Bell
from triage.ports.store import Tx
from triage.untrusted_text import fault_words

T = TypeVar("T")
ROUND_SECONDS = 2.0


@dataclass(slots=True)
class ActionEngine:
    """Proposes, prepares, confirms, runs and verifies actions of one desk.

    ``wake_sender`` wakes the sender. ``owner`` names this process in leases. ``executor`` carries out
    steps; by default on the services's own access.
    """

    services: ActionServices
    owner: str
    wake_sender: Callable[[], None]
    executor: Executor | None = None
    beat: Callable[[], None] = lambda: None
    """Called once a round of the loop, as proof that it is not stuck."""
    fault: Callable[[BaseException], None] = lambda _: None
    """Called with a fault of ours that cost one action, or one round."""
    _bell: Bell = field(default_factory=Bell)
    _at_work: set[int] = field(default_factory=set)

    # -- for people --------------------------------------------------------------------------------------------

    async def look(self, handle: str) -> ActionRecord:
        """Return the action a button stands for. Raises Refused for a forged or forgotten one."""
        return await self.services.store.read(lambda tx: confirmation.by_handle(tx, handle))

    async def prepare(self, handle: str, chosen: Mapping[str, str] | None = None) -> PreparedPlan:
        """Make the plan of a proposal with what was chosen, and keep it. Raises Refused, StoreUnavailable."""
        return await prepare(self.services, handle, chosen or {})

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

        ``signed``: the form as the chat signed it (HTTP mode), for the agent to check by itself.
        """
        record, plan = await recheck(self.services, handle, digest)
        if plan is not None and plan.orders:
            await show_agent(self.services, record, plan, actor=actor, reason=reason, signed=signed)
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

    async def reject(self, handle: str, *, actor: str) -> ActionRecord:
        """Reject a proposal. Raises Refused."""
        now = self.services.clock.now()
        record = await self.services.store.write(
            lambda tx: confirmation.reject(tx, handle, actor=actor, now=now)
        )
        self.wake_sender()
        return record

    async def cancel(self, handle: str, *, actor: str) -> ActionRecord:
        """Stop an action at the next step that allows it. Raises Refused."""
        now = self.services.clock.now()
        record = await self.services.store.write(
            lambda tx: confirmation.cancel(tx, handle, actor=actor, now=now)
        )
        self.wake_sender()
        return record

    async def propose(self, kind: str, target: str, *, by: str, why: str) -> ActionRecord:
        """Propose an action that a person asks for. It joins the open incident that it is about. Raises Refused."""
        desk, now = self.services.desk, self.services.clock.now()
        target = target or ("desk" if kind in CATALOGUE and CATALOGUE[kind].target_kind == "desk" else "")
        find(desk, kind, target)

        def work(tx: Tx) -> ActionRecord:
            incident_id = incident_about(tx, desk, kind, target)
            proposal = ActionProposal(kind, target, why)
            return proposals.propose(tx, desk, proposal, by=by, now=now, incident_id=incident_id)

        return await self.services.store.write(work)

    async def withdraw(self, handle: str, gone: Mapping[str, str]) -> str:
        """Take back the confirmations of people who may no longer; returns what to say. Raises Refused."""
        now = self.services.clock.now()
        said = await self.services.store.write(lambda tx: confirmation.withdraw(tx, handle, gone, now=now))
        self.wake_sender()
        return said

    # -- the loop ----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Wake the loop: there is an action to run or to verify."""
        self._bell.ring()
        self.wake_sender()

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
        await self._isolated(0, self._expire)
        for record in ended:
            await self.services.end(record)
        if ended:
            self.wake_sender()
        return len(ended)

    def _expire(self, tx: Tx) -> int:
        return proposals.expire_due(tx, self.services.clock.now(), proposals.open_ids(tx))

    async def _isolated(self, action_id: int, work: Callable[[Tx], T]) -> T | None:
        """Write what concerns one action: a fault of ours costs only that one, and is said."""
        try:
            return await self.services.store.write(work)
        except StoreUnavailable:
            raise
        except FAULTS as error:
            if is_stop(error):
                raise
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
                except FAULTS as error:  # it must not end the actions that run
                    if is_stop(error):
                        raise
                    logger.opt(exception=error).error("a round of the action engine failed; it goes on")
                    self.fault(error)
                await self._bell.wait(ROUND_SECONDS)

    async def _round(self, tasks: asyncio.TaskGroup) -> None:
        if not await self.services.store.read(self._anything):
            return
        await self.recover(alone=False)
        verifier = self.verifier
        for record in await self.services.store.read(
            lambda tx: tx.actions.with_status(ActionStatus.CONFIRMED)
        ):
            if record.id not in self._at_work:
                self._spawn(tasks, record.id, self._runner().run(record.id))
        for record in await self.services.store.read(
            lambda tx: tx.actions.to_verify(self.services.clock.now())
        ):
            taken = await self._isolated(record.id, partial(verifier.take, action_id=record.id))
            if taken is not None:
                self._spawn(tasks, taken.id, verifier.verify(taken))

    def _anything(self, tx: Tx) -> bool:
        """A cheap look: most rounds end here."""
        now = self.services.clock.now()
        live = tx.actions.with_status(ActionStatus.PROPOSED, ActionStatus.CONFIRMED, ActionStatus.RUNNING)
        busy = any(record.status is not ActionStatus.PROPOSED or record.expires_at <= now for record in live)
        return busy or bool(tx.actions.to_verify(now))

    @property
    def verifier(self) -> Verifier:
        """What asks whether an action helped."""
        return Verifier(self.services, self.owner, self.wake_sender)

    def _runner(self) -> ActionRunner:
        services = self.services
        executor = self.executor or Executor(services.sources, services.access, services.clock)
        return ActionRunner(services, executor, self.owner, self.wake_sender)

    def _spawn(self, tasks: asyncio.TaskGroup, action_id: int, work: Coroutine[Any, Any, object]) -> None:
        self._at_work.add(action_id)
        tasks.create_task(self._guarded(action_id, work), name=f"action {action_id}")

    async def _guarded(self, action_id: int, work: Coroutine[Any, Any, object]) -> None:
        """A fault in one action ends neither the others nor the loop; it is said where people look.

        Where even that cannot be stored its lease ends, and it becomes unknown.
        """
        try:
            await work
        except StoreUnavailable as error:  # said by the store
            logger.bind(action=action_id, error=str(error)).warning("an action is left as the store has it")
        except FAULTS as error:
            if is_stop(error):
                raise
            logger.bind(action=action_id).opt(exception=error).error("an action met a fault of ours")
            self.fault(error)
            await self._failed(action_id, error)
        finally:
            self._at_work.discard(action_id)

    async def _failed(self, action_id: int, error: BaseException) -> None:
        def end(tx: Tx) -> None:
            now, why = self.services.clock.now(), fault_words(error)
            completion.failed_by_us(tx, self.services.desk, action_id, now, owner=self.owner, why=why)

        try:
            await self._isolated(action_id, end)
        except StoreUnavailable as away:
            logger.bind(action=action_id, error=str(away)).warning("left as running: its lease ends")
        self.wake_sender()


__all__ = ["ActionEngine"]
