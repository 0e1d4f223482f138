"""Puts together what an action may know, and looks at the desk through the checks it names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from triage.actions.authority import no_longer_allowed
from triage.actions.base import Action, ActionContext
from triage.actions.catalogue import CATALOGUE
from triage.actions.degraded import degraded
from triage.actions.own_starts import at_work
from triage.actions.snapshots import facts_of_snapshots
from triage.actions.states_from_files import FreshMinutes, without_earlier
from triage.desk import Desk
from triage.diagnosis.checks.base import CheckContext
from triage.diagnosis.runner import run_checks
from triage.errors import DeskFailure, Refused
from triage.model import Finding
from triage.plans.agent_orders import token_of
from triage.plans.record import ActionRecord
from triage.plans.verification import Observation
from triage.playbooks.model import Playbook
from triage.ports.actions import DeskAccess
from triage.ports.clock import Clock
from triage.ports.minutes import Minutes
from triage.ports.sources import Sources
from triage.ports.store import Store, Tx
from triage.roles import Roles

END_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ActionServices:
    """Everything that actions work with: the memory, the desk, its sources, our access to it, the clock."""

    store: Store
    desk: Desk
    sources: Sources
    access: DeskAccess
    clock: Clock
    roles: Roles | None = None
    """Who may what, for a last look before the first step; None where nobody confirms in the chat."""
    minutes: Minutes | None = None
    """The bots' own files, for their states where Prometheus is away; None where nobody reads them."""

    async def no_longer_allowed(self, record: ActionRecord) -> dict[str, str]:
        """Return who confirmed an action and may no longer, with the reason."""
        return await no_longer_allowed(self.roles, self.desk, record) if self.roles is not None else {}

    async def context(
        self, record: ActionRecord, arguments: Mapping[str, str] | None = None
    ) -> ActionContext:
        """Return the context of an action, with other arguments where some were chosen."""
        on, snapshots = await self.store.read(_memory)
        return ActionContext(
            desk=self.desk,
            sources=self.sources,
            access=self.access,
            now=self.clock.now(),
            target=record.target,
            token=token_of(record.handle),
            arguments={**record.arguments, **(arguments or {})},
            degraded=on,
            snapshots=snapshots,
        )

    async def end(self, record: ActionRecord) -> None:
        """Tell the agent that an action is over; where it cannot be told it lets go of the target by itself."""
        if record.plan is None or not record.plan.orders:
            return
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.access.agent.end(token_of(record.handle))
        except (DeskFailure, Refused, TimeoutError) as error:
            logger.bind(action=record.id, error=str(error)).warning(
                "the agent was not told of an action's end"
            )

    async def observe(self, record: ActionRecord, *, since: datetime) -> Observation:
        """Look at what the action is about: its own rows, and its checks side by side."""
        action = CATALOGUE[record.kind]
        ctx = await self.context(record)
        return await action.observe(ctx, await self._findings(action, ctx, record, since))

    async def _findings(
        self, action: Action, ctx: ActionContext, record: ActionRecord, since: datetime
    ) -> tuple[Finding, ...]:
        names = record.plan.checks if record.plan is not None else action.checks
        bots = ctx.bots
        check = CheckContext(
            desk=self.desk,
            sources=self.sources,
            now=ctx.now,
            since=since,
            bots=bots,
            containers=tuple(map(self.desk.container_of, bots)) or (ctx.container,),
            single_bot=len(bots) == 1,
            ours=at_work(record, ctx.now),
        )
        playbook = Playbook(f"action {record.kind}", "{subject} {alert}", None, names)
        findings = await run_checks(playbook, check, self.clock)
        findings = without_earlier(findings, record.finished_at, self.clock.now())
        if self.minutes is None:
            return findings
        fresh = FreshMinutes(self.minutes, record.finished_at, self.desk.triage.snapshot_stale_seconds)
        return await fresh.fill(findings, bots, ctx.now)


def _memory(tx: Tx) -> tuple[bool, Mapping[str, Mapping[str, str]]]:
    return degraded(tx) is not None, facts_of_snapshots(tx)
