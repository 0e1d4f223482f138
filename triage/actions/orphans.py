"""Containers of the desk's project that ``down`` may leave: of a service that no file has, or of a profile not called.

Compose 1 leaves the first and takes the second down; Compose 2 leaves both where it is told the files (``-f``), and takes
both down where it is not.
"""

from __future__ import annotations

from triage.actions.base import ActionContext
from triage.errors import DeskFailure, SourceError
from triage.plans.record import Row
from triage.ports.sources import PROJECT_LABEL, SERVICE_LABEL
from triage.wording import doing, listed

LEFT = "Left running"
_WHAT = (
    "of this project and of no service that compose is called for: gone from the files, or of another profile"
)
_NETWORK = "its network stays in use, over which compose may end with an error though everything else is down"


async def orphans(ctx: ActionContext) -> tuple[str, ...]:
    """Return the running containers whose service Compose does not take. Raises DeskFailure, SourceError."""
    found = [
        state
        for state in await ctx.sources.containers.list()
        if state.running
        and state.labels.get(PROJECT_LABEL) == ctx.desk.compose.project
        and SERVICE_LABEL in state.labels
    ]
    known = await ctx.access.project.hashes(external=True)
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
        f"{listed(names)}: {_WHAT}. By its version compose takes it down or leaves it running; then {_NETWORK}, and "
        "docker stop ends it"
    )
    return (said,)


async def left_row(ctx: ActionContext) -> Row:
    """Return what runs on after everything was taken down, and why."""
    try:
        names = await orphans(ctx)
    except (DeskFailure, SourceError) as error:
        return Row(LEFT, f"not known what runs on: {error}", None, decides=False)
    seen = f"{doing(names, 'runs', 'run')} on, {_WHAT}; {_NETWORK}" if names else "nothing"
    return Row(LEFT, seen, not names, decides=False)
