"""Which of a bot's controller files count: those that the script it runs loads (``controllers_config``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from triage.ports.actions import ControllerFile

LOADS, MARKETS, SCRIPT = "controllers_config", "markets", "script_file_name"
_SCRIPTS = "scripts/"
_CONTROLLERS = "controllers/"


@dataclass(frozen=True, slots=True)
class LoadedControllers:
    """What runs: the controller files that are loaded, the script configurations, and what cannot be told."""

    controllers: tuple[ControllerFile, ...]
    scripts: tuple[ControllerFile, ...]
    unclear: tuple[str, ...] = ()


def named_in(file: ControllerFile, key: str) -> tuple[str, ...]:
    """Return the names that a list of a file holds."""
    return tuple(name.strip() for name in file.values.get(key, "").split(",") if name.strip())


def loads(file: ControllerFile) -> tuple[str, ...]:
    """Return the files below ``controllers/`` that a script loads, however they are written.

    ``./a``, ``controllers/a.yml`` and ``conf/controllers/a.yml`` are ``a.yml``.
    """
    return tuple(dict.fromkeys(_plain(name) for name in named_in(file, LOADS)))


def _plain(name: str) -> str:
    path = name.removeprefix("./")
    below = path[path.rfind(_CONTROLLERS) + len(_CONTROLLERS) :] if _CONTROLLERS in path else path
    return below if below.endswith((".yml", ".yaml")) else f"{below}.yml"


def loaded(files: Iterable[ControllerFile], controller: str) -> LoadedControllers:
    """Return what of a bot's files counts; ``controller``: the one that desk.yaml names for it, or empty.

    Where the bot's log names the script that runs, only what that script loads counts; where it does not, what every
    script that loads the bot's controller loads. Where no script says what it loads, every controller file counts. An
    unreadable file makes the answer unclear only if it counts.
    """
    found = tuple(files)
    every = tuple(file for file in found if file.file.startswith(_SCRIPTS))
    active = tuple(file for file in every if file.runs)
    scripts = tuple(file for file in active or every if not file.problem)
    if not any(LOADS in script.values for script in scripts) and not (active and scripts):
        mine = tuple(file for file in found if not file.file.startswith(_SCRIPTS))
        broken = tuple(file.problem for file in found if file.problem)
        return LoadedControllers(tuple(file for file in mine if not file.problem), scripts, broken)
    by_name = {file.file.removeprefix(_CONTROLLERS): file for file in found}
    running = active or tuple(
        script for script in scripts if any(_is(by_name.get(name), controller) for name in loads(script))
    )
    # Which script runs is not known: one with its own markets may be it as well.
    chosen = running or tuple(
        script for script in scripts if LOADS in script.values or named_in(script, MARKETS)
    )
    names = dict.fromkeys(name for script in chosen for name in loads(script))
    wanted = [by_name[name] for name in names if name in by_name]
    missing = tuple(
        f"{name} is loaded by {script.file} and not there"
        for script in chosen
        for name in loads(script)
        if name not in by_name
    )
    # What cannot be read of the scripts counts where it may be the one that runs.
    unread = (file for file in (active or (() if running else every)) if file.problem)
    return LoadedControllers(
        tuple(file for file in wanted if not file.problem),
        tuple(file for file in chosen if not file.problem),
        (*missing, *(file.problem for file in (*wanted, *unread) if file.problem)),
    )


def _is(file: ControllerFile | None, controller: str) -> bool:
    return (
        file is not None
        and bool(controller)
        and controller
        in {
            file.values.get("controller_name"),
            file.values.get("id"),
        }
    )
