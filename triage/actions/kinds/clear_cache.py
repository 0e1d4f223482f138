"""The runbook's stale ``.pyc`` fix: remove the bytecode in the container, then recreate the bot."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import caches_argv, recreate_and_wait
from triage.actions.fitness import (
    GUARDED,
    KILLED,
    NO_ROOM,
    OLD_CODE,
    OUT_OF_SIGHT,
    PAUSED,
    STATE_UNKNOWN,
    Fitness,
)
from triage.actions.inspection import bot_row, container_row, container_there, engine_answers, inspect
from triage.actions.project import images_here, project_fits
from triage.desk import Desk
from triage.model import Finding
from triage.plans import agent_orders
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.operations import RemoveCaches
from triage.plans.plan import Plan, Precondition, Step
from triage.plans.verification import Compared, Observation, Row, Verification, VerificationOutcome
from triage.ports.sources import ContainerState

_CONTAINER_ID = "New container"


FITNESS = Fitness(
    threshold=0.85,
    requires=(OLD_CODE,),
    # It ends with a new container: what speaks against a start speaks against it.
    against=(GUARDED, KILLED, PAUSED, NO_ROOM, OUT_OF_SIGHT, STATE_UNKNOWN),
    not_while={
        "disk_full": "a start needs room on the disk",
        "alert_storm": "what they share lies outside of each bot",
    },
)


class ClearCache(Action):
    """``docker restart`` does not clear Python's bytecode: remove it, and start from a new container."""

    kind = "clear_cache"
    fitness = FITNESS
    label = "Clear cache"
    description = "remove stale bytecode and recreate the container"
    target_kind = TargetKind.BOT
    checks = ("bytecode", "bot_state", "error_logs")
    deciding = frozenset({"bytecode"})

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """The bytecode, then the container anew."""
        return (
            allowed(agent_orders.RemoveCachesOrder, bot=target, optional=True),
            allowed(ComposeOrder, verb="recreate", service=desk.service_of(target)),
        )

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; the container is there, of this project; its image is on the host."""
        return (
            await engine_answers(ctx),
            await container_there(ctx),
            await project_fits(ctx),
            await images_here(ctx),
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """Remove the folders (in a container that runs), then recreate."""
        state = await inspect(ctx, ctx.container)
        runs = isinstance(state, ContainerState) and state.running
        line = shlex.join(("docker", "exec", ctx.container, *caches_argv(ctx.desk)))
        remove = RemoveCaches(ctx.target, line)
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"Clear cache on {ctx.target}",
            steps=(
                *((Step("remove the bytecode", remove, 30),) if runs else ()),
                *recreate_and_wait(ctx.desk, ctx.service, ctx.container, external=not ctx.degraded),
            ),
            side_effects=("the bot restarts and loads the controllers that are on its disk",),
            wont=("touch controllers, configuration, data or logs", "touch any other service"),
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """Which container it is, that it runs, and the bot's state."""
        state = await inspect(ctx, ctx.container)
        seen = state.id[:12] if isinstance(state, ContainerState) else "unknown"
        return (
            await container_row(ctx, ctx.container),
            Row(_CONTAINER_ID, seen, None, decides=False),
            bot_row(findings, ctx.target, good=("running", "soft_pause")),
        )

    def judge(self, before: Observation | None, after: Observation) -> Verification:
        """As usual, and the container must be another one than before."""
        verdict = super().judge(before, after)
        was = next((row.seen for row in before.rows if row.name == _CONTAINER_ID), "") if before else ""
        rows = tuple(_same_container(row, was) if row.name == _CONTAINER_ID else row for row in verdict.rows)
        if any(row.name == _CONTAINER_ID and row.good is False for row in rows):
            return Verification(
                VerificationOutcome.PERSISTING, verdict.at, rows, "the container was not recreated"
            )
        return Verification(verdict.outcome, verdict.at, rows, verdict.why)


def _same_container(row: Compared, was: str) -> Compared:
    known = bool(was) and "unknown" not in {was, row.after}
    return Compared(row.name, row.before, row.after, row.after != was if known else None)


ACTION = ClearCache()
