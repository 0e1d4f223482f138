"""From what was seen to what desk.yaml says: pure, each value with where it comes from; what is not sure is a guess."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.init.addresses import addresses
from bot.init.observed_desk import ComposeService, ObservedDesk, Value
from bot.init.recognition import bot_by, is_bot, is_redis, redis_of, watches
from triage.desk_sections.bots import Bot
from triage.desk_sections.compose import DEFAULT_COMPOSE_FILE
from triage.desk_sections.triage import TriageSettings

_DEFAULT_OVERRIDE = "docker-compose.override.yml"


@dataclass(frozen=True, slots=True)
class BotPlan:
    """One bot of desk.yaml; an empty field is left to the default."""

    name: str
    container: str
    service: str
    controller: str
    variant: str
    source: str


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """All that is written. ``addresses`` are settings of ``.env`` (``PROMETHEUS_URL`` …) by name."""

    name: Value
    project: Value
    container_template: Value
    compose_file: str
    """The only file, or the one whose override Compose takes by itself."""
    paths: dict[str, Value]
    profiles: Value
    external_profile: Value
    external_services: Value
    redis_service: Value | None
    """None: no Redis was recognised."""
    monitoring_services: Value
    bots: tuple[BotPlan, ...]
    addresses: dict[str, Value]
    networks: dict[str, str]
    compose_files: tuple[str, ...] = ()
    """Several files, where Compose has to be told of them."""
    unplayed_rules: tuple[str, ...] = ()
    command: Value | None = None
    """How Compose is called, where it has to be told the project's folder."""
    expected_rules: tuple[str, ...] = ()
    """The rules that must be loaded, where the desk has others than the default names; empty: the default."""


def plan(seen: ObservedDesk, *, known_rules: Iterable[str] = ()) -> DeskPlan:
    """Make the plan of a desk; ``known_rules`` are the rules with a playbook."""
    bots = [service for service in seen.services if is_bot(service, seen.bots)]
    template = container_template(seen)
    external = _external(seen, bots)
    monitoring = [service for service in seen.services if watches(service) and service not in external]
    profiles = list(dict.fromkeys(profile for service in seen.services for profile in service.profiles))
    started = _started(profiles, seen)
    redis = redis_of(seen.services)
    outer = [profile for profile in profiles if any(profile in service.profiles for service in external)]
    where = seen.compose_file.name
    known = set(known_rules)
    return DeskPlan(
        name=Value(seen.project, seen.project_from),
        project=Value(seen.project, seen.project_from),
        container_template=template,
        compose_file=where,
        paths=_paths(seen),
        profiles=started,
        external_profile=Value(
            outer[0] if outer else "external",
            f"the profile of Redis in {where}" if outer else f"Redis has no profile in {where}",
            not outer,
        ),
        external_services=Value(
            stop_order(external, redis), f"services of that profile in {where}, Redis last"
        ),
        redis_service=_redis_service(redis, where),
        monitoring_services=Value(
            [service.name for service in monitoring], f"known names in {where}", guess=True
        ),
        bots=tuple(_bot(service, seen, str(template.value)) for service in bots),
        addresses=addresses(seen, redis[:1]),
        networks=_networks(seen, redis[:1]),
        compose_files=_files(seen),
        command=_command(seen),
        unplayed_rules=tuple(rule for rule in seen.rules if rule not in known),
        expected_rules=_expected(seen.rules, known),
    )


def _started(profiles: Sequence[str], seen: ObservedDesk) -> Value:
    """Return the profiles that the desk is started with: those of ``.env``, else all that are not for tests alone."""
    given = [one.strip() for one in seen.env.get("COMPOSE_PROFILES", "").split(",") if one.strip()]
    given = list(profiles) if given == ["*"] else given
    if given and set(given) <= set(profiles):
        return Value(given, "COMPOSE_PROFILES in the env file")
    started = [profile for profile in profiles if profile not in {"test", "alerts", "tools", "debug"}]
    where = seen.compose_file.name
    return Value(started, f"profiles in {where}, without what is only for tests", guess=bool(profiles))


def _command(seen: ObservedDesk) -> Value | None:
    if seen.project_folder is None:
        return None
    words = ("docker", "compose", "--project-directory", str(seen.project_folder))
    return Value(words, "the folder that the containers were made from")


def _files(seen: ObservedDesk) -> tuple[str, ...]:
    """Return the files to name to Compose: none where there is one, or the default with its own override."""
    further = [file.name for file in seen.further_files]
    if not further or (seen.compose_file.name, further) == (DEFAULT_COMPOSE_FILE, [_DEFAULT_OVERRIDE]):
        return ()
    return tuple(
        os.path.relpath(file, seen.compose_file.parent) for file in (seen.compose_file, *seen.further_files)
    )


def _expected(rules: Sequence[str], known: set[str]) -> tuple[str, ...]:
    """Return the rules to expect: of the default those that the desk has, else those with a playbook of their own."""
    default = TriageSettings().expected_rules
    if not rules or set(default) <= set(rules):
        return ()
    return (
        tuple(rule for rule in default if rule in rules)
        or tuple(rule for rule in rules if rule in known)
        or tuple(rules)
    )


def container_template(seen: ObservedDesk) -> Value:
    """Return the template that names most containers: of the running ones, else of the compose file.

    A bot can be named by itself in desk.yaml, another service cannot: where both differ, the others count. Who has
    another name all the same is told, and the template is a guess.
    """
    by_compose = f"{seen.project}-{{service}}-1"
    named = {service.name: service.container for service in seen.services if service.container}
    source = f"container_name in {seen.compose_file.name}"
    if seen.running:
        names, source = dict(seen.running), "the containers that run"
    elif not named:
        return Value(by_compose, "Compose names containers so", guess=True)
    else:
        names = {one.name: one.container or by_compose.format(service=one.name) for one in seen.services}
    bots = {service.name for service in seen.services if is_bot(service, seen.bots)}
    shapes = {name: _shape(name, container) for name, container in names.items()}
    counted = Counter(shape for name, shape in shapes.items() if shape and name not in bots) or Counter(
        filter(None, shapes.values())
    )
    if not counted:
        return Value(by_compose, "Compose names containers so", guess=True)
    template = counted.most_common(1)[0][0]
    if template == by_compose and template not in map(_shape, named, named.values()) and not seen.running:
        source = "Compose names containers so"
    others = sorted(name for name in shapes.keys() - bots if names[name] != template.format(service=name))
    return Value(template, f"{source}; not {', '.join(others)}" if others else source, guess=bool(others))


def _shape(service: str, container: str) -> str:
    """Return the template that gives a service its container's name; empty where the name has nothing of it."""
    return container.replace(service, "{service}", 1) if service in container else ""


def _redis_service(redis: Sequence[str], where: str) -> Value | None:
    if not redis:
        return None
    others = f", beside {', '.join(redis[1:])}" if len(redis) > 1 else ""
    return Value(redis[0], f"image in {where}{others}", guess=bool(others))


def stop_order(services: Sequence[ComposeService], redis: Sequence[str] = ()) -> list[str]:
    """Return services in the order in which they are stopped: who depends on others first, Redis last."""
    named = {service.name for service in services}

    def depth(name: str, seen: frozenset[str] = frozenset()) -> int:
        service = next(one for one in services if one.name == name)
        needs = [other for other in service.depends_on if other in named and other not in seen]
        return 1 + max((depth(other, seen | {name}) for other in needs), default=0)

    return sorted(
        (service.name for service in services),
        key=lambda name: (
            (name in redis) + (name in redis[:1]),
            -depth(name),
            [one.name for one in services].index(name),
        ),
    )


def _external(seen: ObservedDesk, bots: Sequence[ComposeService]) -> list[ComposeService]:
    """Return Redis and what is started with it: the services of its profile, else those of the profile ``external``."""
    others = [service for service in seen.services if service not in bots and not watches(service)]
    profiles = {profile for service in others if is_redis(service) for profile in service.profiles}
    profiles = profiles or {"external"}
    return [service for service in others if profiles & set(service.profiles)]


def _bot(service: ComposeService, seen: ObservedDesk, template: str) -> BotPlan:
    folder = next((one for one in seen.bots if one.name == service.name), None)
    container = seen.running.get(service.name) or service.container
    default = Bot(name=service.name)
    variant = folder.variant if folder is not None and folder.variant else ""
    controller = folder.controller if folder is not None else ""
    found = bot_by(service, seen.bots)
    source = f"guess: {found.source}" if found.guess else found.source
    return BotPlan(
        name=service.name,
        container="" if container in {"", template.format(service=service.name)} else container,
        service="",
        controller="" if controller == default.controller else controller,
        variant="" if variant == default.variant else variant,
        source=source if controller else f"{source}; guess: controller {default.controller}, the default",
    )


def _paths(seen: ObservedDesk) -> dict[str, Value]:
    """Return the desk's folders, absolute: desk.yaml lies elsewhere in a container, where they have the host's paths.

    One that is not there is a guess.
    """
    env = seen.env_file or next((path for path in _usual_env(seen) if path.is_dir()), None)
    if env is not None and env.name.endswith(".template"):
        env = env.with_name(env.name.removesuffix(".template"))
    places = {
        "compose": seen.compose_file.parent,
        "env": env,
        "data": seen.data or seen.root / "data",
        "backups": seen.root / "backups",
    }
    return {name: _path(path, is_file=name == "env") for name, path in places.items()}


def _usual_env(seen: ObservedDesk) -> tuple[Path, ...]:
    """Return where an env file would lie: Docker makes a folder there where a service mounts it and it is missing."""
    return (seen.root / "env" / ".env", seen.root / ".env", seen.compose_file.with_name(".env"))


def _path(path: Path | None, *, is_file: bool) -> Value:
    if path is None:
        return Value(None, "none was found: compose is called without one", guess=True)
    there = path.is_file() if is_file else path.is_dir()
    return Value(str(path), "" if there else "not there yet", guess=not there)


def _networks(seen: ObservedDesk, redis: Sequence[str]) -> dict[str, str]:
    """Return the networks that the bot has to join, by their name in the compose file."""
    wanted = {
        network
        for service in seen.services
        if watches(service) or service.name in redis
        for network in service.networks
    }
    return {name: real for name, real in seen.networks.items() if name in wanted}
