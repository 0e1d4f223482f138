"""The files of a SQLite database, and a copy of them as they are, made before anything about them is changed."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path


def files_of(path: Path) -> list[Path]:
    """Return the paths of a database: its own, its log's, its index's and its journal's, whether they are there or not."""
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal"))]


def copied(path: Path, now: datetime) -> Path:
    """Copy what is there into a folder beside it, which is returned. Raises OSError, and leaves nothing then."""
    folder = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    folder.mkdir(mode=0o700)
    try:
        for each in files_of(path):
            if each.exists():
                shutil.copy2(each, folder / each.name)
    except OSError:
        shutil.rmtree(folder)  # half a copy is none, and takes room
        raise
    return folder


def remove(path: Path) -> None:
    """Remove a database that was made on the way."""
    for each in files_of(path):
        each.unlink(missing_ok=True)
