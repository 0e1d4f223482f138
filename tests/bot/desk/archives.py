"""Archives as an attacker, a full disk or a bad cable would make them."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

PARTS = ("conf", "data", "scripts", "pmm_scripts")


def member(name: str, content: bytes = b"new", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return one member; `fields` set what a header can hold."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def sound() -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the members of a sound snapshot of bot1."""
    return [member(f"bot1/{part}/file.txt") for part in PARTS]


def write(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Write an archive of these members."""
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def bot_folder(data: Path, word: str = "old") -> Path:
    """Write a bot's folder with logs."""
    for part in (*PARTS, "logs"):
        (data / "bot1" / part).mkdir(parents=True)
        (data / "bot1" / part / "file.txt").write_text(word)
    return data / "bot1"
