"""A base for the project's own Dockerfile, made of this machine's files: no registry is needed.

It holds what the Dockerfile asks of its base: a shell and the small tools, Python with ``venv`` and pip, ``useradd``, and
the clients ``docker`` and ``docker compose``. Its Python is the one that runs the tests, at ``/usr/local``.
"""

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tests.servers.images import add_link, rootfs

PREFIX = "usr/local"
PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
TOOLS = (Path("/usr/sbin/useradd"), Path("/usr/bin/install"))
"""What the Dockerfile calls and busybox has not."""
_ETC = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/etc/group": "root:x:0:\n",
    "/etc/shadow": "root:*:1::::::\n",
    "/etc/gshadow": "root:*::\n",
    "/etc/login.defs": "UID_MAX 60000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n",
}
_NATIVE = {
    "_bz2",
    "_crypt",
    "_ctypes",
    "_decimal",
    "_hashlib",
    "_lzma",
    "_sqlite3",
    "_ssl",
    "_uuid",
    "pyexpat",
    "zlib",
}
"""Modules of Python's own that are linked to libraries; of the locked packages greenlet is, to that of C++."""
_C_LIBRARY = ("dl", "pthread", "rt", "util", "resolv", "nss_dns", "nss_files")
"""Parts of the C library that wheels are linked to by these names."""
_LEFT_OUT = {
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "__pycache__",
}


def base_rootfs(busybox: Path, docker: Path, compose: Path) -> bytes:
    """Return a tar of the base's root folder."""
    modules = Path(sysconfig.get_path("stdlib"))
    python = Path(sys.executable).resolve()
    natives = (path for path in modules.glob("lib-dynload/*.so") if path.name.partition(".")[0] in _NATIVE)
    linked = _libraries([python, *natives, *_site_packages().glob("greenlet/_greenlet*.so")])
    buffer = io.BytesIO(rootfs(busybox, files=_ETC, programs=TOOLS))
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        there = set(tar.getnames())
        tar.add(python, f"{PREFIX}/bin/{modules.name}")
        for name in ("python", "python3"):
            add_link(tar, f"{PREFIX}/bin/{name}", modules.name)
        tar.add(modules, f"{PREFIX}/lib/{modules.name}", filter=_needed)
        for part in _site_packages().glob("pip*"):
            tar.add(part, f"{PREFIX}/lib/{modules.name}/site-packages/{part.name}", filter=_needed)
        for library in linked:
            place = _place(library)
            if place not in there:
                tar.add(library.resolve(), place)
                there.add(place)
        tar.add(docker.resolve(), "usr/bin/docker")
        tar.add(compose.resolve(), PLUGIN)
    return buffer.getvalue()


def _site_packages() -> Path:
    return Path(sysconfig.get_path("purelib"))


def _needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = 0
    name = Path(entry.name).name
    return None if name in _LEFT_OUT or name.startswith("config-") else entry


def _libraries(programs: Iterable[Path]) -> list[Path]:
    """Return the libraries that programs and modules load and do not bring along, by the paths they are found at."""
    words = ["ldd", *map(str, programs)]
    told = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120).stdout
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", told)}
    found |= {
        part
        for path in found
        if path.name.startswith("libc.so")
        for name in _C_LIBRARY
        for part in path.parent.glob(f"lib{name}.so.?")
    }
    return sorted(path for path in found if not path.is_relative_to(_site_packages()))


def _place(library: Path) -> str:
    """Return where the loader finds a library: a system's own stays, one beside a Python elsewhere goes to ``/lib``."""
    system = (
        library.is_relative_to("/lib")
        or library.is_relative_to("/lib64")
        or library.is_relative_to("/usr/lib")
    )
    return str(library).lstrip("/") if system else f"lib/{library.name}"
