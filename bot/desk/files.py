"""Files and folders changed so that a crash leaves the old or the new: fsync, rename, exchange."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import shutil
import tempfile
from pathlib import Path

from triage.errors import DeskFailure

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def replace_file(path: Path, text: str) -> None:
    """Give a file a new content by one rename; mode and owner stay. Raises DeskFailure; then it is the old one."""
    temporary = None
    try:
        status = path.stat()
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise DeskFailure(f"{path} cannot be written, it is as it was: {error.strerror}") from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def exchange(one: Path, other: Path) -> None:
    """Let two folders change names in one step. Raises OSError, then nothing changed."""
    try:
        rename = _libc().renameat2
    except AttributeError as error:
        raise OSError(errno.ENOSYS, "this system cannot exchange two folders in one step") from error
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(one))


def why_not_exchange(folder: Path) -> str:
    """Return why folders below ``folder`` cannot be exchanged in one step, empty when they can be."""
    made: list[Path] = []
    try:
        made = [Path(tempfile.mkdtemp(prefix=".hbot-triage-try-", dir=folder)) for _ in range(2)]
        exchange(*made)
    except OSError as error:
        return f"{folder} cannot exchange folders in one step: {error.strerror}"
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
    return ""


def link_tree(source: Path, target: Path) -> None:
    """Make ``target`` hold the very files of ``source`` (hard links); files that are there already stay."""
    if source.is_symlink():
        if not target.is_symlink():
            target.symlink_to(source.readlink())
        return
    if not source.is_dir():
        if not target.exists():
            os.link(source, target, follow_symlinks=False)
        return
    status = source.stat()
    if not target.exists():
        target.mkdir()
        target.chmod(status.st_mode & 0o777)  # whatever this process' umask is
        if os.geteuid() == 0:
            os.chown(target, status.st_uid, status.st_gid)
    for each in source.iterdir():
        link_tree(each, target / each.name)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def remove_tree(path: Path) -> None:
    """Remove a folder with everything in it; none there is fine. Raises DeskFailure."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DeskFailure(f"{path} cannot be removed: {error.strerror}") from error


def size_of(path: Path) -> int:
    """Return the bytes of all files below a path; links count nothing."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() else 0
    return sum(size_of(each) for each in path.iterdir())
