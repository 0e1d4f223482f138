"""Degraded mode: the desk without its external stack, the bots' own safeguards active."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.compose import UP_SECONDS, compose, stop
from triage.actions.fitness import NO_ROOM, REDIS_GONE, Fitness
from triage.actions.inspection import bot_row, engine_answers, running_bots, safeguards_row, services_row
from triage.actions.project import images_here, project_fits
from triage.desk import Desk
from triage.errors import DeskFailure, SourceError, SourceNotConfigured
from triage.model import ActionProposal, Finding, utc
from triage.outside_numbers import is_whole
from triage.plans.agent_orders import Allowed, ComposeOrder, allowed
from triage.plans.plan import DESK, Holds, Plan, Precondition, Step
from triage.plans.record import ActionRecord, ActionStatus, StepRecord
from triage.plans.verification import Row
from triage.wording import duration, listed

FITNESS = Fitness(threshold=0.9, requires=(REDIS_GONE,), against=(NO_ROOM,))
"""It stops the external stack: only where Redis itself is gone."""


class DegradedMode(Action):
    """Stop the external services in order, Redis last, and bring the rest up without the profile."""

    kind = "degraded_mode"
    fitness = FITNESS
    label = "Degraded mode"
    description = "run without the external stack while Redis is down"
    target_kind = TargetKind.DESK
    checks = ("bot_state", "container", "streams")
    aside = frozenset({"streams"})  # without Redis they cannot flow
    leaves = "the external services stay stopped until degraded mode is left"

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """The external services stopped in their order, the rest up without them."""
        del target
        return (
            *(allowed(ComposeOrder, verb="stop", service=name) for name in desk.compose.external_services),
            allowed(ComposeOrder, verb="up_rest", external=False),
        )

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Degraded mode is off; Redis is down or its streams stand still; the safeguards are on."""
        already = Precondition("degraded mode is on already", Holds.NO)
        guards = await safeguards_row(ctx)
        guarded = Precondition(
            f"local safeguards: {guards.seen}", Holds.YES if guards.good else Holds.WARNING
        )
        return (
            already if ctx.degraded else Precondition("degraded mode is off"),
            await engine_answers(ctx),
            await project_fits(ctx),
            # A warning: the external stack is stopped all the same, and that is what the bots need.
            await images_here(ctx, external=False, missing=Holds.WARNING),
            await stays_down(ctx),
            await _redis_is_the_trouble(ctx),
            guarded,
        )

    async def plan(self, ctx: ActionContext) -> Plan:
        """Stop, then ``up`` without the profile and without recreating anything."""
        names = ctx.desk.compose.external_services
        rest = compose(ctx.desk, "up_rest", external=False)
        return Plan(
            kind=self.kind,
            target=DESK,
            title="Degraded mode",
            steps=(
                *stop(ctx.desk, names),
                Step("bring the rest up without the external profile", rest, UP_SECONDS, cancelable=False),
            ),
            side_effects=(
                f"{', '.join(names)} are stopped and stay so until degraded mode is left",
                "no external signals, risk decisions or intents reach the bots: pause by intent does not work",
                "every incident shows a banner, and the channel is reminded every 30 minutes",
            ),
            wont=(
                "restart or recreate any bot that runs",
                "change .env or any configuration",
                "delete data of Redis",
            ),
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """External services stopped, bots up and not hard-stopped, safeguards as they should be."""
        bots = await running_bots(ctx)
        good = ("running", "soft_pause")
        names = ctx.desk.compose.external_services
        return (
            await services_row(ctx, "External services stopped", names, running=False),
            Row("Bots up", listed(bots, 12) or "none", bool(bots)),
            *(bot_row(findings, bot, good=good) for bot in bots),
            await safeguards_row(ctx),
        )

    def stopped(self, desk: Desk) -> tuple[str, ...]:
        """The external services, until it is left."""
        return tuple(map(desk.container_of, desk.compose.external_services))

    def follow_ups(self, record: ActionRecord, steps: Sequence[StepRecord]) -> tuple[ActionProposal, ...]:
        """Offer the way out, also where it is not known how far the action came."""
        del steps
        if record.status in {ActionStatus.SUCCEEDED, ActionStatus.FAILED, ActionStatus.UNKNOWN}:
            return (ActionProposal("exit_degraded_mode", DESK, "the way out, once Redis is well again"),)
        return ()


async def stays_down(ctx: ActionContext) -> Precondition:
    """No other profile, and none at all, brings up again what was just stopped."""
    settings = ctx.desk.compose
    try:
        still_on = await ctx.access.project.hashes(external=False)
    except (DeskFailure, SourceError) as error:
        return Precondition(
            f"whether compose would start the external services again is not known: {error}", Holds.WARNING
        )
    again = [name for name in settings.external_services if name in still_on]
    if again:
        return Precondition(
            f"compose would start {listed(again)} again, without the profile {settings.external_profile} too: mend "
            "profiles in the compose file, or compose.external_services",
            Holds.NO,
        )
    return Precondition(f"without the profile {settings.external_profile} the external services stay down")


async def _redis_is_the_trouble(ctx: ActionContext) -> Precondition:
    stream = ctx.desk.streams.market_data
    try:
        health = await ctx.sources.streams.health()
        newest = await ctx.sources.streams.info(stream)
    except SourceNotConfigured:
        return Precondition("Redis is not configured here: whether it is down is not known", Holds.WARNING)
    except SourceError as error:
        return Precondition(f"Redis does not answer: {error.why}")
    if health.role != "master" or health.loading:
        return Precondition("Redis answers but takes no writes")
    milliseconds = newest.last_id.partition("-")[0]
    if not newest.length or not is_whole(milliseconds):
        return Precondition(f"Redis answers; {stream} is empty", Holds.WARNING)
    age = max(0.0, (ctx.now - utc(int(milliseconds) / 1000)).total_seconds())
    if age <= ctx.desk.streams.market_data_stale_seconds:
        return Precondition(
            f"Redis answers and {stream} flows ({duration(age)} old): nothing to degrade for", Holds.NO
        )
    return Precondition(f"Redis answers, but {stream} stands still for {duration(age)}", Holds.WARNING)


ACTION = DegradedMode()
