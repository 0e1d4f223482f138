"""Restart a bot or a service: the same container, its process anew."""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import compose
from triage.actions.inspection import bot_row, container_row, container_there, engine_answers
from triage.actions.model import Plan, Precondition, Row, Step
from triage.actions.operations import AwaitContainer
from triage.actions.orders import Allowed, ComposeOrder, allowed
from triage.actions.project import project_fits
from triage.desk import Desk
from triage.model import Finding


class Restart(Action):
    """``docker compose restart``."""

    kind = "restart"
    label = "Restart"
    description = "restart the container"
    target_kind = TargetKind.SERVICE
    checks = ("bot_state", "container", "error_logs")

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """One restart."""
        return (allowed(ComposeOrder, verb="restart", service=desk.service_of(target)),)

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; the container is there."""
        return (await engine_answers(ctx), await container_there(ctx), await project_fits(ctx))

    async def plan(self, ctx: ActionContext) -> Plan:
        """Restart, then wait until it runs."""
        command = compose(ctx.desk, "restart", ctx.service, external=not ctx.degraded)
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"Restart {ctx.target}",
            steps=(
                Step(f"restart {ctx.service}", command, 180),
                Step(
                    f"wait for {ctx.container}",
                    AwaitContainer(ctx.container),
                    ctx.desk.compose.healthy_seconds,
                    cancelable=False,
                ),
            ),
            side_effects=("open orders of the bot are left to its own shutdown",) if ctx.bots else (),
            wont=(
                "take up a changed image, .env or compose file: that is Recreate",
                "clear Python's bytecode",
            ),
            checks=self.checks if ctx.bots else ("container",),
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """The container runs; a bot is in a state that trades or waits."""
        bots = tuple(bot_row(findings, bot, good=("running", "soft_pause")) for bot in ctx.bots)
        return (await container_row(ctx, ctx.container), *bots)


ACTION = Restart()
