"""What changed lately: containers created, started, stopped or given another image. The first question.

``data``: ``{"changes": [{"container", "what": "created"|"started"|"image"|"stopped", "at" (ISO),
"seconds_before" (before the trouble began; negative: after), "image", "image_before", "ours": bool}]}``,
the suspects first, then the newest. ``ours``: the container is one the triage is about. ``"down": [name]``:
containers of the desk that do not run now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from triage.diagnosis.checks.base import CheckContext, all_of, attempt, together
from triage.errors import SourceError
from triage.model import Finding, FindingStatus
from triage.ports.sources import ContainerEvent, ContainerState
from triage.wording import clock_time, duration

NAME = "changes"
TITLE = "Changes"
SOURCE = "Docker"

LOOK_BACK = timedelta(hours=24)
_SUSPECT = timedelta(hours=2)
_SAME = timedelta(seconds=5)
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one container."""

    container: str
    what: str
    at: datetime
    image: str
    image_before: str
    ours: bool


async def run(ctx: CheckContext) -> Finding:
    """Ask the Docker Engine for its containers and its recent events."""
    start = min(ctx.now, ctx.since) - LOOK_BACK
    mine, containers, events = await together(
        all_of(ctx.sources.containers.inspect(name) for name in ctx.containers),
        ctx.sources.containers.list(),
        attempt(ctx.sources.containers.history(since=start, until=ctx.now)),
    )
    known = () if isinstance(events, SourceError) else events
    states = {state.name: state for state in (*containers, *(each for each in mine if each is not None))}
    changes = sorted(
        (
            change
            for change in (*_from_states(ctx, states.values()), *_from_events(ctx, known))
            if change.at >= start
        ),
        key=lambda change: (change.at, change.container),
        reverse=True,
    )
    caveat = f"past container events: {events.why}" if isinstance(events, SourceError) else ""
    down = sorted(state.name for state in states.values() if not state.running)
    return _finding(ctx, tuple(_once(changes)), caveat, down)


def _from_states(ctx: CheckContext, states: Iterable[ContainerState]) -> Iterable[Change]:
    for state in states:
        ours = state.name in ctx.containers
        if state.created_at is not None:
            yield Change(state.name, "created", state.created_at, state.image, "", ours)
        if state.started_at is not None and (
            state.created_at is None or state.started_at - state.created_at > timedelta(minutes=1)
        ):
            yield Change(state.name, "started", state.started_at, state.image, "", ours)


def _from_events(ctx: CheckContext, events: tuple[ContainerEvent, ...]) -> Iterable[Change]:
    images: dict[str, str] = {}
    for event in sorted(events, key=lambda each: each.time_ns):
        before = images.get(event.container, "")
        ours = event.container in ctx.containers
        if event.action == "create" and before and event.image != before:
            yield Change(event.container, "image", event.at, event.image, before, ours)
        elif event.action == "create":
            yield Change(event.container, "created", event.at, event.image, "", ours)
        elif event.action == "stop":
            yield Change(event.container, "stopped", event.at, event.image, "", ours)
        if event.image:
            images[event.container] = event.image


def _once(changes: Iterable[Change]) -> Iterable[Change]:
    """State and event tell of the same creation: the one that knows more (the image before) is kept."""
    kept: list[Change] = []
    for change in changes:
        twin = next((each for each in kept if _same(each, change)), None)
        if twin is None:
            kept.append(change)
        elif change.image_before and not twin.image_before:
            kept[kept.index(twin)] = change
    return kept


def _same(one: Change, other: Change) -> bool:
    kinds = {"image": "created"}
    alike = kinds.get(one.what, one.what) == kinds.get(other.what, other.what)
    return alike and one.container == other.container and abs(one.at - other.at) <= _SAME


def _finding(ctx: CheckContext, changes: tuple[Change, ...], caveat: str, down: list[str]) -> Finding:
    began = min(ctx.since, ctx.now)
    suspects = [each for each in changes if each.ours and timedelta(0) <= began - each.at <= _SUSPECT]
    order = [*suspects, *(each for each in changes if each not in suspects)]
    details = [_line(each, began) for each in order[1 if suspects else 0 : _SHOWN]]
    if len(order) > _SHOWN:
        details.append(f"and {len(order) - _SHOWN} more")
    if suspects:
        headline = _line(suspects[0], began)
    else:
        headline = "nothing of it in the 2 h before" if changes else "nothing changed in 24 h"
    return Finding(
        name=NAME,
        status=FindingStatus.WARNING if suspects else FindingStatus.OK,
        headline=headline,
        source=SOURCE,
        why=caveat,
        details=tuple(details),
        data={
            "changes": [
                {
                    **asdict(change),
                    "at": change.at.isoformat(),
                    "seconds_before": (began - change.at).total_seconds(),
                }
                for change in order[:50]
            ],
            "down": down,
        },
    )


def _line(change: Change, began: datetime) -> str:
    gap = (began - change.at).total_seconds()
    when = f"{duration(gap)} before" if gap >= 0 else f"{duration(-gap)} after the start of it"
    if change.what == "image":
        what = f"new image {change.image} (was {change.image_before})"
    else:
        what = f"{change.what}{f' from {change.image}' if change.what == 'created' else ''}"
    return f"{change.container} {what} at {clock_time(change.at)}, {when}"
