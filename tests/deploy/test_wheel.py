"""The wheel holds everything, and the demo works from it in an empty folder."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.servers.http import plain_client

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "demo", "handlers", "schedules", "triage")

pytestmark = pytest.mark.xdist_group("wheel")  # it is built once


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what is tracked."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in _tracked(*PACKAGES, "pyproject.toml", "README.md", "LICENSE"):
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((ROOT / name).read_bytes())
    command = "-m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir"
    subprocess.run(
        [sys.executable, *command.split(), str(out), str(source)],
        check=True,
        timeout=120,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def _tracked(*places: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *places],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Templates, pages and migrations too."""
    held = set(zipfile.ZipFile(wheel).namelist())
    assert [name for name in _tracked(*PACKAGES) if name not in held] == []


async def test_the_demo_works_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """Nothing of the checkout is needed: the page and then the desk come up, and it is the wheel's code that runs."""
    site, empty = tmp_path / "site", tmp_path / "empty"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    empty.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLACK_", "TRIAGE_", "PYTHON"))
    }
    environment |= {"PYTHONPATH": str(site), "PYTHONUNBUFFERED": "1"}
    found = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import bot; print(bot.__file__)"),
        cwd=empty,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert (await found.communicate())[0].decode().strip() == str(site / "bot" / "__init__.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot.cli", "demo", "--port", "0"),
        cwd=empty,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        address = await asyncio.wait_for(_address(process), 120)
        async with plain_client(timeout=20, follow_redirects=True) as http:
            page = await http.get(address)
            await asyncio.wait_for(_until_the_desk_is_up(http, address, process), 120)
        assert page.status_code == 200
        assert "desk" in page.text
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 60)


async def _until_the_desk_is_up(
    http: httpx.AsyncClient, address: str, process: asyncio.subprocess.Process
) -> None:
    while not (await http.get(f"{address}panel/state")).json()["ready"]:
        assert process.returncode is None
        await asyncio.sleep(0.2)


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    said = ""
    async for line in process.stdout:
        said += line.decode()
        found = re.search(r"http://127\.0\.0\.1:\d+\S*", line.decode())
        if found:
            return found[0]
    raise AssertionError(f"the demo ended without an address:\n{said}")
