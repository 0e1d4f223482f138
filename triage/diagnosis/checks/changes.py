"""What changed lately: containers created, started, stopped or given another image. The first question.

``data``: ``{"changes": [{"container", "what": "created"|"started"|"image"|"config"|"stopped"|"killed"|"paused", "at" (ISO),
"seconds_before" (before the trouble began; negative: after), "image", "image_before", "same": bool (it was created
anew as it was: image and Compose's configuration hash are known not to differ), "ours": bool, "by": str}]}``, the
suspects first, then the newest. ``ours``: the container is one the triage is about. ``by``: which action of ours did it
(``Rollback on bot1``); empty where none did. ``"down": [name]``: containers of the desk that do not run now,
``"down_as": {name: status}`` how (exited | paused | restarting | created | dead).
``"edited": {bot: {"path", "at" (ISO), "seconds_before", "after_start": bool}}``: the newest edit
of a bot's configuration files in the last 24 h.
``"project": [{"file": ".env"|"the Compose file", "at", "seconds_before", "keys": [name], "services": [name], "older":
[name]}]``: the edits of the desk's own files in the last 24 h, the newest first; ``keys`` of ``.env`` and ``services`` of
Compose as far as known, ``older`` the desk's containers that were made before the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from triage.concurrency import attempt, together
from triage.desk import CONFIGURATION
from triage.diagnosis.checks.base import CheckContext, each_of, refused, states_of
from triage.errors import SourceError
from triage.model import Finding, FindingStatus, Json
from triage.ports.sources import ContainerEvent, ContainerState, FileStat
from triage.wording import clock_time, duration, listed

NAME = "changes"
TITLE = "Changes"
SOURCE = "Docker"

LOOK_BACK = timedelta(hours=24)
EDITED_FILES = {"env": ".env", "compose": "the Compose file"}
"""The categories of the events that tell of an edit of the desk's own files, and what the file is called."""
_SUSPECT = timedelta(hours=2)
_SAME = timedelta(seconds=5)
_MARGIN = timedelta(hours=2)
"""A list says in full hours how long a container has been up."""
_REPLACING = timedelta(seconds=90)
"""What is replaced may take so long to stop."""
_SHOWN = 6
_BOTS_MAX = 12
_CONFIG_HASH = "com.docker.compose.config-hash"
_KILLS = frozenset({"9", "15", "SIGKILL", "SIGTERM"})


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """One change of one container."""

    container: str
    what: str
    at: datetime
    image: str
    image_before: str
    ours: bool
    same: bool = False
    by: str = ""


async def run(ctx: CheckContext) -> Finding:
    """Ask the Docker Engine for its containers and its recent events."""
    start = min(ctx.now, ctx.since) - LOOK_BACK
    mine, containers, events, files = await together(
        states_of(ctx, unless_up_seconds=(ctx.now - start + _MARGIN).total_seconds()),
        attempt(ctx.sources.containers.list()),
        attempt(ctx.sources.containers.history(since=start, until=ctx.now)),
        _configurations(ctx),
    )
    if isinstance(containers, SourceError) and all(isinstance(each, SourceError) for each in mine):
        raise containers
    known = () if isinstance(events, SourceError) else events
    states = {
        state.name: state
        for state in (
            *(() if isinstance(containers, SourceError) else containers),
            *(each for each in mine if isinstance(each, ContainerState)),
        )
    }
    changes = sorted(
        (
            replace(change, by=ctx.act_behind(change.container, change.at))
            for change in (*_from_states(ctx, states.values()), *_from_events(ctx, known))
            if change.at >= start
        ),
        key=lambda change: (change.at, change.container),
        reverse=True,
    )
    edits, project = _edits(ctx, states, files), _project(ctx, states)
    caveat = f"past container events: {events.why}" if isinstance(events, SourceError) else ""
    caveat = "; ".join(filter(None, (caveat, refused(containers, *mine), _unread(files))))
    down = {name: state.status for name, state in sorted(states.items()) if not state.running}
    return _finding(ctx, tuple(_once(changes)), caveat, down, edits=edits, project=project)


def _from_states(ctx: CheckContext, states: Iterable[ContainerState]) -> Iterable[ContainerChange]:
    for state in states:
        ours = state.name in ctx.containers
        times = {"created": state.created_at, "started": state.started_at}
        if (
            state.created_at is not None
            and state.started_at is not None
            and state.started_at - state.created_at <= timedelta(minutes=1)
        ):
            del times["started"]  # that start belongs to its making
        for what, at in times.items():
            if at is not None:
                yield ContainerChange(
                    container=state.name, what=what, at=at, image=state.image, image_before="", ours=ours
                )


def _from_events(ctx: CheckContext, events: tuple[ContainerEvent, ...]) -> Iterable[ContainerChange]:
    known: dict[str, ContainerEvent] = {}
    for event in sorted(events, key=lambda each: each.time_ns):
        before = known.get(event.container) or _replaced(event, events)
        ours = event.container in ctx.containers
        if event.action == "create":
            yield _creation(event, before, ours=ours)
        elif _is_of_a_replacement(event, events):
            continue  # told by the creation of the new one
        elif event.action == "stop" or (event.action == "kill" and event.signal in _KILLS):
            what = "stopped" if event.action == "stop" else "killed"
            yield ContainerChange(
                container=event.container,
                what=what,
                at=event.at,
                image=event.image,
                image_before="",
                ours=ours,
            )
        elif event.action == "pause":
            yield ContainerChange(
                container=event.container,
                what="paused",
                at=event.at,
                image=event.image,
                image_before="",
                ours=ours,
            )
        if event.image:
            known[event.container] = event


def _replaced(made: ContainerEvent, events: Iterable[ContainerEvent]) -> ContainerEvent | None:
    """Return an event of what a new container replaces: compose 2 removes it a moment after it made the new one."""
    ended = (
        each
        for each in events
        if each.container == made.container
        and each.container_id != made.container_id
        and each.image
        and each.action in {"kill", "stop", "die", "destroy"}
        and timedelta(0) <= each.at - made.at <= _REPLACING
    )
    return next(ended, None) if made.action == "create" else None


def _is_of_a_replacement(ended: ContainerEvent, events: Iterable[ContainerEvent]) -> bool:
    """Whether a container ends because another one of its name takes its place: made before (Compose 2) or after it."""
    return ended.action in {"stop", "kill"} and any(
        made.action == "create"
        and made.container == ended.container
        and made.container_id != ended.container_id
        and abs(made.at - ended.at) <= _REPLACING
        for made in events
    )


def _creation(event: ContainerEvent, before: ContainerEvent | None, *, ours: bool) -> ContainerChange:
    """Say what a new container differs in from the one before, as far as the engine remembers that one."""
    if before is None:
        return ContainerChange(
            container=event.container,
            what="created",
            at=event.at,
            image=event.image,
            image_before="",
            ours=ours,
        )
    if event.image != before.image:
        return ContainerChange(
            container=event.container,
            what="image",
            at=event.at,
            image=event.image,
            image_before=before.image,
            ours=ours,
        )
    was, now = before.attributes.get(_CONFIG_HASH, ""), event.attributes.get(_CONFIG_HASH, "")
    what = "config" if was and now and was != now else "created"
    return ContainerChange(
        container=event.container,
        what=what,
        at=event.at,
        image=event.image,
        image_before=before.image,
        ours=ours,
        same=bool(was) and was == now,
    )


Files = tuple[FileStat, ...] | SourceError


async def _configurations(ctx: CheckContext) -> dict[str, Files]:
    """Return the files of each bot's configuration."""
    bots = ctx.bots[:_BOTS_MAX]
    answers = await each_of(
        ctx.sources.containers.files(ctx.desk.container_of(bot), CONFIGURATION) for bot in bots
    )
    return dict(zip(bots, answers, strict=True))


def _unread(configurations: Mapping[str, Files]) -> str:
    """Say of which bots' configurations it is not known whether they were edited, and why."""
    unread = {bot: files.why for bot, files in configurations.items() if isinstance(files, SourceError)}
    return f"edits not known of {listed(list(unread))}: {next(iter(unread.values()))}" if unread else ""


def _edits(
    ctx: CheckContext, states: Mapping[str, ContainerState], configurations: Mapping[str, Files]
) -> dict[str, dict[str, Json]]:
    """Return the newest edit of each bot's configuration; nothing of a bot whose folder cannot be read."""
    began, found = min(ctx.now, ctx.since), {}
    for bot, files in configurations.items():
        if isinstance(files, SourceError):
            continue
        edited = [
            each for each in files if each.path.endswith((".yml", ".yaml")) and each.modified_at <= ctx.now
        ]
        newest = max(edited, key=lambda each: each.modified_at, default=None)
        state = states.get(ctx.desk.container_of(bot))
        if newest is None or newest.modified_at < began - LOOK_BACK:
            continue
        started = state.started_at if state is not None else None
        found[bot] = {
            "path": newest.path,
            "at": newest.modified_at.isoformat(),
            "seconds_before": (began - newest.modified_at).total_seconds(),
            "after_start": started is not None and newest.modified_at > started + _SAME,
        }
    return found


def _project(ctx: CheckContext, states: Mapping[str, ContainerState]) -> list[dict[str, Json]]:
    """Return the edits of the desk's own files, and which containers were made before each."""
    began = min(ctx.now, ctx.since)
    return [
        {
            "file": EDITED_FILES[edit.category],
            "at": edit.at.isoformat(),
            "seconds_before": (began - edit.at).total_seconds(),
            "keys": list(edit.data.get("keys", ())),
            "services": list(edit.data.get("services", ())),
            "older": sorted(
                state.name
                for state in states.values()
                if state.created_at is not None and state.created_at + _SAME < edit.at
            ),
        }
        for edit in sorted(ctx.edits, key=lambda each: each.at, reverse=True)[:_SHOWN]
    ]


def _once(changes: Iterable[ContainerChange]) -> Iterable[ContainerChange]:
    """State and event tell of the same creation: the one that knows more (the image before) is kept."""
    kept: list[ContainerChange] = []
    for change in changes:
        twin = next((each for each in kept if _same(each, change)), None)
        if twin is None:
            kept.append(change)
        elif change.image_before and not twin.image_before:
            kept[kept.index(twin)] = change
    return kept


def _same(one: ContainerChange, other: ContainerChange) -> bool:
    kinds = {"image": "created", "config": "created"}
    alike = kinds.get(one.what, one.what) == kinds.get(other.what, other.what)
    return alike and one.container == other.container and abs(one.at - other.at) <= _SAME


def _finding(
    ctx: CheckContext,
    changes: tuple[ContainerChange, ...],
    caveat: str,
    down: Mapping[str, str],
    *,
    edits: dict[str, dict[str, Json]],
    project: list[dict[str, Json]],
) -> Finding:
    began = min(ctx.since, ctx.now)
    suspects = [each for each in changes if each.ours and timedelta(0) <= began - each.at <= _SUSPECT]
    order = [*suspects, *(each for each in changes if each not in suspects)]
    details = [_line(each, began) for each in order[1 if suspects else 0 : _SHOWN]]
    edited = [_edit_line(each) for each in project if 0 <= each["seconds_before"] <= _SUSPECT.total_seconds()]
    details = [*edited, *details]
    if len(order) > _SHOWN:
        details.append(f"and {len(order) - _SHOWN} more")
    if suspects:
        headline = _line(suspects[0], began)
    else:
        headline = "nothing of it in the 2 h before" if changes else "nothing changed in 24 h"
        headline = edited[0] if edited else headline
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
            "down": list(down),
            "down_as": dict(down),
            "edited": edits,
            "project": project,
        },
    )


def _edit_line(edit: Mapping[str, Json]) -> str:
    about = listed([*edit["keys"], *edit["services"]], 3)
    when = clock_time(datetime.fromisoformat(edit["at"]))
    keys, gap = f" ({about})" if about else "", duration(edit["seconds_before"])
    return f"{edit['file']} edited at {when}{keys}, {gap} before it began"


def _line(change: ContainerChange, began: datetime) -> str:
    gap = (began - change.at).total_seconds()
    when = f"{duration(gap)} before it began" if gap >= 0 else f"{duration(-gap)} after the start of it"
    if change.what == "config":
        what = "created with another configuration"
    elif change.what == "image":
        what = f"new image {change.image} (was {change.image_before})"
    else:
        what = f"{change.what}{f' from {change.image}' if change.what == 'created' else ''}"
    by = f" by {change.by}" if change.by else ""
    return f"{change.container} {what}{by} at {clock_time(change.at)}, {when}"
