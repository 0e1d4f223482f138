"""How Docker Compose is called: from the compose folder, with the env file and the desk's profiles."""

from __future__ import annotations

import os.path
from collections.abc import Iterable

from triage.actions.model import Step
from triage.actions.operations import Command
from triage.desk import Desk

_DEFAULT_FILE = "docker-compose.yml"
UP_SECONDS = 180.0
STOP_SECONDS = 90.0


def compose(desk: Desk, *words: str, external: bool = True) -> Command:
    """Return a compose call. ``external`` False leaves out the profile of the external stack."""
    settings, paths = desk.compose, desk.paths
    env = os.path.relpath(paths.env, paths.compose)
    file = () if settings.file == _DEFAULT_FILE else ("-f", settings.file)
    chosen = [word for profile in profiles(desk, external=external) for word in ("--profile", profile)]
    return Command((*settings.command, "--env-file", env, *file, *chosen, *words), str(paths.compose))


def profiles(desk: Desk, *, external: bool) -> tuple[str, ...]:
    """Return the profiles that are on."""
    settings = desk.compose
    return tuple(name for name in settings.profiles if external or name != settings.external_profile)


def services(desk: Desk) -> tuple[str, ...]:
    """Return every compose service that this project knows by name."""
    settings = desk.compose
    bots = (desk.service_of(bot.name) for bot in desk.bots)
    return tuple(dict.fromkeys((*bots, *settings.external_services, *settings.monitoring_services)))


def up(desk: Desk, service: str, *, recreate: bool = False, external: bool = True) -> Step:
    """Return the step that brings one service up, and touches no other."""
    forced = ("--force-recreate",) if recreate else ()
    command = compose(desk, "up", "-d", "--no-deps", *forced, service, external=external)
    return Step(
        f"{'recreate' if recreate else 'start'} {service}", command, UP_SECONDS, cancelable=not recreate
    )


def stop(desk: Desk, names: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that stop services one after the other, in this order."""
    return tuple(Step(f"stop {name}", compose(desk, "stop", name), STOP_SECONDS) for name in names)
