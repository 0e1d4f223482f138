"""Files and folders changed so that a crash leaves the old or the new: fsync, rename, exchange."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from triage.errors import ChangeNotConfirmed, DeskFailure

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def replace_file(path: Path, text: str, going: Callable[[], None]) -> None:
    """Give a file a new content by one rename; mode and owner stay.

    Raises DeskFailure, then it is the old one, and ChangeNotConfirmed, then it is the new one. ``going`` is asked
    right before the rename, as writing may hang; where it raises, the file is as it was.
    """
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
        going()
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise DeskFailure(f"{path} cannot be written, it is as it was: {error.strerror}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                temporary.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise ChangeNotConfirmed(
            f"{path} is changed, but the disk did not confirm it: {error.strerror}"
        ) from error


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
    """Make ``target`` hold the very files of ``source`` (hard links); files that are there already stay.

    Each folder is opened from the one above and by no path: a link that takes its place meanwhile leads nowhere.
    """
    with _held(source.parent) as above, _held(target.parent) as beside:
        _link(above, source.name, beside, target.name)


@contextlib.contextmanager
def _held(name: str | Path, above: int | None = None) -> Iterator[int]:
    """Hold a folder open; below another one, no link is followed to it. Raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    handle = os.open(name, flags if above is None else flags | os.O_NOFOLLOW, dir_fd=above)
    try:
        yield handle
    finally:
        os.close(handle)


def _link(above: int, word: str, beside: int, name: str) -> None:
    """Link what is called ``word`` in the open folder ``above`` as ``name`` in ``beside``."""
    if not stat.S_ISDIR(os.stat(word, dir_fd=above, follow_symlinks=False).st_mode):
        with contextlib.suppress(FileExistsError):
            os.link(word, name, src_dir_fd=above, dst_dir_fd=beside, follow_symlinks=False)
        return
    with _held(word, above) as source:
        status = os.fstat(source)
        try:
            os.mkdir(name, 0o700, dir_fd=beside)
            made = True
        except FileExistsError:
            made = False
        with _held(name, beside) as target:
            if made:
                os.fchmod(target, status.st_mode & 0o777)  # whatever this process' umask is
                if os.geteuid() == 0:
                    os.fchown(target, status.st_uid, status.st_gid)
            for each in names_of(source):
                _link(source, each, target, each)
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def remove_tree(path: Path) -> None:
    """Remove a folder with everything in it; none there is fine. Raises DeskFailure."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DeskFailure(f"{path} cannot be removed: {error.strerror}") from error


def names_of(folder: int) -> list[str]:
    """Return the names in an open folder, in order."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def size_of(path: Path) -> int:
    """Return the bytes of all files below a path; of a link, its own. What goes away meanwhile counts nothing."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size if path.exists() else 0
    return sum(_size(name, folder) for _, _, names, folder in os.fwalk(path) for name in names)


def _size(name: str, folder: int) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0
