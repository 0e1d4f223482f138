"""``.env`` as operators keep it: read, and one key changed by a rename, with every comment where it was."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bot.desk.files import replace_file
from triage.errors import DeskFailure

_LINE = re.compile(
    r"^(?P<before>\s*(?:export\s+)?(?P<key>[A-Za-z_]\w*)\s*=[ \t]*)"
    r"(?P<quote>[\"']?)(?P<value>.*?)(?P=quote)(?P<after>(?:[ \t]+#.*)?[ \t]*)$"
)
_VALUE = re.compile(r"[A-Za-z0-9_./:@+-]*")


def parse(text: str) -> dict[str, str]:
    """Return the keys and values of an env file; of a key that stands twice, the last."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {match["key"]: match["value"] for match in found if match is not None}


def changed(text: str, key: str, value: str, *, was: str) -> str:
    """Return the text with one value changed and nothing else. Raises DeskFailure."""
    if not _VALUE.fullmatch(value):
        raise DeskFailure(f".env: {key} cannot be set to {value!r}: it has characters that need quoting")
    lines = text.splitlines(keepends=True)
    places = [
        (number, match)
        for number, line in enumerate(lines)
        if (match := _LINE.match(line.rstrip("\r\n"))) is not None and match["key"] == key
    ]
    if len(places) != 1:
        raise DeskFailure(f".env: {key} stands there {len(places)} times, once is expected; mend it by hand")
    number, match = places[0]
    if match["value"] != was:
        raise DeskFailure(f".env: {key} is no longer {was!r} but {match['value']!r}; plan it anew")
    end = lines[number][len(lines[number].rstrip("\r\n")) :]
    lines[number] = f"{match['before']}{match['quote']}{value}{match['quote']}{match['after']}{end}"
    return "".join(lines)


class DeskEnvFile:
    """Implements ``triage.ports.actions.EnvFile`` for ``path`` and ``path.template``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> dict[str, str]:
        """Return the keys and values of ``.env``."""
        return parse(await asyncio.to_thread(_text, self._path))

    async def template(self) -> dict[str, str]:
        """Return the keys and values of ``.env.template``."""
        template = self._path.with_name(f"{self._path.name}.template")
        return parse(await asyncio.to_thread(_text, template))

    async def set(self, key: str, value: str, *, was: str) -> None:
        """Change one key, atomically, comments kept. Refuses when its value is no longer ``was``."""
        await asyncio.to_thread(self._set, key, value, was)

    def _set(self, key: str, value: str, was: str) -> None:
        replace_file(self._path, changed(_text(self._path), key, value, was=was))


def _text(path: Path) -> str:
    try:
        # newline="": line ends stay what they are
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DeskFailure(f"{path} cannot be read: {error}") from error
