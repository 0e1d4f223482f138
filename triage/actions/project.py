"""Whether compose would find the desk's own containers, and what bringing it up would make anew.

A running container's labels tell of which project, folder and files it was made. Compose called for another
project, or from another folder, meets a conflict of names, or mounts other folders.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping

from triage.actions.base import ActionContext
from triage.actions.compose import services
from triage.concurrency import attempt
from triage.desk_sections.compose import DEFAULT_COMPOSE_FILE
from triage.env_check import IMAGE_KEY
from triage.env_text import compose_files
from triage.errors import ComposeRefused, DeskFailure, SourceError
from triage.plans.plan import DESK, Holds, Precondition
from triage.ports.actions import ServiceImage
from triage.ports.sources import (
    ENV_FILE_LABEL,
    FILES_LABEL,
    FOLDER_LABEL,
    HASH_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    ContainerState,
    every_container,
)
from triage.wording import listed

DEFAULT_FILES = (DEFAULT_COMPOSE_FILE, "docker-compose.yaml", "compose.yml", "compose.yaml")
COMPOSE_REFUSES = "compose does not take the desk's files as they are, mend them first"
_FOLDER_WORDS = ("--project-directory", "--workdir")
_OVERRIDES = tuple(name.replace(".y", ".override.y") for name in DEFAULT_FILES)


async def project_fits(ctx: ActionContext) -> Precondition:
    """The containers that the action is about belong to the project that compose is called for."""
    found = await attempt(_containers(ctx))
    if isinstance(found, SourceError):
        return Precondition(
            f"whether the containers belong to this project is not known: {found.why}", Holds.WARNING
        )
    ours = {ctx.desk.container_of(name): name for name in _services(ctx)}
    known = [state for state in found if state.name in ours]
    if not known:
        return _elsewhere(ctx, found, ours) or await _by_its_files(ctx, found)
    files = await files_named(ctx)
    faults = [fault for state in known if (fault := _fault(ctx, state, ours[state.name], files))]
    if faults := faults or await _files_faults(ctx, known, files):
        return Precondition(faults[0], Holds.NO)
    bare = [state.name for state in known if PROJECT_LABEL not in state.labels]
    if bare:
        return Precondition(
            f"{listed(bare)}: no labels of compose; whether it is of project {ctx.desk.compose.project} is not known",
            Holds.WARNING,
        )
    return _scaled(ctx, found, known) or Precondition(
        f"compose project {ctx.desk.compose.project}, as the containers' labels say"
    )


async def _containers(ctx: ActionContext) -> tuple[ContainerState, ...]:
    return every_container(await ctx.sources.containers.list())


async def files_named(ctx: ActionContext) -> tuple[str, ...]:
    """Return the files that compose is called with: of desk.yaml, else of ``COMPOSE_FILE``; empty: its defaults."""
    named = ctx.desk.compose.named_files
    if named:
        return named
    try:
        env = await ctx.access.env.read()
    except (DeskFailure, SourceError):  # said by whoever needs the file
        return ()
    return compose_files(env)


def _scaled(
    ctx: ActionContext, found: Iterable[ContainerState], known: Iterable[ContainerState]
) -> Precondition | None:
    """Of a service with several containers one is looked at, and compose acts on each."""
    services = {state.labels.get(SERVICE_LABEL, "") for state in known} - {""}
    project = ctx.desk.compose.project
    running: dict[str, list[str]] = {}
    for state in found:
        service = state.labels.get(SERVICE_LABEL, "")
        if service in services and state.running and state.labels.get(PROJECT_LABEL) == project:
            running.setdefault(service, []).append(state.name)
    several = {service: names for service, names in running.items() if len(names) > 1}
    if not several:
        return None
    service, names = next(iter(several.items()))
    return Precondition(
        f"{service} runs as {len(names)} containers ({listed(sorted(names))}): compose acts on each of them, and "
        f"{ctx.desk.container_of(service)} alone is looked at",
        Holds.WARNING,
    )


def _services(ctx: ActionContext) -> tuple[str, ...]:
    return services(ctx.desk) if ctx.target == DESK else (ctx.service,)


def _elsewhere(
    ctx: ActionContext, found: Iterable[ContainerState], ours: Mapping[str, str]
) -> Precondition | None:
    """None has the expected name: another name for the same service is told."""
    project, wanted = ctx.desk.compose.project, set(ours.values())
    for state in found:
        if state.labels.get(PROJECT_LABEL) == project and state.labels.get(SERVICE_LABEL) in wanted:
            service = state.labels[SERVICE_LABEL]
            return Precondition(
                f"{service} runs as container {state.name}, desk.yaml expects {ctx.desk.container_of(service)}: "
                "mend compose.container_template or the bot's container",
                Holds.NO,
            )
    return None


async def _by_its_files(ctx: ActionContext, found: Iterable[ContainerState]) -> Precondition:
    """Nothing of it is there: under a wrong name compose would make a second desk, with volumes of its own."""
    project = ctx.desk.compose.project
    if any(state.labels.get(PROJECT_LABEL) == project for state in found):
        return Precondition(f"compose project {project}, as the labels of its other containers say")
    try:
        named = await ctx.access.project.name()
    except DeskFailure as error:
        return Precondition(
            f"compose project {project}; no container of it to compare with, and {error}", Holds.WARNING
        )
    if named and named != project:
        return Precondition(
            f".env or the compose file calls the project {named}, desk.yaml says {project}: compose would make a "
            f"second one, with empty volumes. Set compose.project to {named}",
            Holds.NO,
        )
    return Precondition(f"compose project {project}; no container of it to compare with")


def _fault(ctx: ActionContext, state: ContainerState, name: str, files: tuple[str, ...]) -> str:
    settings, labels = ctx.desk.compose, state.labels
    project = labels.get(PROJECT_LABEL, settings.project)
    if project != settings.project:
        return (
            f"{state.name} belongs to the compose project {project}, desk.yaml says {settings.project}: "
            f"compose would meet a conflict of names. Set compose.project to {project}"
        )
    service = labels.get(SERVICE_LABEL)
    if service is not None and service != ctx.desk.service_of(name):
        return f"{state.name} is the service {service} of compose, desk.yaml says {ctx.desk.service_of(name)}"
    folder, ours = labels.get(FOLDER_LABEL, ""), _project_folder(ctx, files)
    if folder and not _same_path(folder, ours):
        return (
            f"{state.name} was made from {folder}, compose would be called for {ours} (paths.compose, the folder of "
            "its first file, or --project-directory in compose.command): relative mounts would lead elsewhere"
        )
    return ""


def _project_folder(ctx: ActionContext, files: tuple[str, ...]) -> str:
    """Return the folder that relative paths are taken from: the one that the command names, else the first file's."""
    command = ctx.desk.compose.command
    for word, following in zip(command, (*command[1:], ""), strict=True):
        name, _, value = word.partition("=")
        if name in _FOLDER_WORDS:
            return _whole(ctx, value or following)
    return os.path.dirname(_whole(ctx, files[0])) if files else str(ctx.desk.paths.compose)  # noqa: PTH120 - as text


def _whole(ctx: ActionContext, file: str) -> str:
    """Compose is called in paths.compose: names are relative to it."""
    return os.path.join(str(ctx.desk.paths.compose), file)  # noqa: PTH118 - a path of the desk's host, as text


async def _files_faults(
    ctx: ActionContext, known: Iterable[ContainerState], files: tuple[str, ...]
) -> list[str]:
    """Return what speaks against the files that compose would take now.

    Compose leaves a container, and the files on its label, where another set of files says the same of its service: one
    whose hash is the one of now was not made from another configuration.
    """
    faults = [
        (state, fault)
        for state in known
        if (fault := _files_fault(ctx, state, files) or _env_file_fault(ctx, state))
    ]
    if not faults:
        return []
    try:
        hashes = await ctx.access.project.hashes(external=True)
    except DeskFailure:
        hashes = {}
    return [
        fault
        for state, fault in faults
        if hashes.get(state.labels.get(SERVICE_LABEL, ""), "") != state.labels.get(HASH_LABEL)
    ]


def _files_fault(ctx: ActionContext, state: ContainerState, files: tuple[str, ...]) -> str:
    """Compare the files that a container was made from with those that compose would take now, in their order."""
    folder = state.labels.get(FOLDER_LABEL, "")
    made = [each for each in state.labels.get(FILES_LABEL, "").split(",") if each]
    if not made:
        return ""
    # Compose 1 writes them as they were given where it was called, compose 2 whole.
    places = [{os.path.join(base, each) for base in (folder, str(ctx.desk.paths.compose))} for each in made]  # noqa: PTH118 - as text

    def is_at(number: int, name: str) -> bool:
        return any(_same_path(place, _whole(ctx, name)) for place in places[number])

    if files:
        fits = len(made) == len(files) and all(is_at(number, name) for number, name in enumerate(files))
    else:
        usual = (*DEFAULT_FILES, *_OVERRIDES)
        fits = all(any(is_at(number, name) for name in usual) for number in range(len(made)))
    if fits:
        return ""
    called = listed(files) if files else "its default files"
    named = ", ".join(os.path.relpath(min(each, key=len), ctx.desk.paths.compose) for each in places)
    return (
        f"{state.name} was made from {listed(made)}, compose would be called with {called}: "
        f"set compose.files to [{named}]"
    )


def _env_file_fault(ctx: ActionContext, state: ContainerState) -> str:
    """Compose 2 writes which env file it was told of: with another one's values it would make another container."""
    named = [each for each in state.labels.get(ENV_FILE_LABEL, "").split(",") if each]
    ours = str(ctx.desk.paths.env or "")
    made = [_whole(ctx, each) for each in named]
    if not made or (len(made) == 1 and ours and _same_path(made[0], ours)):
        return ""
    mend = f"set paths.env to {made[0]}" if len(made) == 1 else "put them into one"
    return f"{state.name} was made with the env file {listed(named)}, compose would be called with {ours or 'none'}: {mend}"


def _same_path(one: str, other: str) -> bool:
    """Links are followed where the folders can be seen from here."""
    return os.path.normpath(one) == os.path.normpath(other) or os.path.realpath(one) == os.path.realpath(
        other
    )


async def images_here(
    ctx: ActionContext,
    names: Iterable[str] | None = None,
    *,
    external: bool | None = None,
    missing: Holds = Holds.NO,
) -> Precondition:
    """The images that containers would be made from are on this host: nothing is pulled in an action.

    ``names``: the services, by default the target's, or every one that is on where the target is the desk.
    """
    try:
        known = await ctx.access.project.images(external=not ctx.degraded if external is None else external)
        wanted = await _wanted(ctx, known, names)
    except ComposeRefused as error:
        return Precondition(f"{COMPOSE_REFUSES}: {error}", missing)
    except (DeskFailure, SourceError) as error:
        return Precondition(f"whether the images are on this host is not known: {error}", Holds.WARNING)
    absent = tuple(dict.fromkeys(each.image for each in wanted if not each.here))
    if absent:
        return Precondition(
            f"not on this host: {listed(absent)}; pull it first, an action does not wait for a registry",
            missing,
        )
    here = tuple(dict.fromkeys(each.image for each in wanted))
    return Precondition(f"on this host: {listed(here)}" if here else "no image to look for")


async def made_of_the_pinned_image(ctx: ActionContext) -> Precondition:
    """The bot's service is made from the image that ``.env`` pins: else another value there would change nothing."""
    try:
        known = await ctx.access.project.images(external=not ctx.degraded)
        pinned = (await ctx.access.env.read()).get(IMAGE_KEY, "")
    except ComposeRefused as error:
        return Precondition(f"{COMPOSE_REFUSES}: {error}", Holds.NO)
    except (DeskFailure, SourceError) as error:
        return Precondition(f"whether {IMAGE_KEY} is the bot's image is not known: {error}", Holds.WARNING)
    made = known.get(ctx.service)
    if made is not None and made.image != pinned:
        return Precondition(
            f"compose makes {ctx.service} from {made.image}, and {IMAGE_KEY} in .env is {pinned}: another value there "
            "would change nothing",
            Holds.NO,
        )
    return Precondition(f"{IMAGE_KEY} in .env is the image of {ctx.service}")


async def _wanted(
    ctx: ActionContext, known: Mapping[str, ServiceImage], names: Iterable[str] | None
) -> tuple[ServiceImage, ...]:
    if names is None and ctx.target == DESK:
        return tuple(known.values())
    wanted = (ctx.service,) if names is None else tuple(names)
    found = [known[name] for name in wanted if name in known]
    bots = {ctx.desk.service_of(bot.name) for bot in ctx.desk.bots}
    if any(name in bots for name in wanted if name not in known):  # of a profile that is off
        found += await _pinned(ctx)
    return tuple(found)


async def _pinned(ctx: ActionContext) -> tuple[ServiceImage, ...]:
    """Return the image that ``.env`` pins for the bots."""
    image = (await ctx.access.env.read()).get(IMAGE_KEY, "")
    if not image:
        return ()
    found = await ctx.access.images.list(image.rpartition(":")[0])
    return (ServiceImage(image, any(each.tag == image for each in found)),)


async def recreated(ctx: ActionContext) -> tuple[str, ...]:
    """Return the services whose container ``up`` would make anew, because configuration or image changed.

    By compose's own rehearsal where it has one, else by its hashes against the labels. Raises DeskFailure where compose
    does not say, SourceError where the engine does not.
    """
    external, project = not ctx.degraded, ctx.access.project
    there = {
        state.name: state.labels
        for state in await _containers(ctx)
        if state.labels.get(PROJECT_LABEL) == ctx.desk.compose.project and SERVICE_LABEL in state.labels
    }
    rehearsed = await project.rehearsed(external=external)
    if rehearsed is not None:
        return tuple(sorted(there[name][SERVICE_LABEL] for name in rehearsed if name in there))
    hashes = await project.hashes(external=external)
    made = {labels[SERVICE_LABEL]: labels.get(HASH_LABEL, "") for labels in there.values()}
    return tuple(sorted(name for name, digest in hashes.items() if made.get(name, digest) != digest))


async def made_anew(ctx: ActionContext, names: Iterable[str] | None = None) -> str:
    """Return, for a plan, what bringing services up would make anew; ``names``: the services, by default all."""
    try:
        found = await recreated(ctx)
    except (DeskFailure, SourceError) as error:
        return f"what was made with an older configuration is recreated; which that is, is not known: {error}"
    wanted = set(found if names is None else names)
    anew = [name for name in found if name in wanted]
    if not anew:
        return "recreates nothing: what runs was made with the configuration of now"
    return f"recreates {', '.join(anew)}: their configuration, .env or image changed since they were made"
