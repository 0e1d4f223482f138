"""Containers of the desk's project that ``down`` leaves: of a service that no file has, or of a profile not started."""

from __future__ import annotations

from triage.actions.base import ActionContext
from triage.actions.compose import services
from triage.errors import DeskFailure, SourceError
from triage.ports.sources import PROJECT_LABEL, SERVICE_LABEL
from triage.wording import listed


async def orphans(ctx: ActionContext) -> tuple[str, ...]:
    """Return the running containers whose service Compose does not take. Raises DeskFailure, SourceError."""
    found = [
        state
        for state in await ctx.sources.containers.list()
        if state.running
        and state.labels.get(PROJECT_LABEL) == ctx.desk.compose.project
        and SERVICE_LABEL in state.labels
    ]
    known = {*services(ctx.desk), *await ctx.access.project.hashes(external=True)}
    return tuple(sorted(state.name for state in found if state.labels[SERVICE_LABEL] not in known))


async def left_running(ctx: ActionContext) -> tuple[str, ...]:
    """Return what a plan to take everything down has to say of orphans: nothing where there are none."""
    try:
        names = await orphans(ctx)
    except (DeskFailure, SourceError) as error:
        return (f"whether containers run on that are not taken down is not known: {error}",)
    if not names:
        return ()
    said = (
        f"{listed(names)}: of this project and of no service that is taken down, so it runs on and keeps its network "
        "in use; compose then ends with an error though everything else is down (docker stop ends it)"
    )
    return (said,)
