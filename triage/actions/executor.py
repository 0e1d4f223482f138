"""Carries out one step: what touches the desk is asked of the agent, what looks or speaks to Redis is done here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from loguru import logger

from triage.actions.intent import answer_to, envelope
from triage.concurrency import FAULTS, is_stop
from triage.env_check import env_problems
from triage.errors import DeskFailure, Refused, SourceDenied, SourceError, SourceRejected
from triage.model import utc
from triage.outside_numbers import is_whole
from triage.plans import operations
from triage.plans.plan import Step
from triage.plans.record import Confirmation
from triage.ports.actions import DeskAccess, OnOutput, Performed
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.untrusted_text import fault_words
from triage.wording import duration

POLL_SECONDS = 0.5
AGENT_SECONDS = 15.0
"""Beyond a step's time: the agent gives it up itself, which takes 10 s where the disk hangs, and says so."""
INTENT_MAXLEN = 50_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: the action (by its token), the step's number, and who confirmed."""

    token: str
    number: int
    by: Confirmation


_LOOKS = (
    operations.AwaitContainer,
    operations.AwaitStreams,
    operations.PingRedis,
    operations.CheckEnv,
    operations.FollowIntent,
)
"""They change nothing: of any other that does not end it is not known how far it came."""


class Executor:
    """Performs steps on the desk."""

    def __init__(self, sources: Sources, access: DeskAccess, clock: Clock) -> None:
        self._sources = sources
        self._access = access
        self._clock = clock

    async def perform(self, step: Step, turn: Turn, on_output: OnOutput) -> Performed:
        """Carry a step out within its time. ``on_output`` gets the output so far. Only cancelling raises."""
        limit = asyncio.timeout(step.timeout_seconds + AGENT_SECONDS)
        try:
            async with limit:
                return await self._perform(step, turn, on_output)
        except TimeoutError as error:
            ended = limit.expired()  # else it is the error of something else, as of a network disk
            note = f"no end within {duration(step.timeout_seconds)}" if ended else f"given up: {error}"
            return Performed(ok=False, note=note, known=isinstance(step.op, _LOOKS))
        except (DeskFailure, Refused, SourceError) as error:
            return Performed(ok=False, note=str(error))
        except FAULTS as error:
            if is_stop(error):
                raise
            logger.bind(step=turn.number).opt(exception=error).error("a step met a fault of ours")
            return Performed(ok=False, note=fault_words(error), known=isinstance(step.op, _LOOKS))

    async def _perform(  # noqa: PLR0911 - one row an operation: the closed set in one place
        self, step: Step, turn: Turn, on_output: OnOutput
    ) -> Performed:
        match step.op:
            case operations.AwaitContainer(container=container):
                return await self._until(lambda: self._runs(container), step.timeout_seconds)
            case operations.AwaitStreams(stream=stream, fresh_seconds=fresh):
                return await self._until(lambda: self._flows(stream, fresh), step.timeout_seconds)
            case operations.PingRedis():
                return await self._until(self._pong, step.timeout_seconds)
            case operations.CheckEnv():
                env = self._access.env
                problems = env_problems(await env.read(), await env.template())
                return Performed(not problems, "; ".join(problems) or "complete")
            case operations.PublishIntent():
                return await self._publish(step.op, turn.by)
            case operations.FollowIntent():
                return await self._follow(step.op, step.timeout_seconds)
            case _:
                return await self._access.agent.perform(turn.token, turn.number, on_output)

    async def _until(self, ask: Callable[[], Awaitable[tuple[bool, str]]], seconds: float) -> Performed:
        """Ask again and again until the answer is yes; the last answer is the note."""
        deadline = self._clock.monotonic() + seconds
        while True:
            try:
                done, note = await ask()
            except SourceError as error:
                done, note = False, str(error)
            if done:
                return Performed(ok=True, note=note)
            if self._clock.monotonic() >= deadline:
                return Performed(ok=False, note=f"not within {duration(seconds)}: {note}")
            await asyncio.sleep(POLL_SECONDS)

    async def _runs(self, container: str) -> tuple[bool, str]:
        state = await self._sources.containers.inspect(container)
        if state is None:
            return False, f"there is no container {container}"
        health = f", {state.health}" if state.health else ""
        return state.running and state.health in {"", "healthy"}, f"{state.status}{health}"

    async def _flows(self, stream: str, fresh_seconds: float) -> tuple[bool, str]:
        info = await self._sources.streams.info(stream)
        milliseconds = info.last_id.partition("-")[0]
        if not info.length or not is_whole(milliseconds):
            return False, f"{stream} is empty"
        age = (self._clock.now() - utc(int(milliseconds) / 1000)).total_seconds()
        return age <= fresh_seconds, f"newest entry {duration(age)} old"

    async def _pong(self) -> tuple[bool, str]:
        health = await self._sources.streams.health()
        if health.loading:
            return False, "loading its data"
        return health.role == "master", f"PONG, {health.role}"

    async def _publish(self, op: operations.PublishIntent, by: Confirmation) -> Performed:
        payload = envelope(op, self._clock.now(), actor=by.actor, reason=by.reason)
        await self._sources.streams.health()  # where Redis is away nothing is sent, and that is known
        try:
            entry = await self._sources.streams.add(op.stream, {"payload": payload}, max_length=INTENT_MAXLEN)
        except (SourceDenied, SourceRejected):
            raise
        except SourceError as error:
            note = f"{error}; whether the intent was published is not known"
            return Performed(ok=False, note=note, known=False)
        return Performed(ok=True, note=f"entry {entry}")

    async def _follow(self, op: operations.FollowIntent, seconds: float) -> Performed:
        start = self._clock.now() - timedelta(seconds=5)
        deadline = self._clock.monotonic() + seconds
        streams, trouble = self._sources.streams, ""
        while self._clock.monotonic() < deadline:
            try:
                end = self._clock.now() + timedelta(seconds=60)
                audit = await streams.between(op.audit, start=start, end=end)
                dead = await streams.between(op.dead_letter, start=start, end=end)
            except SourceError as error:
                trouble = f" ({error})"
            else:
                trouble = ""
                if (answer := answer_to(op.event_id, audit, dead)) is not None:
                    return Performed(*answer)
            await asyncio.sleep(POLL_SECONDS)
        return Performed(
            ok=False, note=f"no answer within {duration(seconds)}, it has expired by now{trouble}"
        )
