"""Files that a person asked for, written whole: a disk that fills up leaves the file that was there before."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_NOT_REPLACED = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by one rename, a link's target in its place. Raises OSError, then what was there is as it was.

    What is no regular file, such as ``/dev/stdout``, is written as it is. So is one that may be written and not replaced:
    in a folder of somebody else's, or mounted by itself into a container.
    """
    real = path.resolve()
    if real.exists() and not real.is_file():
        path.write_bytes(content)
        return
    try:
        _replace(real, content)
    except OSError as error:
        if error.errno not in _NOT_REPLACED or not os.access(real, os.W_OK):
            raise
        path.write_bytes(content)


def _replace(real: Path, content: bytes) -> None:
    mode = real.stat().st_mode & 0o7777 if real.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(real)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["write_whole"]
