"""What compose says of the project on disk, without touching anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.careful_yaml import MOST_BYTES
from bot.desk.commands import HostCommands
from bot.watched_files import read_watched
from bot.watched_reads import FOLDERS
from triage.actions.compose import WORDS, compose_words
from triage.actions.project import DEFAULT_FILES
from triage.desk import Desk
from triage.env_text import PROJECT_KEY, compose_files, filled
from triage.errors import ComposeRefused, DeskFailure
from triage.plans.operations import Verb
from triage.ports.actions import EnvFile, ServiceImage, TakenDown
from triage.untrusted_text import one_line

_SECONDS = 20.0
_NAME = re.compile(
    r"^name:[ \t]*(?P<sign>[\"']?)(?P<name>[^\"'\s#](?:[^\"'\n#]*[^\"'\s#])?)(?P=sign)[ \t]*(?:#.*)?$",
    re.MULTILINE,
)
_WARNS = re.compile(r"\blevel=warning\b|^WARNING: ")
_MOST = 300
"""Characters of compose's reason why it does not take the files."""
_FIT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ANEW = re.compile(r"Container (\S+)\s+Recreate$", re.MULTILINE)
_ENDED = re.compile(r"Container (\S+)\s+(?:Stopping|Removing)$", re.MULTILINE)

HasImage = Callable[[str], Awaitable[bool]]
"""Whether the engine has an image, by its name. Raises SourceError."""


class DeskProject:
    """Implements ``triage.ports.actions.Project``."""

    def __init__(self, desk: Desk, commands: HostCommands, has_image: HasImage, env: EnvFile) -> None:
        self._desk, self._commands, self._has_image, self._env = desk, commands, has_image, env

    async def hashes(self, *, external: bool) -> dict[str, str]:
        """Return each service's configuration hash, as compose writes it on what it makes."""
        said = await self._said("config", "--hash", "*", external=external)
        pairs = (line.split() for line in said.splitlines())
        return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - a service and its hash

    async def rehearsed(self, *, external: bool) -> tuple[str, ...] | None:
        """Return the containers that ``up -d`` would make anew, as a rehearsal says; None where this compose has none."""
        said = await self._rehearsal("up_all", external=external)
        return None if said is None else tuple(dict.fromkeys(_ANEW.findall(said)))

    async def taken_down(self) -> TakenDown:
        """Return what ``down`` would end. Compose 1, which has no rehearsal, ends each service of its files."""
        said = await self._rehearsal("down", external=True)
        if said is not None:
            return TakenDown(containers=tuple(sorted(set(_ENDED.findall(said)))), services=())
        services = await self._said("config", "--services", external=True)
        return TakenDown(containers=(), services=tuple(services.split()))

    async def images(self, *, external: bool) -> dict[str, ServiceImage]:
        """Return the image of each service that is on, and whether the engine has it."""
        said = await self._said("config", external=external)
        images = await asyncio.to_thread(_images, said)
        names = tuple(dict.fromkeys(images.values()))
        here = dict(zip(names, await asyncio.gather(*map(self._has_image, names)), strict=True))
        return {service: ServiceImage(image, here[image]) for service, image in images.items()}

    async def name(self) -> str:
        """Return the name that ``.env`` or the files give the project; empty where they give none."""
        env = await self._env.read()
        files = self._desk.compose.named_files or compose_files(env) or DEFAULT_FILES
        return env.get(PROJECT_KEY, "") or await FOLDERS.read(
            lambda: self._name_in(files, env), "the Compose file"
        )

    def _name_in(self, files: Iterable[str], env: Mapping[str, str]) -> str:
        """Of several files the last that has a name gives it; its variables are those of ``.env``, as Compose is told."""
        found = ""
        for file in files:
            path = (self._desk.paths.compose / file).resolve()
            try:
                text = read_watched(path.parent, path.name, most_bytes=MOST_BYTES).decode()
            except (OSError, DeskFailure, UnicodeDecodeError):
                continue
            named = _NAME.search(text)
            found = filled(named["name"], env) if named is not None else found
        return found if _FIT.fullmatch(found) else ""

    async def _rehearsal(self, verb: Verb, *, external: bool) -> str | None:
        """Return what a rehearsal says; None where it fails.

        Compose 1 does not know the word; what else a failure means, the other questions tell too.
        """
        words = compose_words(self._desk, "--dry-run", *WORDS[verb], external=external)
        folder = str(self._desk.paths.compose)
        result = await self._commands.run(words, folder=folder, timeout_seconds=_SECONDS)
        return result.output if result.exit_code == 0 else None

    async def _said(self, *words: str, external: bool) -> str:
        """Return what compose answers. Raises ComposeRefused with its reason, DeskFailure where it takes too long."""
        asked = compose_words(self._desk, *words, external=external)
        folder = str(self._desk.paths.compose)
        result = await self._commands.ask(asked, folder=folder, timeout_seconds=_SECONDS)
        if result.exit_code == 0:
            return result.output
        if result.exit_code is None:
            raise DeskFailure(f"compose does not answer within {_SECONDS:g} s ({' '.join(words[:2])})")
        again = await self._commands.run(asked, folder=folder, timeout_seconds=_SECONDS)
        raise ComposeRefused(_reason(again.output))


def _reason(output: str) -> str:
    """Return compose's reason: its first two lines that are no warning."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not _WARNS.search(line)]
    return one_line(" ".join(lines[:2]), _MOST) or "it ends with an error"


def _images(text: str) -> dict[str, str]:
    """Read compose's own account of the project. Raises DeskFailure; of its values only images are taken."""
    try:
        content: Any = YAML(typ="safe", pure=True).load(text)
        services = content["services"].items()
        return {str(name): str(service["image"]) for name, service in services if service.get("image")}
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise DeskFailure("compose tells its configuration in a shape that is not known") from error
