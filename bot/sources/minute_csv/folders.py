"""Where a bot's files are: ``<data>/<bot>/logs/epp_v24/<bot>_<variant>/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from bot.watched_files import names_in, open_watched

if TYPE_CHECKING:
    from pathlib import Path

LOGS = "logs/epp_v24"


def bots(data: Path) -> tuple[str, ...]:
    """Return the names of the bots that have a folder of CSV files. Raises OSError where ``data`` cannot be read."""
    return tuple(sorted(path.name for path in data.iterdir() if names_in(path, LOGS)))


def variants(data: Path, bot: str) -> dict[str, Path]:
    """Return a bot's variants and their folders, by name; empty where there is none.

    A folder is one of the bot's by its place; that it begins with the bot's name is usual, not needed.
    """
    if "/" in bot or bot in ("", ".", ".."):  # a name that a person typed must not leave the folder
        return {}
    found: dict[str, Path] = {}
    for name in names_in(data / bot, LOGS):
        files = names_in(data / bot, f"{LOGS}/{name}")
        if any(file.startswith("minute") and file.endswith(".csv") for file in files):
            mine = name.startswith(f"{bot}_")
            short = name.removeprefix(f"{bot}_") if mine else name.rpartition("_")[2]
            found[short] = data / bot / LOGS / name
    return found


def open_csv(folder: Path, name: str) -> BinaryIO:
    """Open a CSV file of a variant's folder, which the bot writes. Raises FileNotFoundError, DeskFailure, OSError."""
    root, below = _bot_of(folder)
    return open_watched(root, f"{below}/{name}")


def csv_files(folder: Path, stem: str) -> list[str]:
    """Return the names of a variant's CSV files that begin with ``stem``, in order; of a link none. Raises OSError."""
    found = names_in(*_bot_of(folder))
    return [name for name in found if name.startswith(stem) and name.endswith(".csv")]


def _bot_of(folder: Path) -> tuple[Path, str]:
    """Return the bot's folder that a variant's lies in, and where in it: from there on no link is followed."""
    depth = LOGS.count("/") + 1
    if folder.parent.parts[-depth:] != tuple(LOGS.split("/")):
        return folder, "."
    return folder.parents[depth], f"{LOGS}/{folder.name}"
