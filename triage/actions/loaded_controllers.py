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


def loaded(files: Iterable[ControllerFile], controller: str) -> LoadedControllers:
    """Return what of a bot's files counts; ``controller``: the one that desk.yaml names for it, or empty.

    Of several scripts those count that load the bot's controller. Where no script says what it loads, every controller
    file counts. A file that cannot be read is unclear where it counts, and costs nothing where it does not.
    """
    found = tuple(files)
    scripts = tuple(file for file in found if file.file.startswith(_SCRIPTS) and not file.problem)
    loading = tuple(script for script in scripts if named_in(script, LOADS))
    if not loading:
        mine = tuple(file for file in found if not file.file.startswith(_SCRIPTS))
        broken = tuple(file.problem for file in found if file.problem)
        return LoadedControllers(tuple(file for file in mine if not file.problem), scripts, broken)
    by_name = {file.file.removeprefix(_CONTROLLERS): file for file in found}
    running = tuple(
        script
        for script in loading
        if any(_is(by_name.get(name), controller) for name in named_in(script, LOADS))
    )
    # Which script runs is not known: one with its own markets may be it as well.
    chosen = running or (
        *loading,
        *(each for each in scripts if named_in(each, MARKETS) and each not in loading),
    )
    names = dict.fromkeys(name for script in chosen for name in named_in(script, LOADS))
    wanted = [by_name[name] for name in names if name in by_name]
    missing = tuple(
        f"{name} is loaded by {chosen[0].file} and not there" for name in names if name not in by_name
    )
    unread = tuple(file for file in found if file.problem and file.file.startswith(_SCRIPTS))
    may_run = () if running else unread  # which script runs is not known: it may be one that cannot be read
    return LoadedControllers(
        tuple(file for file in wanted if not file.problem),
        chosen,
        (*missing, *(file.problem for file in (*wanted, *may_run) if file.problem)),
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
