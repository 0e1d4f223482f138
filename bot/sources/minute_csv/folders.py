"""Where a bot's files are: ``<data>/<bot>/logs/epp_v24/<bot>_<variant>/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOGS = "logs/epp_v24"


def bots(data: Path) -> tuple[str, ...]:
    """Return the names of the bots that have a folder of CSV files. Raises OSError where ``data`` cannot be read."""
    return tuple(sorted(path.name for path in data.iterdir() if (path / LOGS).is_dir()))


def variants(data: Path, bot: str) -> dict[str, Path]:
    """Return a bot's variants and their folders, by name; empty where there is none.

    A folder is one of the bot's by its place; that it begins with the bot's name is usual, not needed.
    """
    if "/" in bot or bot in ("", ".", ".."):  # a name that a person typed must not leave the folder
        return {}
    root = data / bot / LOGS
    if not root.is_dir():
        return {}
    found: dict[str, Path] = {}
    for path in sorted(root.iterdir()):
        if path.is_dir() and any(path.glob("minute*.csv")):
            mine = path.name.startswith(f"{bot}_")
            found[path.name.removeprefix(f"{bot}_") if mine else path.name.rpartition("_")[2]] = path
    return found
