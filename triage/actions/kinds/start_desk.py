"""The runbook's start-up, with its checks: env file, services, ``ps``, logs, Redis, strategies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import compose
from triage.actions.fitness import NEVER, Fitness
from triage.actions.inspection import bot_row, engine_answers, running_bots, services_row
from triage.actions.project import images_here, made_anew, project_fits
from triage.concurrency import attempt
from triage.desk import Desk
from triage.env_check import env_problems
from triage.errors import DeskFailure, SourceError, SourceNotConfigured
from triage.model import Finding
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.operations import AwaitContainer, CheckEnv, PingRedis
from triage.plans.plan import DESK, Holds, Plan, Precondition, Step
from triage.plans.verification import Row
from triage.ports.sources import PROJECT_LABEL
from triage.wording import doing, listed

UP_SECONDS = 300.0


FITNESS = Fitness(threshold=1.0, requires=(NEVER,))
"""Of the whole desk: by a person alone."""


class StartDesk(Action):
    """``docker compose up -d`` with the desk's profiles, and the checks that the runbook asks for."""

    kind = "start_desk"
    fitness = FITNESS
    label = "Start desk"
    description = "start everything, with the runbook's checks"
    target_kind = TargetKind.DESK
    checks = ("bot_state", "container", "streams", "watchers")

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """Everything up, and a look at it."""
        del desk, target
        return (
            allowed(ComposeOrder, verb="up_all", external=True),
            allowed(ComposeOrder, verb="ps", optional=True),
            allowed(ComposeOrder, verb="logs", optional=True),
        )

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; the env file has what its template asks for; no bot runs in degraded mode."""
        return (
            await _degraded(ctx),
            await engine_answers(ctx),
            await _env(ctx),
            await project_fits(ctx),
            await _none_paused(ctx),
            await images_here(ctx, external=True),
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """Check ``.env``, bring everything up, look at it."""
        settings = ctx.desk.compose
        redis = settings.redis_service if settings.redis_service in settings.services else ""
        ping = await _redis_steps(ctx, redis)
        return Plan(
            kind=self.kind,
            target=DESK,
            title="Start the desk",
            steps=(
                *_check_env(ctx.desk.paths.env),
                Step("start the services", compose(ctx.desk, "up_all"), UP_SECONDS),
                *ping,
                Step("list the services", compose(ctx.desk, "ps"), 60),
                Step("read the logs", compose(ctx.desk, "logs"), 60),
            ),
            side_effects=("strategies start trading as their configuration says", await made_anew(ctx)),
            wont=("stop or restart anything else that runs", "change .env or any configuration"),
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """External and monitoring services run; every bot whose container runs has a state."""
        settings = ctx.desk.compose
        bots = await running_bots(ctx)
        names = (*settings.external_services, *settings.monitoring_services)
        return (
            await services_row(ctx, "Services running", names, running=True),
            Row("Bots up", listed(bots, 12) or "none", bool(bots)),
            *(bot_row(findings, bot, good=("running", "soft_pause")) for bot in bots),
        )


async def _degraded(ctx: ActionContext) -> Precondition:
    """Where the desk was stopped in degraded mode, its start is the way out: without bots no market data would flow."""
    if not ctx.degraded:
        return Precondition("degraded mode is off")
    if bots := await running_bots(ctx):
        return Precondition(f"degraded mode is on and {doing(bots, 'runs', 'run')}: leave it first", Holds.NO)
    return Precondition(
        "degraded mode is on and no bot runs: the start brings up the external services too and ends it"
    )


async def _none_paused(ctx: ActionContext) -> Precondition:
    """Compose ends with an error at a paused container, and starts what comes after it neither."""
    found = await attempt(ctx.sources.containers.list())
    if isinstance(found, SourceError):
        return Precondition(f"whether a container is paused is not known: {found.why}", Holds.WARNING)
    project = ctx.desk.compose.project
    paused = sorted(
        one.name for one in found if one.status == "paused" and one.labels.get(PROJECT_LABEL) == project
    )
    if paused:
        return Precondition(
            f"{listed(paused)} paused: compose starts none, docker unpause it first", Holds.NO
        )
    return Precondition("no container of it is paused")


def _check_env(env: Path | None) -> tuple[Step, ...]:
    return () if env is None else (Step("check .env", CheckEnv(str(env), f"{env}.template"), 10),)


async def _env(ctx: ActionContext) -> Precondition:
    if ctx.desk.paths.env is None:
        return Precondition("the desk has no env file (paths.env)")
    try:
        problems = env_problems(await ctx.access.env.read(), await ctx.access.env.template())
    except DeskFailure as error:
        return Precondition(str(error), Holds.NO)
    if problems:
        return Precondition(f".env: {'; '.join(problems)}", Holds.NO)
    return Precondition(".env has every key of its template")


async def _redis_steps(ctx: ActionContext, redis: str) -> tuple[Step, ...]:
    if not redis:
        return ()
    wait = Step(
        f"wait for {redis}",
        AwaitContainer(ctx.desk.container_of(redis)),
        ctx.desk.compose.healthy_seconds,
        cancelable=False,
    )
    try:
        await ctx.sources.streams.health()
    except SourceNotConfigured:
        return (wait,)
    except SourceError:
        pass  # it is not up yet
    return (wait, Step("ask Redis", PingRedis(), 30, cancelable=False))


ACTION = StartDesk()
