"""How Docker Compose is called: for the desk's project, from its folder, with the env file and the profiles."""

from __future__ import annotations

import os.path
import shlex
from collections.abc import Iterable, Mapping

from triage.desk import Desk
from triage.plans.operations import AwaitContainer, ComposeCall, Verb
from triage.plans.plan import Step

UP_SECONDS = 180.0
STOP_SECONDS = 90.0


WORDS: Mapping[Verb, tuple[str, ...]] = {
    "up": ("up", "-d", "--no-deps"),
    "recreate": ("up", "-d", "--no-deps", "--force-recreate"),
    "restart": ("restart",),
    "stop": ("stop",),
    "up_all": ("up", "-d"),
    "up_rest": ("up", "-d", "--no-recreate"),
    "down": ("down",),
    "ps": ("ps",),
    "logs": ("logs", "--tail=20"),
}
"""What each verb says to Compose; the service, where there is one, follows."""


SECONDS: Mapping[Verb, float] = {
    "up": UP_SECONDS,
    "recreate": UP_SECONDS,
    "restart": 180.0,
    "stop": STOP_SECONDS,
    "up_all": 300.0,
    "up_rest": UP_SECONDS,
    "down": 300.0,
    "ps": 60.0,
    "logs": 60.0,
}
"""How long each may take; then it is killed with its children."""


def argv(desk: Desk, verb: Verb, service: str = "", *, external: bool = True) -> tuple[str, ...]:
    """Return a call of Compose as the list of its words, to be run in ``paths.compose``."""
    return compose_words(desk, *WORDS[verb], *((service,) if service else ()), external=external)


def compose_words(desk: Desk, *words: str, external: bool = True) -> tuple[str, ...]:
    """Return how Compose is called with these words. ``external`` False leaves out the external stack's profile."""
    settings, paths = desk.compose, desk.paths
    env = () if paths.env is None else ("--env-file", os.path.relpath(paths.env, paths.compose))
    files = [word for name in settings.named_files for word in ("-f", name)]
    chosen = [word for profile in profiles(desk, external=external) for word in ("--profile", profile)]
    if (
        not chosen and not external
    ):  # without any, COMPOSE_PROFILES of .env would turn the external stack on again
        chosen = ["--profile", ""]
    # Always named: what compose would make of shell, .env, file and folder may be another project than the desk's.
    return (*settings.command, "-p", settings.project, *env, *files, *chosen, *words)


def compose(desk: Desk, verb: Verb, service: str = "", *, external: bool = True) -> ComposeCall:
    """Return the operation that calls Compose."""
    line = shlex.join(argv(desk, verb, service, external=external))
    return ComposeCall(verb, service, external, line)


def caches_argv(desk: Desk) -> tuple[str, ...]:
    """Return the command that removes the bytecode inside a bot's container."""
    return ("rm", "-rf", *desk.paths.caches)


def profiles(desk: Desk, *, external: bool) -> tuple[str, ...]:
    """Return the profiles that are on."""
    settings = desk.compose
    return tuple(name for name in settings.profiles if external or name != settings.external_profile)


def services(desk: Desk) -> tuple[str, ...]:
    """Return every compose service that this project knows by name."""
    bots = (desk.service_of(bot.name) for bot in desk.bots)
    return tuple(dict.fromkeys((*bots, *desk.compose.services)))


def up(desk: Desk, service: str, *, recreate: bool = False, external: bool = True) -> Step:
    """Return the step that brings one service up, and touches no other."""
    command = compose(desk, "recreate" if recreate else "up", service, external=external)
    return Step(
        f"{'recreate' if recreate else 'start'} {service}", command, UP_SECONDS, cancelable=not recreate
    )


def recreate_and_wait(desk: Desk, service: str, container: str, *, external: bool) -> tuple[Step, Step]:
    """Return the steps that make a service's container anew and wait until it runs."""
    return up(desk, service, recreate=True, external=external), wait_for(desk, container)


def wait_for(desk: Desk, container: str) -> Step:
    """Return the step that waits until a container that was just started runs; it cannot be cancelled any more."""
    return Step(
        f"wait for {container}",
        AwaitContainer(container),
        desk.compose.healthy_seconds,
        cancelable=False,
    )


def stop(desk: Desk, names: Iterable[str]) -> tuple[Step, ...]:
    """Return the steps that stop services one after the other, in this order."""
    return tuple(Step(f"stop {name}", compose(desk, "stop", name), STOP_SECONDS) for name in names)
