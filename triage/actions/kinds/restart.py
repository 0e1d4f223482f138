"""Restart a bot or a service: the same container, its process anew."""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import compose, wait_for
from triage.actions.fitness import (
    GUARDED,
    KILLED,
    LOOPING,
    NO_ROOM,
    OUT_OF_SIGHT,
    PAUSED,
    STATE_UNKNOWN,
    STOPPED_BY_HAND,
    Fitness,
)
from triage.actions.inspection import bot_row, container_row, container_there, engine_answers
from triage.actions.project import project_fits
from triage.desk import Desk
from triage.model import Finding
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.plan import Plan, Precondition, Step
from triage.plans.verification import Row

SAME_AGAIN = {
    "credentials_refused": "it would ask with the same key",
    "exchange_rate_limit": "each start asks more of the exchange",
    "exchange_down": "the exchange fails, not the bot",
    "network_down": "the host's network fails, not the bot",
    "dns_failure": "names are not resolved, whatever the process",
    "disk_full": "a start needs room on the disk",
    "operator_pause": "somebody paused it on purpose",
    "pnl_kill_switch": "its own limit stopped it on purpose",
    "drawdown_limit": "a limit stopped it on purpose",
    "daily_loss_limit": "a limit stopped it on purpose",
    "turnover_limit": "a limit stopped it on purpose",
    "external_kill_switch": "somebody stopped it on purpose",
    "stale_bytecode": "a restart does not clear the bytecode",
    "invalid_config": "it would read the same configuration",
    "paused_container": "unpause it instead",
    "oom_restart_loop": "another start is the next round of the loop",
    "alert_storm": "what they share lies outside of each bot",
}
"""What a new process of the same container would meet again, or go past."""

FITNESS = Fitness(
    threshold=0.85,
    # A restart is for a process that is up and does not do its work, or for a service that ended.
    against=(GUARDED, KILLED, PAUSED, LOOPING, NO_ROOM, OUT_OF_SIGHT, STOPPED_BY_HAND, STATE_UNKNOWN),
    not_while=SAME_AGAIN,
)


class Restart(Action):
    """``docker compose restart``."""

    kind = "restart"
    fitness = FITNESS
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
                wait_for(ctx.desk, ctx.container),
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
