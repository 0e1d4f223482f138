"""Files that a person asked for, written whole: a disk that fills up leaves the file that was there before."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by one rename, a link's target in its place. Raises OSError, then what was there is as it was.

    What is no regular file, such as ``/dev/stdout``, is written as it is.
    """
    real = path.resolve()
    if real.exists() and not real.is_file():
        path.write_bytes(content)
        return
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
