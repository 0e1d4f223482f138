"""The runbook's shutdown: graceful, with all profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import compose, services
from triage.actions.fitness import NEVER, Fitness
from triage.actions.inspection import engine_answers, running_bots, services_row
from triage.actions.orphans import LEFT, left_row, left_running
from triage.actions.project import project_fits
from triage.actions.verification import compare
from triage.desk import Desk
from triage.model import ActionProposal, Finding
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.plan import DESK, Plan, Precondition, Step
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.plans.verification import Observation, Row, Verification
from triage.wording import listed

_DOWN_SECONDS = 300.0


FITNESS = Fitness(threshold=1.0, requires=(NEVER,))
"""Of the whole desk: by a person alone."""


class StopDesk(Action):
    """``docker compose down`` with the desk's profiles."""

    kind = "stop_desk"
    fitness = FITNESS
    label = "Stop desk"
    description = "shut everything down gracefully"
    dangerous = True
    target_kind = TargetKind.DESK
    stops_trading = True

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """Everything down."""
        del desk, target
        return (allowed(ComposeOrder, verb="down"),)

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; which bots run is said."""
        bots = await running_bots(ctx)
        return (
            await engine_answers(ctx),
            await project_fits(ctx),
            Precondition(f"bots that run now: {listed(bots, 12) or 'none'}"),
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """Everything down."""
        return Plan(
            kind=self.kind,
            target=DESK,
            title="Stop the desk",
            steps=(Step("stop and remove the services", compose(ctx.desk, "down"), _DOWN_SECONDS),),
            side_effects=(
                "every bot stops trading; open orders are left to each bot's own shutdown",
                "monitoring stops too: from then on alerts are blind",
                *await left_running(ctx),
            ),
            wont=("remove volumes, data, logs or images",),
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """No service of the desk runs; what of its project runs on."""
        del findings
        stopped = await services_row(ctx, "Services stopped", services(ctx.desk), running=False)
        return (stopped, await left_row(ctx))

    def judge(self, before: Observation | None, after: Observation) -> Verification:
        """Say whether the desk is down, and what stays up and why."""
        found = compare(before, after)
        left = next((row.seen for row in after.rows if row.name == LEFT and row.good is not True), "")
        return replace(found, why="; ".join(filter(None, [found.why, left])))

    def follow_ups(self, record: ActionRecord, steps: Sequence[StepRecord]) -> tuple[ActionProposal, ...]:
        """Offer the start, also where compose ended with an error: most may be down."""
        begun = any(step.number and step.status is StepStatus.FAILED for step in steps)
        if record.status is ActionStatus.SUCCEEDED or begun:
            return (ActionProposal("start_desk", DESK, "bring it back"),)
        return ()


ACTION = StopDesk()
