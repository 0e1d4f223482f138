"""What people do to a desk and what scenarios look at: deploys as operators make them, and signs of health."""

import os
import re

from demo.desk import compose_file
from demo.desk.world import World

CALM_ERRORS = 20  # the rule BotLogErrorSpike fires above this


def set_env(world: World, key: str, value: str) -> None:
    """Change one line of the desk's ``.env``, or add it."""
    path, line = world.layout.env, f"{key}={value}"
    text, times = re.subn(rf"(?m)^{re.escape(key)}=.*$", lambda _: line, path.read_text())
    path.write_text(text if times else f"{text.rstrip()}\n{line}\n")


def unset_env(world: World, key: str) -> None:
    """Remove a line of the desk's ``.env``."""
    path = world.layout.env
    path.write_text(re.sub(rf"(?m)^{re.escape(key)}=.*\n?", "", path.read_text()))


def set_setting(world: World, bot: str, key: str, value: str) -> None:
    """Change a setting of a bot's controller YAML, or add it; comments stay."""
    path = world.layout.controller_config(bot, world.bots[bot].variant)
    text = path.read_text()
    changed = re.sub(rf"(?m)^{key}:[^#\n]*", f"{key}: {value} ", text)
    path.write_text(changed if changed != text else f"{text}{key}: {value}\n")
    now = world.clock.now()
    os.utime(path, (now, now))


def recreate(world: World, service: str) -> None:
    """Recreate a service's container from the files as they are now."""
    project = compose_file.load(world.layout.compose_file, compose_file.read_env(world.layout.env))
    container = world.engine.of_service(service)
    if container is not None:
        world.engine.stop(container)
        world.engine.remove(container)
    world.engine.start(world.engine.create(project.services[service], project.name))


def restart(world: World, service: str) -> None:
    """Restart a service's container in place, as ``docker restart`` does."""
    container = world.engine.of_service(service)
    if container is not None:
        world.engine.restart(container)


def bot_well(world: World, name: str) -> bool:
    """Whether a bot works, is fresh, is not hard-stopped and logs few errors."""
    bot, now = world.bots[name], world.clock.now()
    container = world.engine.of_service(name)
    return (
        container is not None
        and container.working
        and bot.process is not None
        and not bot.process.unknown_settings
        and bot.state != "hard_stop"
        and bot.row is not None
        and now - bot.row.at < 2 * 60
        and bot.recent_errors(now) <= CALM_ERRORS
    )
