"""Controller YAML files: read, and one boolean changed in its place, so that every other character stays."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.desk.files import replace_file
from triage.errors import DeskFailure
from triage.ports.actions import ControllerFile

_FOLDERS = ("controllers", "scripts", "")


class DeskControllers:
    """Implements ``triage.ports.actions.Controllers`` for ``data``."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def read(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return the bot's controller files."""
        return await asyncio.to_thread(self._read, bot)

    async def set(self, bot: str, file: str, key: str, *, value: bool, was: bool) -> None:
        """Change one boolean, atomically, comments kept. Refuses when it is no longer ``was``."""
        await asyncio.to_thread(self._set, bot, file, key, value, was)

    def _read(self, bot: str) -> tuple[ControllerFile, ...]:
        conf = self._data / bot / "conf"
        paths = [path for folder in _FOLDERS for path in sorted((conf / folder).glob("*.y*ml"))]
        found = []
        for path in paths:
            values = _load(path, _text(path))
            plain = {
                str(key): str(value).lower() if isinstance(value, bool) else str(value)
                for key, value in values.items()
                if isinstance(value, bool | int | float | str)
            }
            found.append(ControllerFile(str(path.relative_to(conf)), plain))
        return tuple(found)

    def _set(self, bot: str, file: str, key: str, value: bool, was: bool) -> None:  # noqa: FBT001 - as in the port
        conf = (self._data / bot / "conf").resolve()
        path = (conf / file).resolve()
        if not path.is_relative_to(conf):
            raise DeskFailure(f"{file!r} leads out of {conf}")
        replace_file(path, changed(_text(path), key, path, value=value, was=was))


def changed(text: str, key: str, path: Path, *, value: bool, was: bool) -> str:
    """Return the text with one top-level boolean changed and nothing else. Raises DeskFailure."""
    before = _load(path, text)
    if before.get(key) is not was:
        raise DeskFailure(
            f"{path.name}: {key} is no longer {str(was).lower()} but {before.get(key)!r}; plan it anew"
        )
    line = re.compile(
        rf"^(?P<key>{re.escape(key)}\s*:\s*)(?:true|false|yes|no|on|off)\b", re.MULTILINE | re.IGNORECASE
    )
    after, count = line.subn(rf"\g<key>{str(value).lower()}", text)
    if count != 1 or _load(path, after) != {**before, key: value}:
        raise DeskFailure(f"{path.name}: {key} cannot be changed without touching more; change it by hand")
    return after


def _load(path: Path, text: str) -> dict[str, object]:
    try:
        values = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise DeskFailure(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    return values if isinstance(values, dict) else {}


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DeskFailure(f"{path} cannot be read: {error}") from error
