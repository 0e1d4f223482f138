"""Where a desk's files are: its compose files, its env file. Nothing is changed.

Raises SettingError where there is no compose file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bot.init.running_desk import LiveDesk, files_of_containers
from triage.actions.project import DEFAULT_FILES
from triage.env_text import compose_files, read_env
from triage.errors import SettingError

_PLACES = ("compose", ".", "deploy", "docker")
_ENV_PLACES = (
    "env/.env",
    "compose/.env",
    ".env",
    "env/.env.template",
    ".env.template",
    "compose/.env.template",
)
_NOT_ITS_OWN = frozenset({"data", "backups", "logs"})


def find_compose_files(root: Path, env_file: Path | None, live: LiveDesk | None) -> tuple[Path, ...]:
    """Return the desk's compose files: those its containers were made from, those of ``COMPOSE_FILE``, or the usual one."""
    named = compose_files(env_values(env_file, []))
    for place in _PLACES if named else ():
        files = tuple(root / place / name for name in named)
        if all(_is_file(file) for file in files):
            return files
    usual = with_override(_usual_compose_file(root))
    made = files_of_containers(live.containers, usual[0]) if live is not None else ()
    return made or usual


def with_override(file: Path) -> tuple[Path, ...]:
    """Return a file with the override beside it that Compose takes by itself, where there is one."""
    override = file.with_name(f"{file.stem}.override{file.suffix}")
    return (file, override) if file.name in DEFAULT_FILES and _is_file(override) else (file,)


def find_env_file(root: Path) -> Path | None:
    """Return the desk's env file or its template: at the usual places, else in a folder of its own."""
    usual = (root / place for place in _ENV_PLACES)
    others = (
        folder / name
        for name in (".env", ".env.template")
        for folder in sorted(root.glob("*/"))
        if folder.name not in _NOT_ITS_OWN and not _is_file(folder / "desk.yaml")
    )
    return next((path for path in (*usual, *others) if _is_file(path)), None)


def _is_file(path: Path) -> bool:
    """Whether a file is there; none is in a folder that we may not look into, as a database's own."""
    with suppress(OSError):
        return path.is_file()
    return False


def _usual_compose_file(root: Path) -> Path:
    """Return the desk's compose file: at a usual place, else the only one in a folder below.

    Raises SettingError that says where it was looked for.
    """
    for place in _PLACES:
        for name in DEFAULT_FILES:
            if _is_file(root / place / name):
                return root / place / name
    elsewhere = [folder for folder in sorted(root.glob("[!.]*/")) if not _is_file(folder / "desk.yaml")]
    found = [folder / name for folder in elsewhere for name in DEFAULT_FILES if _is_file(folder / name)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(str(file.relative_to(root)) for file in found[:6])
        raise SettingError(
            f"--root: {root} has several compose files ({several}); name the desk's own folder"
        )
    looked = ", ".join(f"{place}/" for place in _PLACES)
    raise SettingError(f"--root: {root} has no compose file in {looked}; name the desk's folder")


def env_values(path: Path | None, doubts: list[str]) -> Mapping[str, str]:
    """Return what an env file sets; where there is none, or it cannot be read, nothing and a doubt."""
    if path is None:
        doubts.append("no .env and no .env.template was found")
        return {}
    try:
        return read_env(path.read_text(encoding="utf-8-sig")).values
    except (OSError, UnicodeDecodeError) as error:
        doubts.append(f"{path.name} cannot be read ({type(error).__name__})")
        return {}
