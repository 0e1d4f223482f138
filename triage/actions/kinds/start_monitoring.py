"""The runbook's start of the dashboards: the monitoring services alone, and the check that each of them runs."""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import up
from triage.actions.fitness import NEVER, Fitness
from triage.actions.inspection import engine_answers, services_row
from triage.actions.project import images_here, made_anew, project_fits
from triage.desk import Desk
from triage.model import Finding
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.plan import DESK, Holds, Plan, Precondition
from triage.plans.verification import Row
from triage.wording import listed

FITNESS = Fitness(threshold=1.0, requires=(NEVER,))
"""No cause asks for all of it: by a person alone."""


class StartMonitoring(Action):
    """``docker compose up -d --no-deps`` of each monitoring service; no bot and nothing external is touched."""

    kind = "start_monitoring"
    fitness = FITNESS
    label = "Start monitoring"
    description = "start Prometheus, Grafana, Loki and the like, and nothing else"
    target_kind = TargetKind.DESK
    checks = ("watchers",)

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """Each monitoring service up."""
        del target
        return tuple(
            allowed(ComposeOrder, verb="up", service=service) for service in desk.compose.monitoring_services
        )

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers, the project is the desk's, and desk.yaml names the services."""
        names = ctx.desk.compose.monitoring_services
        known = (
            Precondition(f"monitoring services: {listed(names, 12)}")
            if names
            else Precondition("compose.monitoring_services of desk.yaml names none", Holds.NO)
        )
        return (
            known,
            await engine_answers(ctx),
            await project_fits(ctx),
            await images_here(ctx, names),
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """Start one service after the other."""
        names = ctx.desk.compose.monitoring_services
        return Plan(
            kind=self.kind,
            target=DESK,
            title="Start the monitoring services",
            steps=tuple(up(ctx.desk, name, external=not ctx.degraded) for name in names),
            side_effects=(await made_anew(ctx, names),),
            wont=("touch a bot, Redis or an external service",),
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """All of them run."""
        del findings
        names = ctx.desk.compose.monitoring_services
        return (await services_row(ctx, "Monitoring services", names, running=True),)


ACTION = StartMonitoring()
