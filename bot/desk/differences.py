"""What a snapshot would change in a bot's folder, as a person reads it: counts, and a diff of the small texts, masked.

Both sides were written by others: the archive is read as ``archive`` reads one, the folder's files without following
a link. Both are masked whole before they are compared line by line, so that no half of a secret is left standing.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tarfile import TarFile, TarInfo
from typing import IO

from bot.desk import archive
from bot.desk.archive import FILES_MAX, PARTS, Going
from bot.watched_files import open_watched, read_watched
from triage.errors import DeskFailure
from triage.masking import masked
from triage.ports.actions import Differences

TEXTS = (".yml", ".yaml", ".json", ".py", ".toml", ".ini", ".cfg", ".txt", ".md")
TEXT_MAX = 128 * 1024
"""Bytes of a file that is shown line by line; of larger ones it is said that they differ."""
FILE_LINES, ALL_LINES, LINE_MAX = 24, 80, 160
NAMES = 12
SAME_MAX = 8 * 1024**3
_CHUNK = 1024 * 1024


@dataclass(slots=True)
class _Seen:
    """The bot's folder, and what was found so far: names below it, and lines of the diff."""

    folder: Path
    going: Going
    held: set[str] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    left_out: int = 0


def differences(path: Path, bot: str, folder: Path, going: Going) -> Differences:
    """Compare an archive with what lies in the bot's folder now. Raises DeskFailure, OSError."""
    seen = _Seen(folder, going)
    for held, member, name in archive.files(path, bot, going):
        seen.held.add(name)
        _compare(held, member, name, seen)
    gone = sorted(name for name in _here(folder, going) if name not in seen.held)
    if seen.left_out:
        seen.lines.append(f"… {seen.left_out} more files differ")
    return Differences(
        changed=len(seen.changed),
        back=len(seen.back),
        gone=len(gone),
        names=tuple(
            [*(f"{name} changes" for name in seen.changed), *(f"{name} comes back" for name in seen.back)][
                :NAMES
            ]
            + [f"{name} goes" for name in gone[:NAMES]]
        )[:NAMES],
        diff="\n".join(seen.lines),
    )


def _compare(held: TarFile, member: TarInfo, name: str, seen: _Seen) -> None:
    content = held.extractfile(member)
    if content is None:  # pragma: no cover - a regular member always has a content
        raise DeskFailure(f"{name!r} has no content")
    here = seen.folder / name
    if here.is_symlink() or not here.is_file():
        seen.back.append(name)
    elif max(member.size, here.stat().st_size) <= TEXT_MAX and name.endswith(TEXTS):
        now, then = read_watched(seen.folder, name, most_bytes=TEXT_MAX), content.read()
        if now != then:
            seen.changed.append(name)
            _tell(name, now, then, seen)
    elif not _same(name, member.size, content, seen):
        seen.changed.append(name)


def _same(name: str, size: int, content: IO[bytes], seen: _Seen) -> bool:
    """Compare a large file piece by piece."""
    with open_watched(seen.folder, name, most_bytes=SAME_MAX) as here:
        if os.fstat(here.fileno()).st_size != size:
            return False
        while piece := content.read(_CHUNK):
            seen.going()
            if here.read(len(piece)) != piece:
                return False
    return True


def _tell(name: str, now: bytes, then: bytes, seen: _Seen) -> None:
    if len(seen.lines) >= ALL_LINES:
        seen.left_out += 1
        return
    before, after = (masked(each.decode("utf-8", "replace")).splitlines() for each in (now, then))
    lines = [
        line[:LINE_MAX]
        for line in difflib.unified_diff(before, after, n=1, lineterm="")
        if line[:3] not in {"---", "+++"}
    ]
    if not lines:
        lines = ["  differs only in what is masked, or in how its lines end"]
    if len(lines) > FILE_LINES:
        lines = [*lines[:FILE_LINES], f"  … {len(lines) - FILE_LINES} more lines"]
    seen.lines += [f"{name}:", *lines]


def _here(folder: Path, going: Going) -> Iterator[str]:
    """Yield the files of the parts that a snapshot holds, by their paths below the folder."""
    for number, path in enumerate(each for part in PARTS for each in _below(folder / part)):
        if number > FILES_MAX:
            raise DeskFailure(f"{folder} holds more than {FILES_MAX:,} files")
        going()
        yield str(path.relative_to(folder))


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            yield from _below(each)
        elif each.is_file() and not each.is_symlink():
            yield each
