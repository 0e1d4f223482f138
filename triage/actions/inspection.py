"""What preconditions and verifications have in common: containers, bots' states, Redis, ``.env``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triage.actions.base import ActionContext
from triage.concurrency import all_of
from triage.errors import DeskFailure, SourceError, SourceNotConfigured
from triage.model import Finding
from triage.plans.plan import Holds, Precondition
from triage.plans.verification import Row
from triage.ports.sources import ContainerState
from triage.signals.guard_reasons import STATES, in_words
from triage.untrusted_text import one_line
from triage.wording import duration, listed

SAFEGUARDS = ("EXT_SIGNAL_RISK_ENABLED", "BUS_SOFT_PAUSE_ON_OUTAGE")


async def engine_answers(ctx: ActionContext) -> Precondition:
    """The Docker Engine answers: without it no command could work, and nothing could be verified."""
    try:
        await ctx.sources.containers.ready()
    except SourceNotConfigured:
        return Precondition(
            "Docker is not configured (DOCKER_HOST): effects cannot be verified", Holds.WARNING
        )
    except SourceError as error:
        return Precondition(f"the Docker Engine does not answer: {error.why}", Holds.NO)
    return Precondition("the Docker Engine answers")


async def container_there(ctx: ActionContext, *, must_run: bool = False) -> Precondition:
    """The target's container is there (and runs, where that is needed)."""
    try:
        state = await ctx.sources.containers.inspect(ctx.container)
    except SourceError as error:
        return Precondition(f"container {ctx.container} cannot be looked at: {error.why}", Holds.WARNING)
    if state is None:
        return Precondition(f"there is no container {ctx.container}", Holds.NO if must_run else Holds.WARNING)
    if not state.running:
        return Precondition(
            f"container {ctx.container} is {state.status}, exit code {state.exit_code}",
            Holds.NO if must_run else Holds.WARNING,
        )
    return Precondition(f"container {ctx.container} runs")


async def inspect(ctx: ActionContext, container: str) -> ContainerState | SourceError | None:
    """Return a container's state, or the reason why it is not known."""
    try:
        return await ctx.sources.containers.inspect(container)
    except SourceError as error:
        return error


async def container_row(ctx: ActionContext, container: str) -> Row:
    """A container runs, and was not restarted since it was made."""
    state = await inspect(ctx, container)
    name = f"Container {container}"
    if isinstance(state, SourceError):
        return Row(name, f"unknown: {state.why}", None)
    if state is None:
        return Row(name, "is not there", good=False)
    seen = f"{'runs' if state.running else state.status}, image {one_line(state.image, 80)}"
    if state.running and state.health in {"", "healthy"}:
        looped = state.restart_count > 0
        restarts = f", restarted {state.restart_count}×" if looped else ""  # noqa: RUF001 - the sign of multiplication
        return Row(name, seen + restarts, None if looped else True)
    if state.running:
        return Row(name, f"{seen}, {state.health}", None if state.health == "starting" else False)
    return Row(name, f"{seen}, exit code {state.exit_code}", good=False)


async def services_row(ctx: ActionContext, name: str, services: Iterable[str], *, running: bool) -> Row:
    """All of these services run, or none of them does."""
    wanted = tuple(services)
    states = await all_of(inspect(ctx, ctx.desk.container_of(service)) for service in wanted)
    unknown = [state for state in states if isinstance(state, SourceError)]
    if unknown:
        return Row(name, f"unknown: {unknown[0].why}", None)
    up = [
        service
        for service, state in zip(wanted, states, strict=True)
        if isinstance(state, ContainerState) and state.running
    ]
    down = [service for service in wanted if service not in up]
    seen = f"running: {listed(up, 12) or 'none'}; stopped: {listed(down, 12) or 'none'}"
    return Row(name, seen, not down if running else not up)


async def running_bots(ctx: ActionContext) -> tuple[str, ...]:
    """Return the bots whose containers run now; those that cannot be looked at are left out."""
    names = tuple(bot.name for bot in ctx.desk.bots)
    states = await all_of(inspect(ctx, ctx.desk.container_of(name)) for name in names)
    return tuple(
        name
        for name, state in zip(names, states, strict=True)
        if isinstance(state, ContainerState) and state.running
    )


_IN_WORDS = {**STATES, "running": "trades"}


def bot_row_name(bot: str) -> str:
    """Return what the row of a bot is called."""
    return f"Bot {bot}"


def bot_row(findings: Mapping[str, Finding], bot: str, *, good: Iterable[str]) -> Row:
    """A bot is in one of these states, by a fresh snapshot (from the finding of ``bot_state``), in words."""
    name = bot_row_name(bot)
    finding = findings.get("bot_state")
    facts = finding.data.get("bots", {}).get(bot) if finding is not None else None
    if not facts or not facts.get("state"):
        why = finding.why if finding is not None else ""
        if facts and facts.get("earlier"):
            why = "its newest numbers are from before the action's end"
        return Row(name, f"state unknown{f': {why}' if why else ''}", None)
    state, reasons = facts["state"], in_words(facts.get("reasons") or ())
    word = _IN_WORDS.get(state, state)
    if facts.get("frozen"):
        age = facts.get("age_seconds")
        old = f" for {duration(age)}" if age is not None else ""
        before = "trading" if state == "running" else word
        return Row(name, f"frozen: silent{old}, {before} before", good=False)
    why = f" ({reasons})" if reasons and state != "running" else ""
    source = f", from {facts['source']}" if facts.get("source") else ""
    return Row(name, f"{word}{why}{source}", state in set(good))


async def safeguards_row(ctx: ActionContext) -> Row:
    """The switches of the external stack in ``.env`` are as they should be for bots without a bus."""
    try:
        env = await ctx.access.env.read()
    except DeskFailure as error:
        return Row("Local safeguards", f"unknown: {error}", None)
    seen = ", ".join(f"{key}={env.get(key, '(not set)')}" for key in SAFEGUARDS)
    # Bots that listen to the external stack must pause by themselves when its bus dies.
    listening = env.get(SAFEGUARDS[0], "").lower() in {"true", "1", "yes"}
    guarded = env.get(SAFEGUARDS[1], "").lower() in {"true", "1", "yes"}
    return Row("Local safeguards", seen, guarded or not listening)


async def redis_serves(ctx: ActionContext) -> Precondition:
    """Redis answers and takes writes: an intent must reach its stream."""
    try:
        health = await ctx.sources.streams.health()
    except SourceError as error:
        return Precondition(
            f"Redis does not take the intent: {error.why}; pause or stop the bot through its container instead",
            Holds.NO,
        )
    if health.role != "master" or health.loading:
        state = "loading its data" if health.loading else f"a {health.role}"
        return Precondition(f"Redis is {state}: it takes no intents", Holds.NO)
    return Precondition("Redis answers and takes writes")
