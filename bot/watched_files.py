"""The one way to open what a bot's container writes: its folder belongs to what we watch, and is not trusted.

No link is followed below the bot's folder, only a regular file is opened, never waiting (a FIFO), up to a size. The
service reads them through ``watched_reads``, a process of its own at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from triage.errors import ChangeNotConfirmed, DeskFailure

MOST_NAMES = 2_000
"""Names of one folder that are looked at."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@contextlib.contextmanager
def _folder(root: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """Open a folder below ``root``, link by link refused. Raises OSError."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            below = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def open_folder(root: Path) -> Iterator[int]:
    """Hold a bot's folder open, as a number for ``open_below``. Raises OSError."""
    with _folder(root, ()) as handle:
        yield handle


@contextlib.contextmanager
def open_below(folder: int, name: str) -> Iterator[int]:
    """Hold open what is called ``name`` in an open folder: no link is followed, nothing waited for. Raises OSError."""
    handle = os.open(name, _FILE, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


def _parts(relative: str) -> tuple[str, ...]:
    parts = PurePosixPath(relative).parts
    if "\0" in relative or any(part in {"/", ".."} for part in parts):
        raise DeskFailure("a name leads out of the bot's folder")
    return parts


def open_watched(root: Path, relative: str, *, most_bytes: int | None = None) -> BinaryIO:
    """Open a regular file below a bot's folder, unbuffered. Raises FileNotFoundError, DeskFailure."""
    *folders, name = _parts(relative) or (".",)
    with _said(relative), _folder(root, tuple(folders)) as folder:
        return _open_in(folder, name, relative, most_bytes)


@contextlib.contextmanager
def _said(relative: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DeskFailure(
            f"{relative} cannot be opened ({error.strerror}): links are not followed"
        ) from error


def _open_in(folder: int, name: str, relative: str, most_bytes: int | None) -> BinaryIO:
    handle = os.open(name, _FILE, dir_fd=folder)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise DeskFailure(f"{relative} is no regular file")
    if most_bytes is not None and status.st_size > most_bytes:
        os.close(handle)
        raise DeskFailure(f"{relative} is larger than {most_bytes // 1024} KiB")
    return os.fdopen(handle, "rb", buffering=0)


def read_watched(root: Path, relative: str, *, most_bytes: int) -> bytes:
    """Read a regular file below a bot's folder. Raises FileNotFoundError, DeskFailure."""
    with open_watched(root, relative, most_bytes=most_bytes) as file:
        return _all_of(file, relative, most_bytes)


def _all_of(file: BinaryIO, relative: str, most_bytes: int) -> bytes:
    found = bytearray()
    try:
        while piece := file.read(most_bytes + 1 - len(found)):
            found += piece
    except OSError as error:
        raise DeskFailure(f"{relative} cannot be read ({error.strerror})") from error
    if len(found) > most_bytes:
        raise DeskFailure(f"{relative} grows while it is read")
    return bytes(found)


def rewrite_watched(
    root: Path,
    relative: str,
    change: Callable[[bytes], bytes],
    going: Callable[[], None],
    *,
    most_bytes: int,
) -> None:
    """Give a regular file below a bot's folder another content, by one rename in the very folder it was read from.

    Whoever puts a link in the place of a folder or of the file meanwhile leads nothing elsewhere: the folder is held
    open, and a file that is another one by then is refused. Mode (never setuid) and owner stay. ``going`` is asked
    right before the rename, as writing may hang. Raises FileNotFoundError, DeskFailure, and what ``change`` and
    ``going`` raise; then the file is as it was, but after ChangeNotConfirmed.
    """
    *folders, name = _parts(relative) or (".",)
    with _said(relative), _folder(root, tuple(folders)) as folder:
        with _open_in(folder, name, relative, most_bytes) as file:
            status = os.fstat(file.fileno())
            after = change(_all_of(file, relative, most_bytes))
        temporary = f".{name[:100]}.{os.urandom(8).hex()}"
        try:
            _write_beside(folder, temporary, after, status)
            if _identity(os.stat(name, dir_fd=folder, follow_symlinks=False)) != _identity(status):
                raise DeskFailure(f"{relative} was changed meanwhile; plan it anew")
            going()
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            raise DeskFailure(f"{relative} cannot be written ({error.strerror})") from error
        finally:
            with contextlib.suppress(FileNotFoundError):  # it has the file's name by now
                os.unlink(temporary, dir_fd=folder)
        try:
            os.fsync(folder)
        except OSError as error:
            raise ChangeNotConfirmed(
                f"{relative} is changed, but the disk did not confirm it ({error.strerror})"
            ) from error


def _identity(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _write_beside(folder: int, name: str, content: bytes, like: os.stat_result) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(content)
        file.flush()
        if os.geteuid() == 0:
            os.fchown(file.fileno(), like.st_uid, like.st_gid)
        os.fchmod(file.fileno(), like.st_mode & 0o777)
        os.fsync(file.fileno())


def names_in(root: Path, relative: str) -> tuple[str, ...]:
    """Return the names in a folder below a bot's folder, in order; none where there is no such folder. Raises OSError."""
    try:
        with _folder(root, _parts(relative)) as folder, os.scandir(folder) as entries:
            found = [entry.name for _, entry in zip(range(MOST_NAMES), entries, strict=False)]
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return ()
        raise
    return tuple(sorted(found))
