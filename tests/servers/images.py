"""Images made of what the machine has: busybox for everything, its own redis-server for Redis."""

import io
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_EXECUTABLE = 0o755


def rootfs(busybox: Path, *, files: Mapping[str, str] | None = None, programs: Sequence[Path] = ()) -> bytes:
    """Return a tar of a root folder: busybox with all its applets, text files (executable), other programs.

    `files` maps absolute paths to contents. A program is copied with the shared libraries it is linked to.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "etc", "home", "proc", "sys", "tmp", "dev", "var"):
            _add_folder(tar, folder)
        tar.add(busybox.resolve(), "bin/busybox")
        for applet in _applets(busybox):
            add_link(tar, f"bin/{applet}", "busybox")
        for program in programs:
            tar.add(program.resolve(), f"bin/{program.name}")
        for library in sorted({library for program in programs for library in _libraries(program)}):
            tar.add(library.resolve(), str(library).lstrip("/"))
        for path, content in (files or {}).items():
            _add_file(tar, path.lstrip("/"), content)
    return buffer.getvalue()


def _applets(busybox: Path) -> list[str]:
    listed = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True, timeout=10)
    return [applet for applet in listed.stdout.split() if applet != "busybox"]


def _libraries(program: Path) -> list[Path]:
    """Return the shared libraries a program loads, by the paths it looks for them at."""
    linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True, timeout=10)
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", linked.stdout)]


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o1777 if name == "tmp" else _EXECUTABLE
    tar.addfile(entry)


def add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    """Add a symbolic link to an archive."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _add_file(tar: tarfile.TarFile, name: str, content: str) -> None:
    data = content.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), _EXECUTABLE
    tar.addfile(entry, io.BytesIO(data))
