"""Which files people edited lately: the bots' configurations, the desk's ``.env`` and Compose file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from triage.desk_sections.bots import CONFIGURATION
from triage.diagnosis.checks.base import CheckContext, each_of
from triage.diagnosis.checks.container_changes import SAME
from triage.errors import SourceError
from triage.model import Json
from triage.ports.sources import ContainerState, FileStat
from triage.wording import clock_time, duration, listed

LOOK_BACK = timedelta(hours=24)
EDITED_FILES = {"env": ".env", "compose": "the Compose file"}
"""The categories of the events that tell of an edit of the desk's own files, and what the file is called."""
_SHOWN = 6
_BOTS_MAX = 12

Files = tuple[FileStat, ...] | SourceError


async def configuration_files(ctx: CheckContext) -> dict[str, Files]:
    """Return the files of each bot's configuration."""
    bots = ctx.bots[:_BOTS_MAX]
    answers = await each_of(
        ctx.sources.containers.files(ctx.desk.container_of(bot), CONFIGURATION) for bot in bots
    )
    return dict(zip(bots, answers, strict=True))


def unread(configurations: Mapping[str, Files]) -> str:
    """Say of which bots' configurations it is not known whether they were edited, and why."""
    why = {bot: files.why for bot, files in configurations.items() if isinstance(files, SourceError)}
    return f"edits not known of {listed(list(why))}: {next(iter(why.values()))}" if why else ""


def newest_edits(
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
            "after_start": started is not None and newest.modified_at > started + SAME,
        }
    return found


def project_edits(ctx: CheckContext, states: Mapping[str, ContainerState]) -> list[dict[str, Json]]:
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
                if state.created_at is not None and state.created_at + SAME < edit.at
            ),
        }
        for edit in sorted(ctx.edits, key=lambda each: each.at, reverse=True)[:_SHOWN]
    ]


def edit_line(edit: Mapping[str, Json]) -> str:
    """Return e.g. ``.env edited at 12:04 (BITGET_KEY), 6 min before it began``."""
    about = listed([*edit["keys"], *edit["services"]], 3)
    when = clock_time(datetime.fromisoformat(edit["at"]))
    keys, gap = f" ({about})" if about else "", duration(edit["seconds_before"])
    return f"{edit['file']} edited at {when}{keys}, {gap} before it began"
