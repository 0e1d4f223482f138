"""Recreate a bot or a service: a new container from the compose file, the image and ``.env`` as they are now."""

from __future__ import annotations

from triage.actions.base import ActionContext
from triage.actions.compose import recreate_and_wait
from triage.actions.inspection import engine_answers
from triage.actions.kinds.restart import Restart
from triage.actions.project import images_here, project_fits
from triage.desk import Desk
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.plan import Plan, Precondition


class Recreate(Restart):
    """``docker compose up -d --force-recreate``; offered and verified as a restart is: both give a new process."""

    kind = "recreate"
    label = "Recreate"
    description = "recreate the container"

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """One container anew."""
        return (allowed(ComposeOrder, verb="recreate", service=desk.service_of(target)),)

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; whether there is a container does not matter."""
        return (await engine_answers(ctx), await project_fits(ctx), await images_here(ctx))

    async def plan(self, ctx: ActionContext) -> Plan:
        """Recreate, then wait until it runs."""
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"Recreate {ctx.target}",
            steps=(*recreate_and_wait(ctx.desk, ctx.service, ctx.container, external=not ctx.degraded),),
            side_effects=(
                "what was written inside the container and not in a mounted folder is gone",
                "a changed image or .env takes effect",
            ),
            wont=("touch any other service",),
            checks=self.checks if ctx.bots else ("container",),
        )


ACTION = Recreate()
