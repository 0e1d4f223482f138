"""What compose's commands do to the simulated engine, and what they print while they do it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from demo.desk import docker_views
from demo.desk.compose_file import ComposeError, Project, ServiceSpec
from demo.desk.container import Container
from demo.desk.engine import Engine, EngineError

Said = tuple[Literal["out", "err"], str]
WIDTH = 38


@dataclass(frozen=True, slots=True)
class Request:
    """A command with its services and options, after the command line was read."""

    command: str
    services: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    options: frozenset[str] = field(default_factory=frozenset)
    tail: int = 0


def run(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    """Carry a command out, saying line by line what happens. Raises ComposeError or EngineError."""
    for name in request.services:
        if name not in project.services:
            raise ComposeError(f"no such service: {name}")
    match request.command:
        case "up":
            yield from _up(engine, project, request)
        case "down":
            yield from _down(engine, project, request)
        case "ps":
            yield from _ps(engine, project, request)
        case "logs":
            yield from _logs(engine, project, request)
        case "pull":
            yield from _pull(engine, project, request)
        case command:
            yield from _each(engine, project, request, command)


def _progress(container: str, word: str) -> Said:
    return "err", f" Container {container}  {word}"


def _existing(engine: Engine, project: Project, request: Request) -> list[Container]:
    """Return the containers of the named services; with no name, of those that are active by profile."""
    active = [spec.name for spec in project.active(request.profiles)]
    return engine.names(request.services or active)


def _up(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    wanted = project.active(request.profiles, request.services)
    names = request.services or tuple(spec.name for spec in wanted)
    if "--no-deps" not in request.options:
        names = project.with_dependencies(names)
    if not names:
        raise ComposeError("no service selected")
    for name in names:
        forced = "--force-recreate" in request.options and (not request.services or name in request.services)
        kept = "--no-recreate" in request.options
        yield from _up_one(engine, project, project.services[name], forced=forced, kept=kept)


def _up_one(
    engine: Engine, project: Project, spec: ServiceSpec, *, forced: bool, kept: bool = False
) -> Iterator[Said]:
    container = engine.of_service(spec.name)
    changed = container is not None and container.spec.config_hash != spec.config_hash
    if container is not None and (forced or (changed and not kept)):
        if spec.image not in engine.images:
            engine.pull(spec.image)  # before anything is taken down
        yield _progress(container.name, "Recreate")
        engine.stop(container)
        engine.remove(container)
        container = engine.create(spec, project.name)
        yield _progress(container.name, "Recreated")
    elif container is None:
        yield _progress(spec.container_name, "Creating")
        container = engine.create(spec, project.name)
        yield _progress(spec.container_name, "Created")
    if container.running:
        yield _progress(container.name, "Running")
        return
    yield _progress(container.name, "Starting")
    engine.start(container)
    yield _progress(container.name, "Started")


def _down(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    for container in reversed(_existing(engine, project, request)):
        yield _progress(container.name, "Stopping")
        engine.stop(container)
        yield _progress(container.name, "Stopped")
        engine.remove(container)
        yield _progress(container.name, "Removed")


def _each(engine: Engine, project: Project, request: Request, command: str) -> Iterator[Said]:
    """Stop, start, restart, kill or remove what there is; dependents stop before what they depend on."""
    containers = _existing(engine, project, request)
    missing = [name for name in request.services if engine.of_service(name) is None]
    if command in {"start", "restart"} and missing:
        raise ComposeError(f'service "{missing[0]}" has no container to start')
    words = {
        "stop": ("Stopping", "Stopped"),
        "start": ("Starting", "Started"),
        "restart": ("Restarting", "Started"),
        "kill": ("Killing", "Killed"),
        "rm": ("Removing", "Removed"),
    }
    order = project.with_dependencies(project.services)
    containers.sort(key=lambda one: order.index(one.spec.name), reverse=command in {"stop", "kill", "rm"})
    for container in containers:
        yield _progress(container.name, words[command][0])
        _drive(engine, container, command, request.options)
        yield _progress(container.name, words[command][1])


def _drive(engine: Engine, container: Container, command: str, options: frozenset[str]) -> None:
    match command:
        case "stop":
            engine.stop(container)
        case "start":
            engine.start(container)
        case "restart":
            engine.restart(container)
        case "kill" if container.running:
            engine.kill(container)
        case "rm":
            if container.running and "-s" not in options:
                raise EngineError(f"container {container.name} is running: stop it first, or use rm -s")
            engine.stop(container)
            engine.remove(container)
        case _:
            pass


def _ps(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    """List the project's containers: compose looks at labels here, profiles do not matter."""
    known = [one for one in engine.containers.values() if one.project == project.name]
    wanted = request.services or tuple(one.spec.name for one in known)
    everything = "--all" in request.options
    shown = [
        one
        for one in known
        if one.spec.name in wanted and (everything or one.status in {"running", "restarting"})
    ]
    if "--services" in request.options or "--quiet" in request.options:
        for one in shown:
            yield "out", one.spec.name if "--services" in request.options else one.id
    elif "json" in request.options:
        for one in shown:
            yield "out", json.dumps(_listed(one, engine.clock.now()))
    else:
        heads = ("NAME", "IMAGE", "SERVICE", "STATUS")
        yield "out", "".join(head.ljust(WIDTH) for head in heads).rstrip()
        for one in shown:
            status = docker_views.status(one, engine.clock.now())
            cells = (one.name, one.spec.image, one.spec.name, status)
            yield "out", "".join(cell.ljust(WIDTH) for cell in cells).rstrip()


def _listed(container: Container, now: float) -> docker_views.Json:
    return {
        "Command": '"/entrypoint.sh"',
        "CreatedAt": docker_views.rfc3339(container.created_at),
        "ExitCode": container.exit_code,
        "Health": container.health,
        "ID": container.id[:12],
        "Image": container.spec.image,
        "Labels": ",".join(f"{key}={value}" for key, value in container.labels.items()),
        "Name": container.name,
        "Names": container.name,
        "Project": container.project,
        "Publishers": [],
        "RunningFor": f"{docker_views.ago(now - container.created_at)} ago",
        "Service": container.spec.name,
        "State": container.status,
        "Status": docker_views.status(container, now),
    }


def _logs(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    for container in _existing(engine, project, request):
        lines = list(container.output)
        for _, text in lines[-request.tail :] if request.tail else lines:
            yield "out", f"{container.name}  | {text}"


def _pull(engine: Engine, project: Project, request: Request) -> Iterator[Said]:
    for spec in project.active(request.profiles, request.services):
        if not request.services or spec.name in request.services:
            yield "err", f" {spec.name} Pulling"
            engine.pull(spec.image)
            yield "err", f" {spec.name} Pulled"
