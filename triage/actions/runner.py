"""Runs one confirmed action, step by step: each step's start and end is on disk before and after it is done.

A process that is killed in between leaves a ``running`` action behind, whose lease ends; it becomes ``unknown``. One
that was only slow, and finds that its lease was taken away, stops before the next step and writes nothing further.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar
from uuid import uuid4

from loguru import logger

from triage.actions import degraded, lifecycle
from triage.actions.catalogue import CATALOGUE
from triage.actions.completion import finish, interrupted
from triage.actions.context import ActionServices
from triage.actions.executor import Executor, Turn
from triage.actions.lease import Lease, LeaseLost
from triage.actions.notifications import audit, tell_action, tell_story
from triage.concurrency import FAULTS, is_stop, told_to_stop
from triage.errors import DeskFailure, Refused, SourceError, StoreUnavailable
from triage.masking import masked
from triage.memory.people import name_of
from triage.plans.agent_orders import token_of
from triage.plans.plan import Holds, Step
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.plans.verification import Observation
from triage.ports.actions import Performed
from triage.ports.store import Tx
from triage.untrusted_text import fault_words, shown

T = TypeVar("T")
BEAT_SECONDS = 2.0
OUTPUT_MAX = 16_000
"""Characters of a step's output that are stored, masked."""
LIVE_MAX = 2_000
PRECONDITION_SECONDS = 30.0
STORE_SECONDS = 60.0
"""How long a commit is tried; if that fails the lease ends, and the action becomes ``unknown``."""


class ActionRunner:
    """Runs one action in one process. ``wake_sender`` is called after each commit that owes the chat something."""

    def __init__(
        self, services: ActionServices, executor: Executor, owner: str, wake_sender: Callable[[], None]
    ) -> None:
        self._services = services
        self._executor = executor
        self._owner = owner
        self._wake_sender = wake_sender
        self._live: dict[int, str] = {}
        self._lease = Lease(services.clock)

    async def run(self, action_id: int) -> None:
        """Run a confirmed action to its end; nothing happens when somebody else runs it, or it is over."""
        at = self._lease.moment()
        record = await self._write(lambda tx: self._start(tx, action_id))
        if record is None:
            return
        self._lease.renewed(at)
        log = logger.bind(action=record.id, kind=record.kind, target=record.target)
        log.info("action runs")
        try:
            await self._beating(record)
        except LeaseLost:
            log.warning("stopped: another process took this action for dead")
        except asyncio.CancelledError:
            if told_to_stop():  # else it is a fault of what was waited for, and whoever runs this says so
                await self._stopped(record)
            raise

    async def _beating(self, record: ActionRecord) -> None:
        """Run the steps while a task beside renews the lease; that task ends with them."""
        beat = asyncio.create_task(self._beat(record.id), name=f"beat of action {record.id}")
        try:
            await self._steps(record)
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
        await self._services.end(record)

    def _start(self, tx: Tx, action_id: int) -> ActionRecord | None:
        now = self._services.clock.now()
        record = tx.actions.get(action_id)
        if record is None:
            return None
        record = lifecycle.start(record, owner=self._owner, lease_until=self._lease.until(), now=now)
        if record is None or tx.actions.locked_by(record.target) not in {None, record.id}:
            return None
        tx.actions.lock(record.target, record.id, now)
        tx.actions.save(record)
        self._begin_step(tx, record, 0)
        audit(tx, record, "started", actor="engine", now=now)
        tell_story(tx, record, f"{record.kind} on {record.target} runs", key="started", now=now)
        tell_action(tx, record, now)
        return record

    async def _steps(self, record: ActionRecord) -> None:
        refused, before = await self._look(record)
        if not await self._write(lambda tx: self._looked(tx, record.id, before, refused)):
            return
        plan = record.plan
        for number, step in enumerate(plan.steps if plan is not None else (), start=1):
            begin = partial(self._begin, action_id=record.id, number=number, step=step)
            if not await self._write(begin):
                return
            await self._still_ours(record.id)
            on_output = partial(self._store_output, number)
            turn = Turn(token_of(record.handle), number, record.confirmations[0])
            performed = await self._executor.perform(step, turn, on_output)
            end = partial(self._end, action_id=record.id, number=number, performed=performed)
            if not await self._write(end):
                return
        await self._write(lambda tx: self._succeeded(tx, record.id))

    async def _look(self, record: ActionRecord) -> tuple[list[str], Observation | None]:
        """Check preconditions once more, and see what is true before. A fault here stops before the first step."""
        action, limit = CATALOGUE[record.kind], asyncio.timeout(PRECONDITION_SECONDS)
        try:
            async with limit:
                gone = await self._services.no_longer_allowed(record)
                if gone:
                    said = ", ".join(f"{actor} ({why})" for actor, why in gone.items())
                    return [f"the confirmation of {said} does not count any more"], None
                found = await action.preconditions(await self._services.context(record))
                since = record.started_at or self._services.clock.now()
                before = await self._services.observe(record, since=since)
        except StoreUnavailable:
            raise
        except (DeskFailure, SourceError, Refused) as error:
            return [f"they could not be checked: {error}"], None
        except FAULTS as error:
            if is_stop(error):
                raise
            if limit.expired():
                return [f"they could not be checked within {PRECONDITION_SECONDS:g} s"], None
            logger.bind(action=record.id).opt(exception=error).error("preconditions met a fault of ours")
            return [f"they could not be checked: {fault_words(error)}"], None
        return [one.text for one in found if one.holds is Holds.NO], before

    def _looked(self, tx: Tx, action_id: int, before: Observation | None, refused: list[str]) -> bool:
        record = self._mine(tx, action_id)
        now = self._services.clock.now()
        if before is not None:
            record = lifecycle.observed(record, before)
            tx.actions.save(record)
        note = "; ".join(refused) or "all hold"
        for one in record.confirmations:
            note = note.replace(one.actor, name_of(tx, one.actor))
        self._end_step(tx, record, 0, Performed(ok=not refused, note=note))
        if refused:
            self._skip_rest(tx, record)
            finish(
                tx,
                self._services.desk,
                record,
                ActionStatus.FAILED,
                outcome=f"{note}. Nothing was done",
                now=now,
            )
            return False
        degraded.begun(tx, record, now)
        return True

    def _begin(self, tx: Tx, action_id: int, number: int, step: Step) -> bool:
        """Commit that a step begins, unless somebody asked to stop and this boundary allows it."""
        record = self._mine(tx, action_id)
        now = self._services.clock.now()
        if record.cancel_by and step.cancelable:
            self._skip_rest(tx, record)
            what = f"cancelled by {name_of(tx, record.cancel_by)} before step {number}"
            done = "nothing was done" if number == 1 else f"steps 1 to {number - 1} are done"
            finish(tx, self._services.desk, record, ActionStatus.FAILED, outcome=f"{what}; {done}", now=now)
            return False
        self._begin_step(tx, record, number)
        tell_action(tx, record, now)
        return True

    def _end(self, tx: Tx, action_id: int, number: int, performed: Performed) -> bool:
        record = self._mine(tx, action_id)
        if not performed.known:
            interrupted(tx, self._services.desk, record, self._services.clock.now(), why=performed.note)
            return False
        self._end_step(tx, record, number, performed)
        now = self._services.clock.now()
        if performed.ok:
            tell_action(tx, record, now)
            return True
        self._skip_rest(tx, record)
        done = f"; steps 1 to {number - 1} are done, nothing else"
        if number == 1:
            done = (
                "; nothing else was done"
                if any(one.number > 1 for one in tx.actions.steps(record.id))
                else ""
            )
        outcome = f"step {number}: {shown(performed.note, 500)}{done}"
        finish(tx, self._services.desk, record, ActionStatus.FAILED, outcome=outcome, now=now)
        return False

    def _succeeded(self, tx: Tx, action_id: int) -> None:
        record = self._mine(tx, action_id)
        now = self._services.clock.now()
        finish(tx, self._services.desk, record, ActionStatus.SUCCEEDED, outcome="every step is done", now=now)

    def _begin_step(self, tx: Tx, record: ActionRecord, number: int) -> None:
        now = self._services.clock.now()
        step = _step(tx, record, number)
        self._live = {number: ""}
        tx.actions.put_steps(record.id, [replace(step, status=StepStatus.RUNNING, started_at=now)])
        audit(
            tx, record, "step_started", actor="engine", now=now, detail={"step": number, "does": step.shown}
        )

    def _end_step(self, tx: Tx, record: ActionRecord, number: int, performed: Performed) -> None:
        now = self._services.clock.now()
        status = StepStatus.DONE if performed.ok else StepStatus.FAILED
        note = shown(performed.note, 500)
        step = replace(
            _step(tx, record, number),
            status=status,
            finished_at=now,
            note=note,
            output=shown(performed.output, OUTPUT_MAX),
        )
        tx.actions.put_steps(record.id, [step])
        detail = {"step": number, "status": status.value, "note": note}
        audit(tx, record, "step_ended", actor="engine", now=now, detail=detail)

    def _skip_rest(self, tx: Tx, record: ActionRecord) -> None:
        rest = [step for step in tx.actions.steps(record.id) if step.status is StepStatus.PENDING]
        tx.actions.put_steps(record.id, [replace(step, status=StepStatus.SKIPPED) for step in rest])

    def _mine(self, tx: Tx, action_id: int) -> ActionRecord:
        record = tx.actions.get(action_id)
        if record is None or not lifecycle.held_by(record, self._owner):
            raise LeaseLost
        return record

    def _store_output(self, number: int, text: str) -> None:
        self._live = {number: text}

    async def _beat(self, action_id: int) -> None:
        """Renew the lease and let the message show time and output."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._renewal(action_id)
            except LeaseLost:
                return  # the next step's commit meets the same and stops
            except StoreUnavailable as error:
                logger.bind(action=action_id, error=str(error)).warning("lease not renewed, trying again")
            except Exception as error:  # noqa: BLE001 - without the lease the action is lost
                logger.bind(action=action_id).opt(exception=error).error("lease not renewed, trying again")

    async def _still_ours(self, action_id: int) -> None:
        """Return when nobody can have taken the action away; asked right before the desk is touched.

        A process that was frozen after the commit that began a step finds its time over here. Raises LeaseLost.
        """
        while not self._lease.sure:
            await self._renewal(action_id)

    async def _renewal(self, action_id: int) -> None:
        at = self._lease.moment()
        await self._write(lambda tx: self._renew(tx, action_id))
        self._lease.renewed(at)

    def _renew(self, tx: Tx, action_id: int) -> None:
        record = self._mine(tx, action_id)
        now = self._services.clock.now()
        tx.actions.save(replace(record, lease_until=self._lease.until()))
        for number, text in self._live.items():
            step = _step(tx, record, number)
            if text and step.status is StepStatus.RUNNING:
                tx.actions.put_steps(
                    record.id, [replace(step, output=shown(masked(text)[-LIVE_MAX:], LIVE_MAX))]
                )
        tell_action(tx, record, now)

    async def _stopped(self, record: ActionRecord) -> None:
        """The service ends while this runs: say so now; if even that fails, the next start says it."""

        def give_up(tx: Tx) -> None:
            interrupted(tx, self._services.desk, self._mine(tx, record.id), self._services.clock.now())

        try:
            await asyncio.shield(self._write(give_up))
        except (LeaseLost, StoreUnavailable) as error:
            logger.bind(action=record.id, error=str(error)).warning("left as running: the next start ends it")

    async def _write(self, work: Callable[[Tx], T]) -> T:
        """Commit. A store that is away is waited for: what was done must not be forgotten.

        Where the store did not say whether it committed, a mark in the same commit tells: nothing is written twice.
        """
        deadline = self._services.clock.monotonic() + STORE_SECONDS
        mark, answers, level = uuid4().hex, list[T](), "WARNING"

        def once(tx: Tx) -> T:
            if tx.notes.once("action commit", mark, self._services.clock.now()):
                answers.append(work(tx))
            return answers[-1]  # the mark is there: this is the answer of the run that was committed

        while True:
            try:
                answer = await self._services.store.write(once)
            except StoreUnavailable as error:
                if self._services.clock.monotonic() >= deadline:
                    raise
                logger.bind(error=str(error)).log(level, "an action waits for the store")
                level = "DEBUG"  # said once
                await asyncio.sleep(0.5)
            else:
                self._wake_sender()
                return answer


def _step(tx: Tx, record: ActionRecord, number: int) -> StepRecord:
    return next(step for step in tx.actions.steps(record.id) if step.number == number)
