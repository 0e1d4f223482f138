"""Containers of the desk's project that ``down`` may leave: of a service that no file has, or of a profile not called.

Compose 1 leaves the first and takes the second down; Compose 2 leaves both where it is told the files (``-f``), and the
first alone where it is not. Before, compose is asked which it would end; afterwards, what runs on is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

from triage.actions.base import ActionContext
from triage.errors import DeskFailure, SourceError
from triage.plans.verification import Row
from triage.ports.sources import PROJECT_LABEL, SERVICE_LABEL, every_container
from triage.wording import doing, listed

LEFT = "Left running"
_WHAT = (
    "of this project and of no service that compose is called for: gone from the files, or of another profile"
)
_NETWORK = "its network stays in use, over which compose may end with an error though everything else is down"


async def orphans(ctx: ActionContext) -> Mapping[str, str]:
    """Return the running containers whose service Compose is not called for, each with that service.

    Raises DeskFailure, SourceError.
    """
    found = [
        state
        for state in every_container(await ctx.sources.containers.list())
        if state.running
        and state.labels.get(PROJECT_LABEL) == ctx.desk.compose.project
        and SERVICE_LABEL in state.labels
    ]
    known = await ctx.access.project.hashes(external=True)
    each = {state.name: state.labels[SERVICE_LABEL] for state in found}
    return {name: each[name] for name in sorted(each) if each[name] not in known}


async def left_running(ctx: ActionContext) -> tuple[str, ...]:
    """Return what a plan to take everything down has to say of orphans: nothing where there are none."""
    try:
        names = await orphans(ctx)
        ended = await ctx.access.project.taken_down() if names else None
    except (DeskFailure, SourceError) as error:
        return (f"whether containers run on that are not taken down is not known: {error}",)
    if ended is None:
        return ()
    taken = [name for name, service in names.items() if name in ended.containers or service in ended.services]
    left = [name for name in names if name not in taken]
    said = []
    if taken:
        said.append(f"takes {listed(taken)} down too, of this project and of a profile that is not called")
    if left:
        said.append(f"{_runs_on(left)}; docker stop ends it")
    return tuple(said)


async def left_row(ctx: ActionContext) -> Row:
    """Return what runs on after everything was taken down, and why."""
    try:
        names = tuple(await orphans(ctx))
    except (DeskFailure, SourceError) as error:
        return Row(LEFT, f"not known what runs on: {error}", None, decides=False)
    return Row(LEFT, _runs_on(names) if names else "nothing", not names, decides=False)


def _runs_on(names: list[str] | tuple[str, ...]) -> str:
    return f"{doing(names, 'runs', 'run')} on, {_WHAT}; {_NETWORK}"
