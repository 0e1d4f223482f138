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

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from triage.concurrency import attempt, together
from triage.diagnosis.checks.base import CheckContext, refused, states_of, worst_status
from triage.diagnosis.checks.container_changes import ContainerChange, from_events, from_states, once
from triage.diagnosis.checks.edits import (
    LOOK_BACK,
    configuration_files,
    edit_line,
    newest_edits,
    project_edits,
    unread,
)
from triage.errors import SourceError
from triage.model import Finding, FindingStatus, Json
from triage.ports.sources import ContainerState, unread_containers
from triage.wording import clock_time, duration

NAME = "changes"
TITLE = "Changes"
SOURCE = "Docker"

_SUSPECT = timedelta(hours=2)
_MARGIN = timedelta(hours=2)
"""A list says in full hours how long a container has been up."""
_SHOWN = 6


async def run(ctx: CheckContext) -> Finding:
    """Ask the Docker Engine for its containers and its recent events."""
    start = min(ctx.now, ctx.since) - LOOK_BACK
    mine, containers, events, files = await together(
        states_of(ctx, unless_up_seconds=(ctx.now - start + _MARGIN).total_seconds()),
        attempt(ctx.sources.containers.list()),
        attempt(ctx.sources.containers.history(since=start, until=ctx.now)),
        configuration_files(ctx),
    )
    if isinstance(containers, SourceError) and all(isinstance(each, SourceError) for each in mine):
        raise containers
    known = () if isinstance(events, SourceError) else events
    entries = () if isinstance(containers, SourceError) else containers
    states = {
        state.name: state
        for state in (
            *(each for each in entries if not each.unread),
            *(each for each in mine if isinstance(each, ContainerState)),
        )
    }
    changes = sorted(
        (
            replace(
                change,
                ours=change.container in ctx.containers,
                by=ctx.act_behind(change.container, change.at),
            )
            for change in (*from_states(states.values()), *from_events(known))
            if change.at >= start
        ),
        key=lambda change: (change.at, change.container),
        reverse=True,
    )
    edits, project = newest_edits(ctx, states, files), project_edits(ctx, states)
    caveat = f"past container events: {events.why}" if isinstance(events, SourceError) else ""
    caveat = "; ".join(
        filter(None, (caveat, refused(containers, *mine), unread_containers(entries), unread(files)))
    )
    down = {name: state.status for name, state in sorted(states.items()) if not state.running}
    finding = _finding(ctx, tuple(once(changes)), caveat, down, edits=edits, project=project)
    whole = FindingStatus.UNKNOWN if unread_containers(entries) else FindingStatus.OK
    return replace(finding, status=worst_status((finding.status, whole)))


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
    edited = [edit_line(each) for each in project if 0 <= each["seconds_before"] <= _SUSPECT.total_seconds()]
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
