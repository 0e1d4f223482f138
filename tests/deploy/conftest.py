"""The project's own image, built once a session on the real engine."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.servers import programs
from tests.servers.base_image import TOOLS, base_rootfs
from tests.servers.docker import DockerEngine, run

if TYPE_CHECKING:  # it is a plugin of pytest, loaded after this file where only this folder is run
    from tests.servers.fixtures import Require

ROOT = Path(__file__).parents[2]
WHEELS = ROOT / ".venv" / "wheelhouse"
BASE = "hbot-triage-base:2"

# Compose 2 is the image's plugin. Where it cannot be had, tools/compose_two.sh has said so, and there is no image to try.
collect_ignore = [] if programs.find("docker-compose-2") else ["test_image.py"]


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """The image, and the engine that has it."""

    engine: DockerEngine
    tag: str
    version: str


def _context(folder: Path) -> Path:
    """Lay out a build context as a checkout has it, with the wheels the Dockerfile looks for."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    shutil.copytree(WHEELS, folder / "wheels")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def image(
    session_engine: DockerEngine, require: Require, tmp_path_factory: pytest.TempPathFactory
) -> BuiltImage:
    """Build the project's Dockerfile without a network, on a base of this machine's files."""
    busybox, docker, compose = require("busybox"), require("docker"), require("docker-compose-2")
    lacking = [str(path) for path in (*TOOLS, WHEELS) if not path.exists()]
    if lacking:
        pytest.skip(f"no {', '.join(lacking)}: the image cannot be built (make servers)")
    if not await session_engine.docker("image", "ls", "--quiet", BASE):
        base = base_rootfs(busybox, docker, compose)
        await session_engine.import_image(BASE, base, "ENV PATH=/usr/local/bin:/usr/bin:/bin", within=300)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    tag = f"hbot-triage:{version}"
    arguments = (f"BASE_IMAGE={BASE}", "PIP_NO_INDEX=1")
    words = [word for argument in arguments for word in ("--build-arg", argument)]
    context = _context(tmp_path_factory.mktemp("context"))
    # The builder without BuildKit: Debian's client has none, and the Dockerfile must build with either.
    await run(
        [str(programs.find("docker")), "build", "--network", "none", *words, "--tag", tag, context],
        env={**session_engine.env, "DOCKER_BUILDKIT": "0"},
        within=900,
    )
    return BuiltImage(session_engine, tag, version)
