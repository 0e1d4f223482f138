"""Controller YAML files: read, and one boolean changed in its place, so that every other character stays."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bot.careful_yaml import MOST_BYTES, load_mapping
from bot.desk.script_markets import markets_of
from bot.threads import Going, stoppable
from bot.watched_files import names_in, read_watched, rewrite_watched
from bot.watched_reads import FOLDERS
from triage.actions.loaded_controllers import LOADS, MARKETS, SCRIPT
from triage.errors import DeskFailure
from triage.masking import masked_and_cut
from triage.plans.agent_orders import SWITCHES
from triage.ports.actions import ControllerFile

_FOLDERS = ("controllers", "scripts", "")
MOST_FILES, _MOST_FOLDERS = 300, 50
SECONDS = 3.0
"""Time of a processor that all files of a bot may take: a container that writes thousands must not keep others waiting."""
_PLAIN = re.compile(r"[\w ./,@+()=~-]{1,250}")
"""Names of files that are told to people as they are: a bot's container may write any other."""
_LOG = re.compile(r"logs_[\w.-]{1,120}\.log")
"""Hummingbot names its log for the script's configuration that it loaded, or for the script."""
_CODE = "scripts"
_ON, _OFF = frozenset({"true", "t", "yes", "y", "on", "1"}), frozenset({"false", "f", "no", "n", "off", "0"})
"""What Hummingbot's models (pydantic) read as a switch, quoted or not, without their case."""


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

        def work(going: Going) -> None:
            self._set(bot, file, lambda text: changed(text, key, Path(file), value=value, was=was), going)

        await stoppable(work, f"changing the configuration of {bot}")

    def _read(self, bot: str) -> tuple[ControllerFile, ...]:
        root = self._data / bot
        ends = time.thread_time() + SECONDS
        found = [_file(root, file) for file in _in_time(_configurations(root), ends, bot)]
        scripts = [file for file in found if file.file.startswith("scripts/")]
        there = [name for name in names_in(root, _CODE) if name.endswith(".py")]
        codes = there if not scripts else [file.values[SCRIPT] for file in scripts if _is_bare(file)]
        log = _newest_log(root)
        if f"{log}.py" in there and not any(PurePosixPath(file.file).stem == log for file in scripts):
            codes.append(f"{log}.py")
        every = (*found, *_markets(root, _in_time(dict.fromkeys(codes), ends, bot)))
        running = _running(every, log)
        return tuple(replace(file, runs=file in running) for file in every)

    def _set(self, bot: str, file: str, made: Callable[[str], str], going: Going) -> None:
        def change(content: bytes) -> bytes:
            try:
                text = content.decode()
            except UnicodeDecodeError:
                raise DeskFailure(f"conf/{file} is no UTF-8 text") from None
            return made(text).encode()

        try:
            rewrite_watched(self._data / bot, f"conf/{file}", change, going, most_bytes=MOST_BYTES)
        except FileNotFoundError:
            raise DeskFailure(f"conf/{file} is not there") from None


def _in_time(names: Iterable[str], ends: float, bot: str) -> Iterator[str]:
    """Yield names of files as long as there is time for them, and not too many. Raises DeskFailure."""
    for number, name in enumerate(names):
        if number >= MOST_FILES or time.thread_time() > ends:
            raise DeskFailure(f"the files of {bot} are too many, or too large, to be its configuration")
        yield name


def _configurations(root: Path) -> Iterator[str]:
    """Yield the YAML files below ``conf/``, hidden ones (half-written by an editor) left out.

    Controllers may stand in folders of their own.
    """
    below = [f"controllers/{name}" for name in names_in(root, "conf/controllers") if "." not in name]
    for folder in (*_FOLDERS, *below[:_MOST_FOLDERS]):
        for name in names_in(root, f"conf/{folder}" if folder else "conf"):
            if name.endswith((".yml", ".yaml")) and not name.startswith("."):
                yield f"{folder}/{name}" if folder else name


def _is_bare(file: ControllerFile) -> bool:
    """Tell whether a script's configuration leaves what it trades to the script's code."""
    return SCRIPT in file.values and not file.values.get(LOADS) and not file.values.get(MARKETS)


def _newest_log(root: Path) -> str:
    """Return what the bot's newest log is named for: its script, or that script's configuration; empty for none."""
    logs = [name for name in names_in(root, "logs") if _LOG.fullmatch(name)]
    newest = max(logs, key=lambda name: _touched(root / "logs" / name), default="")
    return newest[len("logs_") : -len(".log")]


def _touched(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:  # rotated away meanwhile
        return 0


def _running(files: Iterable[ControllerFile], log: str) -> list[ControllerFile]:
    """Return the script that a log is named for; none where it names none of them, or several."""
    scripts = [file for file in files if file.file.startswith("scripts/")]
    own = [file for file in scripts if PurePosixPath(file.file).stem == log]
    of_code = [file for file in scripts if PurePosixPath(file.values.get(SCRIPT, "")).stem == log]
    found = own or of_code
    return found if log and len(found) == 1 else []


def _file(root: Path, file: str) -> ControllerFile:
    if not _PLAIN.fullmatch(file):
        told = masked_and_cut(ascii(file)[1:-1], 120).replace("<", "(")
        return ControllerFile(told, {}, f"{told} has characters in its name that no configuration has")
    try:
        values = load_mapping(read_watched(root, f"conf/{file}", most_bytes=MOST_BYTES), file)
    except FileNotFoundError:
        return ControllerFile(file, {}, f"{file} is gone")
    except DeskFailure as error:
        return ControllerFile(file, {}, str(error))
    return ControllerFile(file, dict(_plain(values)))


def _plain(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        switch = _switch(value) if key in SWITCHES or isinstance(value, bool) else None
        if switch is not None:
            yield key, str(switch).lower()
        elif isinstance(value, int | float | str):
            yield key, str(value)
        elif key == LOADS:
            yield key, ",".join(_texts(value))
        elif key == MARKETS and isinstance(value, dict):
            yield key, ",".join(str(each) for each in value)


def _texts(value: object) -> Iterator[str]:
    """Yield the names in a list, however deep they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _markets(root: Path, codes: Iterable[str]) -> Iterator[ControllerFile]:
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


def _switch(value: object) -> bool | None:
    """Return what a value means for a switch; None where it means nothing."""
    word = str(value).strip().casefold() if isinstance(value, bool | int | str) else ""
    return word in _ON if word in _ON | _OFF else None


def changed(text: str, key: str, path: Path, *, value: bool, was: bool) -> str:
    """Return the text with one top-level boolean changed and nothing else. Raises DeskFailure."""
    before = _load(path, text)
    if _switch(before.get(key)) is not was:
        raise DeskFailure(f"{path.name}: {key} is no longer {str(was).lower()}; plan it anew")
    line = re.compile(
        rf"^(?P<key>{re.escape(key)}[ \t]*:[ \t]*)(?P<quote>[\"']?)(?:{'|'.join(sorted(_ON | _OFF))})(?P=quote)(?![\w.])",
        re.MULTILINE | re.IGNORECASE,
    )
    after, count = line.subn(rf"\g<key>{str(value).lower()}", text)
    if count != 1 or _load(path, after) != {**before, key: value}:
        raise DeskFailure(f"{path.name}: {key} cannot be changed without touching more; change it by hand")
    return after


def _load(path: Path, text: str) -> dict[str, object]:
    return load_mapping(text.encode(), path.name)
