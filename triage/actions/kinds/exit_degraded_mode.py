"""Leave degraded mode: Redis first, then the services, then proof that the streams flow."""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import up
from triage.actions.fitness import NEVER, Fitness
from triage.actions.inspection import bot_row, engine_answers, running_bots, services_row
from triage.actions.project import images_here, project_fits
from triage.desk import Desk
from triage.errors import SourceError, SourceNotConfigured
from triage.model import Finding
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.operations import AwaitContainer, AwaitStreams, PingRedis
from triage.plans.plan import DESK, Holds, Plan, Precondition, Step
from triage.plans.verification import Row

_FLOW_SECONDS = 180.0


FITNESS = Fitness(threshold=1.0, requires=(NEVER,))
"""Offered by the degraded mode itself, as its way out; by no verdict."""


class ExitDegradedMode(Action):
    """Start Redis, wait for its health, start the services, check that the streams flow again."""

    kind = "exit_degraded_mode"
    fitness = FITNESS
    label = "Exit degraded mode"
    description = "bring Redis and the external stack back"
    target_kind = TargetKind.DESK
    checks = ("streams", "bot_state", "container")
    deciding = frozenset({"streams"})

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """The external services up, in the reverse of their order."""
        del target
        names = reversed(desk.compose.external_services)
        return tuple(allowed(ComposeOrder, verb="up", service=name, external=True) for name in names)

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Degraded mode is on; Docker answers."""
        on = Precondition("degraded mode is on")
        off = Precondition("degraded mode is not on: there is nothing to leave", Holds.NO)
        return (
            on if ctx.degraded else off,
            await engine_answers(ctx),
            await project_fits(ctx),
            await images_here(ctx, ctx.desk.compose.external_services, external=True),
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """The services in the reverse of the order in which they were stopped: Redis first."""
        redis, *others = reversed(ctx.desk.compose.external_services)
        steps = [
            up(ctx.desk, redis),
            Step(
                f"wait for {redis}",
                AwaitContainer(ctx.desk.container_of(redis)),
                ctx.desk.compose.healthy_seconds,
            ),
        ]
        configured = await _redis_configured(ctx)
        if configured:
            steps.append(Step("ask Redis", PingRedis(), 30))
        for name in others:
            container = ctx.desk.container_of(name)
            steps += [
                up(ctx.desk, name),
                Step(f"wait for {name}", AwaitContainer(container), ctx.desk.compose.healthy_seconds),
            ]
        if configured:
            flow = AwaitStreams(ctx.desk.streams.market_data, ctx.desk.streams.market_data_stale_seconds)
            steps.append(Step("wait for the streams", flow, _FLOW_SECONDS))
        return Plan(
            kind=self.kind,
            target=DESK,
            title="Exit degraded mode",
            steps=tuple(steps),
            side_effects=("external signals, risk decisions and intents reach the bots again",),
            wont=("restart or recreate any bot", "change .env or any configuration"),
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """External services run; the bots as they were."""
        names = ctx.desk.compose.external_services
        bots = await running_bots(ctx)
        return (
            await services_row(ctx, "External services running", names, running=True),
            *(bot_row(findings, bot, good=("running", "soft_pause")) for bot in bots),
        )


async def _redis_configured(ctx: ActionContext) -> bool:
    try:
        await ctx.sources.streams.health()
    except SourceNotConfigured:
        return False
    except SourceError:
        return True  # down, as it should be in degraded mode
    return True


ACTION = ExitDegradedMode()
