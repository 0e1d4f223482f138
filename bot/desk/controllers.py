"""Controller YAML files: read, and one boolean changed in its place, so that every other character stays."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.careful_yaml import MOST_BYTES, load_mapping
from bot.desk.script_markets import markets_of
from bot.watched_files import FOLDERS, names_in, read_watched, rewrite_watched
from triage.actions.loaded_controllers import LOADS, MARKETS, SCRIPT
from triage.errors import DeskFailure
from triage.ports.actions import ControllerFile

_FOLDERS = ("controllers", "scripts", "")
_CODE = "scripts"


class DeskControllers:
    """Implements ``triage.ports.actions.Controllers`` for ``data``. What a bot wrote is opened with care."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def read(self, bot: str) -> tuple[ControllerFile, ...]:
        """Return the bot's controller and script files; one that cannot be read costs only itself."""
        try:
            return await FOLDERS.read(lambda: self._read(bot), f"the configuration of {bot}")
        except OSError as error:
            raise DeskFailure(f"the configuration of {bot} cannot be read: {error.strerror}") from error

    async def set(self, bot: str, file: str, key: str, *, value: bool, was: bool) -> None:
        """Change one boolean, atomically, comments kept. Refuses when it is no longer ``was``."""
        await asyncio.to_thread(self._set, bot, file, key, value, was)

    def _read(self, bot: str) -> tuple[ControllerFile, ...]:
        root = self._data / bot
        found = [_file(root, file) for file in _configurations(root)]
        scripts = [file for file in found if file.file.startswith("scripts/")]
        codes = [
            file.values[SCRIPT]
            for file in scripts
            if SCRIPT in file.values and not {LOADS, MARKETS} & set(file.values)
        ]
        if not scripts:
            codes = [name for name in names_in(root, _CODE) if name.endswith(".py")]
        return (*found, *_markets(root, codes))

    def _set(self, bot: str, file: str, key: str, value: bool, was: bool) -> None:  # noqa: FBT001 - as in the port
        def change(content: bytes) -> bytes:
            try:
                text = content.decode()
            except UnicodeDecodeError:
                raise DeskFailure(f"conf/{file} is no UTF-8 text") from None
            return changed(text, key, Path(file), value=value, was=was).encode()

        try:
            rewrite_watched(self._data / bot, f"conf/{file}", change, most_bytes=MOST_BYTES)
        except FileNotFoundError:
            raise DeskFailure(f"conf/{file} is not there") from None


def _configurations(root: Path) -> Iterator[str]:
    """Yield the YAML files below ``conf/``, hidden ones (half-written by an editor) left out."""
    for folder in _FOLDERS:
        for name in names_in(root, f"conf/{folder}" if folder else "conf"):
            if name.endswith((".yml", ".yaml")) and not name.startswith("."):
                yield f"{folder}/{name}" if folder else name


def _file(root: Path, file: str) -> ControllerFile:
    try:
        values = load_mapping(read_watched(root, f"conf/{file}", most_bytes=MOST_BYTES), file)
    except FileNotFoundError:
        return ControllerFile(file, {}, f"{file} is gone")
    except DeskFailure as error:
        return ControllerFile(file, {}, str(error))
    return ControllerFile(file, dict(_plain(values)))


def _plain(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, bool):
            yield key, str(value).lower()
        elif isinstance(value, int | float | str):
            yield key, str(value)
        elif (key == LOADS and isinstance(value, list)) or (key == MARKETS and isinstance(value, dict)):
            yield key, ",".join(str(each) for each in value if isinstance(each, str))


def _markets(root: Path, codes: list[str]) -> Iterator[ControllerFile]:
    """Yield what the ``markets`` of scripts name: of a standalone script that is where its orders go."""
    for name in codes:
        try:
            code = read_watched(root, f"{_CODE}/{name}", most_bytes=MOST_BYTES).decode("utf-8", "replace")
        except (DeskFailure, FileNotFoundError):
            continue
        found = markets_of(code)
        if found.names:
            yield ControllerFile(f"scripts/{name}", {MARKETS: ",".join(found.names)})
        if found.unread:
            yield ControllerFile(f"scripts/{name}", {}, f"scripts/{name}: markets is made of variables")


def changed(text: str, key: str, path: Path, *, value: bool, was: bool) -> str:
    """Return the text with one top-level boolean changed and nothing else. Raises DeskFailure."""
    before = _load(path, text)
    if before.get(key) is not was:
        raise DeskFailure(f"{path.name}: {key} is no longer {str(was).lower()}; plan it anew")
    line = re.compile(
        rf"^(?P<key>{re.escape(key)}\s*:\s*)(?:true|false|yes|no|on|off)\b", re.MULTILINE | re.IGNORECASE
    )
    after, count = line.subn(rf"\g<key>{str(value).lower()}", text)
    if count != 1 or _load(path, after) != {**before, key: value}:
        raise DeskFailure(f"{path.name}: {key} cannot be changed without touching more; change it by hand")
    return after


def _load(path: Path, text: str) -> dict[str, object]:
    return load_mapping(text.encode(), path.name)
