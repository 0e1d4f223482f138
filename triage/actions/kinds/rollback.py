"""Rollback of a bot to a config snapshot, to a previous image, or to both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from triage.actions.base import Action, ActionContext, ArgumentChoice, TargetKind
from triage.actions.compose import recreate_and_wait, stop
from triage.actions.fitness import DIFFERS, KILLED, NO_ROOM, OUT_OF_SIGHT, PAUSED, Fitness, FitnessCondition
from triage.actions.inspection import bot_row, container_row, engine_answers, inspect
from triage.actions.kinds._rollback_choices import (
    choices_of,
    chosen_image,
    chosen_snapshot,
    current_image,
    what_of,
)
from triage.actions.project import images_here, made_of_the_pinned_image, project_fits
from triage.desk import Desk
from triage.env_check import IMAGE_KEY
from triage.errors import DeskFailure, Refused, SourceError
from triage.model import ActionProposal, Finding
from triage.plans import agent_orders
from triage.plans.agent_orders import Allowed, allowed
from triage.plans.operations import ComposeCall, Discard, Extract, SetEnv, Swap, TakeSnapshot
from triage.plans.plan import Holds, Plan, Precondition, Step
from triage.plans.record import ActionRecord, ActionStatus, StepRecord, StepStatus
from triage.plans.verification import Row, VerificationOutcome
from triage.ports.actions import Differences
from triage.ports.sources import ContainerState
from triage.signals.guard_reasons import LIMITS
from triage.wording import counted, listed, size

_NOT_BEGUN = frozenset({StepStatus.PENDING, StepStatus.SKIPPED})
_UNDO = {
    "config": "the pre-rollback snapshot",
    "image": "the image before",
    "both": "the pre-rollback snapshot and the image before",
}
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]{0,200}(@sha256:[0-9a-f]{64})?")


FITNESS = Fitness(
    # The most that is ever taken back by one button: the cause must be surer than for a restart.
    threshold=0.9,
    requires=(DIFFERS,),
    against=(
        FitnessCondition(
            "a limit or a person stopped the bot: a rollback would start it again",
            lambda facts, target: bool(LIMITS & set(facts.reasons(target))),
        ),
        KILLED,
        PAUSED,
        NO_ROOM,
        OUT_OF_SIGHT,
    ),
    not_while={
        "exchange_down": "the exchange fails, not what was deployed",
        "network_down": "the host's network fails, not what was deployed",
        "dns_failure": "names are not resolved, whatever was deployed",
        "credentials_refused": "an older version asks with the same key",
        "disk_full": "an archive needs room on the disk",
        "stale_bytecode": "the deployed code does not run yet: clear the bytecode first",
        "redis_down": "Redis fails, not what was deployed",
        "alert_storm": "what they share lies outside of each bot",
        "paused_container": "unpause it instead",
    },
)


class Rollback(Action):
    """Pre-rollback snapshot first; then the old state is put in place by one rename, and watched."""

    kind = "rollback"
    fitness = FITNESS
    label = "Rollback"
    description = "go back to an earlier config snapshot or image"
    target_kind = TargetKind.BOT
    checks = ("bot_state", "error_logs", "container")
    deciding = frozenset({"error_logs"})
    whole_watch = True

    async def choices(self, ctx: ActionContext) -> tuple[ArgumentChoice, ...]:
        """What to return to: config, image or both, and which."""
        return await choices_of(ctx)

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Docker answers; the archive is sound and there is room; the folder can be exchanged; the image is here."""
        found = [await engine_answers(ctx), await project_fits(ctx)]
        what = what_of(ctx)
        try:
            if what in {"config", "both"}:
                found += await _archive_conditions(ctx)
            if what in {"image", "both"}:
                found += [await _image_condition(ctx), await made_of_the_pinned_image(ctx)]
            else:
                found.append(await images_here(ctx))
        except (DeskFailure, Refused) as error:
            found.append(Precondition(str(error), Holds.NO))
        return tuple(found)

    async def plan(self, ctx: ActionContext) -> Plan:
        """Extract beside while the bot still runs; stop; snapshot; exchange; start."""
        what = what_of(ctx)
        files: tuple[Step, ...] = ()
        image: tuple[Step, ...] = ()
        arguments = {"what": what}
        changed: Differences | str = ""
        if what in {"config", "both"}:
            changed = await _changed(ctx)
            files, arguments["snapshot"] = await _file_steps(ctx)
        if what in {"image", "both"}:
            image, arguments["image"] = await _image_step(ctx)
        after_start: tuple[Step, ...] = ()
        if files:
            after_start = (
                Step(
                    "clean up",
                    Discard(ctx.target, ctx.token),
                    agent_orders.SECONDS[agent_orders.DiscardOrder],
                    cancelable=False,
                ),
            )
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"Rollback of {ctx.target}: {what}",
            steps=(
                *files,
                *image,
                *recreate_and_wait(ctx.desk, ctx.service, ctx.container, external=not ctx.degraded),
                *after_start,
            ),
            arguments=arguments,
            side_effects=_side_effects(ctx, what, changed),
            wont=(
                "touch logs" if files else "touch any file of the bot",
                "touch any other bot's files",
                "restore balances or positions on the exchange",
            ),
            checks=self.checks,
            undo=f"a button takes it back from {_UNDO[what]}",
            diff=changed.diff if isinstance(changed, Differences) else "",
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """The container runs without restarts; the bot trades or waits; whose files and which image it has."""
        return (
            await container_row(ctx, ctx.container),
            bot_row(findings, ctx.target, good=("running", "soft_pause")),
            *await _image_row(ctx),
            *await _what_is_in_place(ctx),
        )

    def allowed(self, desk: Desk, target: str) -> tuple[Allowed, ...]:
        """Files, image, or both; then the bot anew."""
        service = desk.service_of(target)
        return (
            allowed(agent_orders.ExtractOrder, bot=target, optional=True),
            allowed(agent_orders.ComposeOrder, verb="stop", service=service, optional=True),
            allowed(agent_orders.TakeSnapshotOrder, bot=target, optional=True),
            allowed(agent_orders.SwapOrder, bot=target, optional=True),
            allowed(agent_orders.SetImageOrder, optional=True),
            allowed(agent_orders.ComposeOrder, verb="recreate", service=service),
            allowed(agent_orders.DiscardOrder, bot=target, optional=True),
        )

    def follow_ups(self, record: ActionRecord, steps: Sequence[StepRecord]) -> tuple[ActionProposal, ...]:
        """Offer the undo once something was put in place; a bot that was left stopped can be started."""
        offers = []
        arguments = undo_arguments(record, steps)
        if arguments is not None:
            worse = (
                record.verification is not None
                and record.verification.outcome is VerificationOutcome.PERSISTING
            )
            why = "undo: it did not help" if worse else "undo: back to the state before the rollback"
            offers.append(ActionProposal("rollback", record.target, why, arguments))
        if record.status in {ActionStatus.FAILED, ActionStatus.UNKNOWN} and _called_compose(record, steps):
            offers.append(
                ActionProposal("recreate", record.target, "start the bot with its files as they are now")
            )
        return tuple(offers)


def _called_compose(record: ActionRecord, steps: Sequence[StepRecord]) -> bool:
    """Whether the bot may have been stopped: before that it runs on as it was."""
    planned = record.plan.steps if record.plan is not None else ()
    begun = {step.number for step in steps if step.number and step.status not in _NOT_BEGUN}
    return any(isinstance(planned[number - 1].op, ComposeCall) for number in begun if number <= len(planned))


def undo_arguments(record: ActionRecord, steps: Sequence[StepRecord]) -> dict[str, str] | None:
    """Return the arguments that take a rollback back; None when it put nothing in place."""
    if record.plan is None:
        return None
    touched = {step.number for step in steps if step.status in {StepStatus.DONE, StepStatus.UNKNOWN}}
    ops = [step.op for number, step in enumerate(record.plan.steps, start=1) if number in touched]
    swapped = any(isinstance(op, Swap) for op in ops)
    taken = next((op.archive for op in ops if isinstance(op, TakeSnapshot)), "") if swapped else ""
    image = next((op.was for op in ops if isinstance(op, SetEnv)), "")
    if not taken and not image:
        return None
    what = "both" if taken and image else "config" if taken else "image"
    return {"what": what, **({"snapshot": taken} if taken else {}), **({"image": image} if image else {})}


async def _image_row(ctx: ActionContext) -> tuple[Row, ...]:
    """Say whether the container was made from the image that was chosen: another variable may name its image."""
    wanted = ctx.arguments.get("image", "")
    if not wanted:
        return ()
    state = await inspect(ctx, ctx.container)
    if not isinstance(state, ContainerState):
        return (Row("Image", "not known", None),)
    return (Row("Image", state.image, state.image == wanted),)


async def _what_is_in_place(ctx: ActionContext) -> tuple[Row, ...]:
    """Say which side of the exchange the bot is on while that can be seen, and which image is pinned."""
    try:
        swapped = await ctx.access.snapshots.swapped(ctx.target, ctx.token)
        image = await current_image(ctx)
    except (DeskFailure, Refused) as error:
        return (Row("In place", f"unknown: {error}", None, decides=False),)
    files = {
        True: f"those of {ctx.arguments.get('snapshot', 'the snapshot')}",
        False: "those before the rollback",
    }
    seen = f"files: {files[swapped]}; image: {image}" if swapped is not None else f"image: {image}"
    return (Row("In place", seen, None, decides=False),)


async def _archive_conditions(ctx: ActionContext) -> list[Precondition]:
    access = ctx.access.snapshots
    snapshot = await chosen_snapshot(ctx)
    extracted, taken = await access.room_to_extract(snapshot.name), await access.room_to_take(ctx.target)
    needed = extracted.needed + taken.needed
    room = f"{size(min(extracted.free, taken.free))} free, {size(needed)} needed"
    enough = min(extracted.free, taken.free) >= needed
    why_not = await access.why_not_swap(ctx.target)
    return [
        Precondition(f"{snapshot.name} is sound ({size(snapshot.size)})"),
        Precondition(f"disk: {room}", Holds.YES if enough else Holds.NO),
        Precondition(why_not, Holds.NO)
        if why_not
        else Precondition(f"data/{ctx.target} can be exchanged in one rename"),
    ]


async def _image_condition(ctx: ActionContext) -> Precondition:
    image = await chosen_image(ctx)
    try:
        found = await ctx.access.images.list(image.rpartition(":")[0])
    except SourceError as error:
        return Precondition(f"whether {image} is on this host is not known: {error.why}", Holds.WARNING)
    if any(each.tag == image for each in found):
        return Precondition(f"image {image} is on this host")
    return Precondition(f"image {image} is not on this host: pull it first", Holds.NO)


async def _file_steps(ctx: ActionContext) -> tuple[tuple[Step, ...], str]:
    snapshot = await chosen_snapshot(ctx)
    sha256 = await ctx.access.snapshots.checksum(snapshot.name)
    before = f"{ctx.target}_pre_rollback_{ctx.now:%Y%m%d_%H%M%S}.tar.gz"
    steps = (
        Step(
            "verify and extract the snapshot beside",
            Extract(ctx.target, snapshot.name, sha256, ctx.token),
            agent_orders.SECONDS[agent_orders.ExtractOrder],
        ),
        *stop(ctx.desk, (ctx.service,)),
        Step(
            "pre-rollback snapshot",
            TakeSnapshot(ctx.target, before),
            agent_orders.SECONDS[agent_orders.TakeSnapshotOrder],
            cancelable=False,
        ),
        Step(
            "put it in place",
            Swap(ctx.target, ctx.token),
            agent_orders.SECONDS[agent_orders.SwapOrder],
            cancelable=False,
        ),
    )
    return steps, snapshot.name


async def _image_step(ctx: ActionContext) -> tuple[tuple[Step, ...], str]:
    image = await chosen_image(ctx)
    was = (await ctx.access.env.read()).get(IMAGE_KEY, "")
    if not _IMAGE.fullmatch(image) or image.endswith(":latest") or ":" not in image:
        raise Refused(f"{image!r} is no pinned image.")
    if image == was:
        raise Refused(f"{IMAGE_KEY} is {image} already.")
    step = Step(
        "set the image",
        SetEnv(IMAGE_KEY, image, was),
        agent_orders.SECONDS[agent_orders.SetImageOrder],
        cancelable=what_of(ctx) == "image",
    )
    return (step,), image


async def _changed(ctx: ActionContext) -> Differences | str:
    """Return what the chosen snapshot changes, or why that is not known."""
    snapshot = await chosen_snapshot(ctx)
    try:
        return await ctx.access.snapshots.differences(ctx.target, snapshot.name)
    except (DeskFailure, Refused) as error:
        return str(error)


def _side_effects(ctx: ActionContext, what: str, changed: Differences | str) -> tuple[str, ...]:
    found = []
    if what != "image":
        found += [f"{ctx.target} is down while its files are exchanged", _files_in_words(changed)]
    if what != "config":
        others = [bot.name for bot in ctx.desk.bots if bot.name != ctx.target]
        named = (
            f"; {', '.join(others)} {'takes' if len(others) == 1 else 'take'} it up when next recreated"
            if others
            else ""
        )
        found.append(f"{IMAGE_KEY} in .env changes for the whole desk{named}")
    return tuple(found)


def _files_in_words(changed: Differences | str) -> str:
    """Return ``2 files change, 1 comes back, 3 go: conf/a.yml changes, …``."""
    if isinstance(changed, str):
        return f"configuration and state since the snapshot are replaced; what that changes is not known: {changed}"
    if not (changed.changed or changed.back or changed.gone):
        return "no file differs from the snapshot: there is nothing to take back"
    counts = (
        (changed.changed, "change", "changes"),
        (changed.back, "come back", "comes back"),
        (changed.gone, "go", "goes"),
    )
    words = [
        f"{counted(number, 'file')} {one if number == 1 else many}" for number, many, one in counts if number
    ]
    return f"{', '.join(words)}: {listed(changed.names, 6)}"


ACTION = Rollback()
