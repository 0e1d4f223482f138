"""The programs the tests start for real: where they are, and which Debian package brings them.

`python -m tests.servers.programs` prints the packages this machine lacks, for `tools/servers.sh`.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the names it may be installed under, the folders beside PATH to look in, its packages."""

    names: tuple[str, ...]
    packages: tuple[str, ...]
    folders: tuple[str, ...] = ()

    def find(self) -> Path | None:
        """Return the program's path, or None where it is not installed."""
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *self._folders()])
        found = (shutil.which(name, path=path) for name in self.names)
        return next((Path(program) for program in found if program), None)

    def _folders(self) -> list[str]:
        # The newest version first: PostgreSQL keeps one folder a version.
        return sorted((str(p) for f in self.folders for p in Path("/").glob(f.lstrip("/"))), reverse=True)


PROGRAMS = {
    "redis": Program(("redis-server",), ("redis-server",)),
    "redis-cli": Program(("redis-cli",), ("redis-tools",)),
    "prometheus": Program(("prometheus",), ("prometheus",)),
    "alertmanager": Program(("prometheus-alertmanager", "alertmanager"), ("prometheus-alertmanager",)),
    "node-exporter": Program(("prometheus-node-exporter", "node_exporter"), ("prometheus-node-exporter",)),
    "postgres": Program(("postgres",), ("postgresql",), ("/usr/lib/postgresql/*/bin",)),
    "dockerd": Program(("dockerd",), ("docker.io",)),
    "docker": Program(("docker",), ("docker.io",)),
    "docker-compose": Program(("docker-compose",), ("docker-compose",)),
    # Compose 2, from PyPI (tools/compose_two.sh): no package of Debian's.
    "docker-compose-2": Program(("docker-compose-2",), (), (f"{sys.prefix}/bin",)),
    "busybox": Program(("busybox",), ("busybox-static",)),
    "sqlite3": Program(("sqlite3",), ("sqlite3",)),
    "openssl": Program(("openssl",), ("openssl",)),
    "chromium": Program(("chromium", "chromium-browser", "google-chrome"), ("chromium",)),
}

FONTS = {
    # Without them the page's screenshots and the charts show boxes where Slack shows signs.
    "fonts-noto-core": Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf"),
    "fonts-noto-color-emoji": Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
}


def find(name: str) -> Path | None:
    """Return the path of the named program of PROGRAMS, or None where it is not installed."""
    return PROGRAMS[name].find()


def why_missing(name: str) -> str:
    """Say in one line what is not there and how to get it."""
    program = PROGRAMS[name]
    return f"{program.names[0]} is not installed (Debian: apt-get install {' '.join(program.packages)})"


def missing_packages() -> list[str]:
    """Return the Debian packages of everything that is not there, each once."""
    wanted = [package for p in PROGRAMS.values() if p.find() is None for package in p.packages]
    wanted += [package for package, file in FONTS.items() if not file.exists()]
    return list(dict.fromkeys(wanted))


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()))
