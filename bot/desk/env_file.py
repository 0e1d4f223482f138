"""``.env`` as operators keep it: read, and one key changed by a rename, with every comment where it was."""

from __future__ import annotations

import re
from pathlib import Path

from bot.desk.files import replace_file
from bot.threads import Going, stoppable
from bot.watched_files import read_watched
from bot.watched_reads import FOLDERS
from triage.env_text import read_env
from triage.errors import DeskFailure, FileNotClear

MOST_BYTES = 1024 * 1024
_VALUE = re.compile(r"[A-Za-z0-9_./:@+-]*")


def parse(text: str) -> dict[str, str]:
    """Return the keys and values of an env file; of a key that stands twice, the last."""
    return read_env(text).values


def changed(text: str, key: str, value: str, *, was: str) -> str:
    """Return the text with one value changed and nothing else. Raises DeskFailure."""
    if not _VALUE.fullmatch(value):
        raise DeskFailure(f".env: {key} cannot be set to {value!r}: it has characters that need quoting")
    found = read_env(text)
    if found.doubts:
        raise DeskFailure(
            f".env: {found.doubts[0]}; mend it by hand, nothing is changed in a file that is not clear"
        )
    places = found.named(key)
    if len(places) != 1:
        raise DeskFailure(f".env: {key} stands there {len(places)} times, once is expected; mend it by hand")
    entry = places[0]
    if entry.refers:
        raise DeskFailure(f".env: {key} is put together from {', '.join(entry.refers)}; change it by hand")
    if entry.value != was:
        raise DeskFailure(f".env: {key} is no longer what the plan was made for; plan it anew")
    after = text[: entry.start] + value + text[entry.end :]
    if read_env(after).values != {**found.values, key: value}:
        raise DeskFailure(f".env: {key} cannot be changed without touching more; change it by hand")
    return after


class DeskEnvFile:
    """Implements ``triage.ports.actions.EnvFile`` for ``path`` and ``path.template``; None: the desk has none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    async def read(self) -> dict[str, str]:
        """Return the keys and values of ``.env``, none where the desk has none. Raises DeskFailure, FileNotClear."""
        return await _values(self._path)

    async def template(self) -> dict[str, str]:
        """Return the keys and values of ``.env.template``."""
        return await _values(self._path and self._path.with_name(f"{self._path.name}.template"))

    async def set(self, key: str, value: str, *, was: str) -> None:
        """Change one key, atomically, comments kept. Refuses when its value is no longer ``was``."""
        path = self._path
        if path is None:
            raise DeskFailure(f".env: the desk has none (paths.env) in which {key} could be set")

        def work(going: Going) -> None:
            text = changed(_text(path), key, value, was=was)
            replace_file(path.resolve(), text, going)

        await stoppable(work, f"changing {path.name}")


async def _values(path: Path | None) -> dict[str, str]:
    return {} if path is None else _clear(await FOLDERS.read(lambda: _text(path), path.name), path)


def _clear(text: str, path: Path) -> dict[str, str]:
    """Return the values of a file that can be read without doubt. Raises FileNotClear, which names the line alone."""
    found = read_env(text)
    if found.doubts:
        raise FileNotClear(f"{path.name}: {found.doubts[0]}; mend it by hand")
    return found.values


def _text(path: Path) -> str:
    """Read a file as it is, line ends too: a regular one (the operator's own link is followed), of a limited size."""
    real = path.resolve()
    try:
        return read_watched(real.parent, real.name, most_bytes=MOST_BYTES).decode()
    except OSError as error:
        raise DeskFailure(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DeskFailure(f"{path} cannot be read: it is no UTF-8 text") from error
    except DeskFailure as error:
        raise DeskFailure(f"{path} cannot be read: {error}") from error
