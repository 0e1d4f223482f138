"""The files in an archive that the Docker Engine makes of a container's folder."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from pathlib import PurePosixPath

from triage.ports.sources import FileStat


def listing(archive: bytes, folder: str) -> tuple[FileStat, ...]:
    """Return what a tar archive of ``folder`` holds; nothing is unpacked. Raises ValueError.

    The engine names entries from the folder's own name on: ``controllers/market_making/x.py``.
    """
    above = PurePosixPath(folder).parent
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as tar:
            return tuple(
                FileStat(str(above / entry.name), datetime.fromtimestamp(int(entry.mtime), UTC), entry.size)
                for entry in tar
                if entry.isfile()
            )
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f"no tar archive: {error}") from error
