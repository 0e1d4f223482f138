"""Does the container run: restarts, OOM, exit code, health, image, started at.

The Docker Engine is asked and believed where it answers; else cAdvisor's metrics, whose restart count
is a lower bound. Which one spoke is the finding's source.

``data``: ``{"containers": {name: {"status", "running" (bool or None), "restarts" (since creation, or in
the last hour where metrics spoke; None where only the list was asked, of one that has long been up),
"restarts_hour" (deaths in the last hour), "at_least": bool, "oom": bool, "oom_count", "exit_code", "health",
"image", "started_at" (ISO; empty where only the list was asked), "up_seconds", "looping": bool,
"memory" (share of its limit in use, None where there is no limit or nobody says), "missing": bool,
"by": "docker"|"metrics"|"nobody"}}}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from triage.concurrency import attempt, together
from triage.diagnosis.checks.base import (
    CheckContext,
    answer_or_none,
    by_label,
    each_of,
    in_time,
    refused,
    states_of,
    worst_status,
)
from triage.diagnosis.checks.container_now import ContainerNow, describe
from triage.errors import SourceError, SourceTimeout
from triage.model import Finding, FindingStatus, SubjectKind
from triage.ports.sources import ContainerEvent, ContainerState, QueryResult
from triage.queries import promql
from triage.signals.containers import STOP_TAKES
from triage.wording import counted, duration, listed

NAME = "container"
TITLE = "Container"
SOURCE = "Docker"
METRICS_SOURCE = "Prometheus (cAdvisor)"

_LOOP = 3
_FRESH_SECONDS = 90.0
_CLOCKS = timedelta(seconds=3)
"""Between an order to end and the end, at most; and what our clock and the engine's may differ."""
_SETTLED_SECONDS = 7200.0
"""What has been up so long and is well ended at no time that the headline tells of."""


@dataclass(frozen=True, slots=True)
class _EngineAnswers:
    states: tuple[ContainerState | SourceError | None, ...]
    events: tuple[ContainerEvent, ...] | SourceError


async def run(ctx: CheckContext) -> Finding:
    """Ask the Docker Engine and cAdvisor's metrics at once; the engine's word counts where it has one."""
    engine, metrics = await together(
        in_time(ctx, SOURCE, _engine(ctx)), in_time(ctx, METRICS_SOURCE, _metrics(ctx))
    )
    caveat = ""
    if isinstance(engine, SourceError):
        if isinstance(metrics, SourceError):
            raise SourceTimeout(SOURCE, f"{engine.why}; metrics: {metrics.why}") from engine
        caveat = f"Docker: {engine.why}"
        found = {name: _from_metrics(name, metrics.answers) for name in ctx.containers}
    else:
        found = {
            name: _from_engine(ctx, name, state, engine.events)
            if not isinstance(state, SourceError)
            else _without_engine(name, metrics)
            for name, state in zip(ctx.containers, engine.states, strict=True)
        }
        caveat = refused(*engine.states)
        if isinstance(engine.events, SourceError):
            caveat = "; ".join(filter(None, (caveat, f"past container events: {engine.events.why}")))
        if not isinstance(metrics, SourceError):
            _add_ooms(found, metrics.answers)
    if not isinstance(metrics, SourceError):
        _add_memory(found, metrics.answers)
        caveat = "; ".join(filter(None, (caveat, f"metrics {metrics.why}" if metrics.why else "")))
    return _finding(found, caveat, METRICS_SOURCE if isinstance(engine, SourceError) else SOURCE)


async def _engine(ctx: CheckContext) -> _EngineAnswers:
    states, events = await together(
        _states(ctx),
        attempt(ctx.sources.containers.history(since=ctx.now - timedelta(hours=1), until=ctx.now)),
    )
    return _EngineAnswers(states, events)


async def _states(ctx: CheckContext) -> tuple[ContainerState | SourceError | None, ...]:
    """Return each container's state; a question that is refused costs only its own. Raises where all are."""
    states = await states_of(ctx, unless_up_seconds=_SETTLED_SECONDS)
    errors = [state for state in states if isinstance(state, SourceError)]
    if errors and len(errors) == len(states):
        raise errors[0]
    return states


@dataclass(frozen=True, slots=True)
class _ContainerSeries:
    """Answers in the order of ``_metrics``; ``why``: which of them are not there, and why."""

    answers: tuple[QueryResult, ...]
    why: str


async def _metrics(ctx: CheckContext) -> _ContainerSeries:
    def of(metric: str) -> str:
        return promql.selector(metric, any_of=ctx.containers, by="name")

    resets = f"resets(sum by (name) ({of('container_cpu_usage_seconds_total')})[1h:15s])"
    starts = f"changes(max by (name) ({of('container_start_time_seconds')})[1h:15s])"
    ooms = f"sum by (name) (increase({of('container_oom_events_total')}[1h]))"
    limit = f"(max by (name) ({of('container_spec_memory_limit_bytes')}) > 0)"
    memory = f"max by (name) ({of('container_memory_working_set_bytes')}) / {limit}"
    query = ctx.sources.metrics.query
    last = f"time() - max by (name) ({of('container_last_seen')})"
    found = await each_of(query(text) for text in (last, resets, starts, ooms, memory))
    errors = [each for each in found if isinstance(each, SourceError)]
    if len(errors) == len(found):
        raise errors[0]
    return _ContainerSeries(tuple(map(answer_or_none, found)), refused(*errors))


def _from_engine(
    ctx: CheckContext,
    name: str,
    state: ContainerState | None,
    events: tuple[ContainerEvent, ...] | SourceError,
) -> ContainerNow:
    if state is None:
        return ContainerNow(missing=_is_expected(ctx, name))
    mine = () if isinstance(events, SourceError) else tuple(each for each in events if each.container == name)
    ended = [each for each in mine if each.action == "die"]
    deaths = [each for each in ended if not _by_us(ctx, each, mine)]
    ooms = [each for each in mine if each.action == "oom"]
    up = state.long_up_seconds
    if state.running and state.started_at:
        up = (ctx.now - state.started_at).total_seconds()
    crashes = [each for each in deaths if each.exit_code not in (0, None)]
    return ContainerNow(
        status=state.status,
        running=state.running,
        restarts=None if state.long_up_seconds else state.restart_count,
        restarts_hour=None if isinstance(events, SourceError) else len(deaths),
        oom=state.oom_killed or bool(ooms),
        oom_count=len(ooms),
        exit_code=state.exit_code if not state.running else (crashes[-1].exit_code if crashes else None),
        health=state.health,
        image=state.image,
        started_at=state.started_at.isoformat() if state.started_at else "",
        up_seconds=up,
        looping=state.status == "restarting" or len(crashes) >= _LOOP or _restarted_often(state, up),
        ours=len(ended) - len(deaths),
    )


def _by_us(ctx: CheckContext, death: ContainerEvent, mine: Sequence[ContainerEvent]) -> bool:
    """Say whether our own action ended the container: the engine was told to while it was at work, and it died of that."""
    same = [each for each in mine if each.container_id == death.container_id]
    # An order ends one life: what dies after the next start dies by itself.
    before = max((each.at for each in same if each.action == "die" and each.at < death.at), default=None)
    return any(
        each.action == "kill"
        and (before is None or each.at > before)
        and _at_work(ctx, each)
        and timedelta(0) <= death.at - each.at <= STOP_TAKES
        for each in same
    )


def _at_work(ctx: CheckContext, event: ContainerEvent) -> bool:
    """Say whether an action of ours was at work on a container when the engine was told something about it."""
    verified = ctx.ours is not None and ctx.ours[0] - _CLOCKS <= event.at <= ctx.ours[1] + _CLOCKS
    return verified or bool(ctx.act_behind(event.container, event.at))


def _is_expected(ctx: CheckContext, name: str) -> bool:
    """A bot that desk.yaml does not name runs in a container whose name is but a guess of ours."""
    named = ctx.incident.names(SubjectKind.CONTAINER) if ctx.incident is not None else ()
    return name in named or ctx.desk.bot_of_container(name) is not None


def _restarted_often(state: ContainerState, up_seconds: float | None) -> bool:
    return state.restart_count >= _LOOP and up_seconds is not None and up_seconds < _FRESH_SECONDS


def _without_engine(name: str, metrics: _ContainerSeries | SourceError) -> ContainerNow:
    """Return what is known of a container whose inspection was refused."""
    return (
        ContainerNow(by="nobody")
        if isinstance(metrics, SourceError)
        else _from_metrics(name, metrics.answers)
    )


def _from_metrics(name: str, answers: tuple[QueryResult, ...]) -> ContainerNow:
    seen, resets, starts, ooms, _ = (by_label(answer, "name") for answer in answers)
    if name not in seen:
        return ContainerNow(by="metrics")
    restarts = round(max(resets.get(name, 0.0), starts.get(name, 0.0)))
    oom_count = round(ooms.get(name, 0.0))
    return ContainerNow(
        status="running" if seen[name] <= 60 else f"not seen for {duration(seen[name])}",  # noqa: PLR2004 - ContainerDown's own limit
        running=seen[name] <= 60,  # noqa: PLR2004 - as above
        restarts=restarts,
        restarts_hour=restarts,
        at_least=True,
        oom=oom_count > 0,
        oom_count=oom_count,
        looping=restarts >= _LOOP,
        by="metrics",
    )


def _add_ooms(found: Mapping[str, ContainerNow], metrics: tuple[QueryResult, ...]) -> None:
    """The engine forgets an OOM kill when the container runs again; the kernel's counter does not."""
    for name, count in by_label(metrics[3], "name").items():
        if name in found and round(count) > found[name].oom_count:
            found[name].oom_count = round(count)
            found[name].oom = True


def _add_memory(found: Mapping[str, ContainerNow], metrics: tuple[QueryResult, ...]) -> None:
    for name, share in by_label(metrics[4], "name").items():
        if name in found:
            found[name].memory = round(share, 3)


def _finding(found: Mapping[str, ContainerNow], caveat: str, source: str) -> Finding:
    single = len(found) == 1
    unseen = [name for name, now in found.items() if now.judged is FindingStatus.UNKNOWN]
    why = f"nothing known of {listed(unseen)}" if unseen else ""
    lines = tuple(f"{name}: {describe(now)}" for name, now in found.items())
    bad = [name for name, now in found.items() if now.judged is not FindingStatus.OK]
    summary = f"{counted(len(found), 'container')}, {'all up' if not bad else 'not well: ' + listed(bad)}"
    return Finding(
        name=NAME,
        status=worst_status(now.judged for now in found.values()),
        headline=describe(next(iter(found.values()))) if single else summary,
        source=source,
        why="; ".join(filter(None, (why, caveat))),
        details=() if single else lines,
        data={"containers": {name: asdict(now) for name, now in found.items()}},
    )
