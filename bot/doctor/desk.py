"""desk.yaml held against the desk as it lies on this host: folders, compose file, env file, alert rules."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.report import DependencyReport
from bot.init.desk_folder import read_files_of_desk
from bot.init.file_locations import with_override
from bot.init.observed_desk import ObservedDesk
from bot.init.plan import container_template
from bot.init.recognition import bot_by, redis_of
from triage.actions.project import DEFAULT_FILES
from triage.desk import Desk
from triage.env_text import compose_files, read_env
from triage.errors import SettingError
from triage.wording import listed

NAME = "desk.yaml"
_MEND = "mend desk.yaml, or let hbot-triage init show what it would write"


async def ask_desk(desk: Desk) -> DependencyReport:
    """Compare desk.yaml with the desk's folders. Raises nothing: what cannot be read is said."""
    return await asyncio.to_thread(_compare, desk)


def _compare(desk: Desk) -> DependencyReport:
    paths = desk.paths
    if not paths.compose.exists():  # behind an agent, or on another host: whoever holds the folders compares
        return DependencyReport(
            NAME, "not configured", f"{paths.compose} is not here: nothing to compare with"
        )
    files = _files(desk)
    absent = [f"paths.{name}: {path}" for name, path in _folders(desk) if not path.exists()]
    missing = [
        f"compose.{'files' if desk.compose.files else 'file'}: {file}" for file in files if not file.is_file()
    ]
    if missing:
        return DependencyReport(
            NAME,
            "warning",
            f"not there: {listed([*absent, *missing], 6)}",
            "name the desk's folders in desk.yaml",
        )
    try:
        seen = read_files_of_desk(files, env_file=paths.env, data=paths.data, folder=_project_folder(desk))
    except SettingError as error:
        return DependencyReport(
            NAME, "warning", str(error), "mend the compose file, or compose.file in desk.yaml"
        )
    problems = [f"not there: {listed(absent, 6)}"] if absent else []
    if paths.env is not None and paths.env.is_dir():
        problems.append(
            f"paths.env: {paths.env} is a folder, as Docker makes where a file to mount is missing"
        )
    problems += _differences(desk, seen)
    if problems:
        return DependencyReport(NAME, "warning", listed(problems, 12), _MEND)
    return DependencyReport(
        NAME,
        "ok",
        f"fits {listed([file.name for file in files])}: {len(seen.services)} services, {len(desk.bots)} bots",
    )


def _files(desk: Desk) -> tuple[Path, ...]:
    """Return the files that compose takes: those of desk.yaml, of ``COMPOSE_FILE``, or the default with its override."""
    folder, named = desk.paths.compose, desk.compose.named_files
    with contextlib.suppress(OSError, UnicodeDecodeError):  # said where the file itself is looked at
        env = "" if desk.paths.env is None else desk.paths.env.read_text(encoding="utf-8-sig")
        named = named or compose_files(read_env(env).values)
    if named:
        return tuple((folder / name).resolve() for name in named)
    usual = next(
        (folder / name for name in DEFAULT_FILES if (folder / name).is_file()), folder / desk.compose.file
    )
    return with_override(usual)


def _project_folder(desk: Desk) -> Path | None:
    """Return the folder that ``compose.command`` names for the project's relative paths; None where it names none."""
    words = desk.compose.command
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, sign, value = word.partition("=")
        if name == "--project-directory":
            return (desk.paths.compose / (value if sign else following)).resolve()
    return None


def _folders(desk: Desk) -> Iterator[tuple[str, Path]]:
    paths = desk.paths
    yield "compose", paths.compose
    if paths.env is not None:
        yield "env", paths.env
    yield "data", paths.data
    yield "backups", paths.backups


def _differences(desk: Desk, seen: ObservedDesk) -> Iterator[str]:
    """Yield what desk.yaml says and the desk does not, and the other way round."""
    services = {service.name for service in seen.services}
    bots = {desk.service_of(bot.name): bot.name for bot in desk.bots}
    by_hand = seen.project_from.startswith("the folder") and "project" in desk.compose.model_fields_set
    if seen.project != desk.compose.project and not by_hand:  # no file names it: it is what -p is given
        yield f"the project is {seen.project} ({seen.project_from}), compose.project says {desk.compose.project}"
    profiles = {profile for service in seen.services for profile in service.profiles}
    for profile in desk.compose.profiles:
        if profile not in profiles:
            yield f"the compose file has no profile {profile}"
    for name in dict.fromkeys((*bots, *desk.compose.services)):
        if name not in services:
            yield f"the compose file has no service {name}"
    yield from _redis(desk, seen)
    for service in seen.services:
        found = bot_by(service, seen.bots)
        if found.value and not found.guess and service.name not in bots:
            yield f"the bot {service.name} of the compose file is not in bots"
    yield from _containers(desk, seen, bots)
    if seen.env_file is not None:
        template = seen.env_file.with_name(f"{seen.env_file.name}.template")
        if not template.is_file():
            yield f"there is no {template.name}: no check that every key is set"


def _redis(desk: Desk, seen: ObservedDesk) -> Iterator[str]:
    """Yield that the Redis which desk.yaml names, or has by default, is none of the desk's."""
    found, named = redis_of(seen.services), desk.compose.redis_service
    if found and named not in found:
        yield f"compose.redis_service says {named}, the Redis of the compose file is {listed(found)}"


def _containers(desk: Desk, seen: ObservedDesk, bots: dict[str, str]) -> Iterator[str]:
    template = container_template(seen)
    for service in seen.services:
        wanted = desk.container_of(bots.get(service.name, service.name))
        known = service.container or (
            "" if template.guess else str(template.value).format(service=service.name)
        )
        if known and known != wanted:
            yield f"{service.name} runs as {known}, desk.yaml makes it {wanted}"
