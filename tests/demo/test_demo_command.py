"""``hbot-triage demo`` as a command: its line, its errors, its end, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.demo.process import ROOT, Demo, launch, running_demo

pytestmark = pytest.mark.xdist_group("demo-command")


async def said(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run the command to its end: exit code, and all it said."""
    process = await launch(*arguments, env=env)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


async def test_list_names_every_scenario_with_its_story() -> None:
    """One line each, without starting anything."""
    code, text = await said("--scenario", "list")
    assert code == 0
    assert len(text.splitlines()) == 12
    assert "redis-dies" in text


async def test_an_unknown_scenario_gets_the_nearest_one() -> None:
    """Wrong usage, one line, and the name that was meant."""
    code, text = await said("--scenario", "redis-died")
    assert code == 2
    assert text.count("\n") == 1
    assert "did you mean redis-dies?" in text


async def test_a_port_in_use_is_one_line_with_the_mend() -> None:
    """It names the port, and how to choose another one."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, text = await said("--port", str(port))
    assert code == 1
    assert text.count("\n") == 1
    assert f"port {port} is in use" in text
    assert f"PORT={port + 1}" in text


async def test_a_folder_that_cannot_be_made_is_one_line_with_the_mend(tmp_path: Path) -> None:
    """TMPDIR (and every folder Python falls back to) taken away: said, with what to set."""
    gone = str(tmp_path / "gone")
    code = f"import tempfile, demo.main; tempfile.tempdir = {gone!r}; raise SystemExit(demo.main.run(port=0))"
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "TMPDIR" in done.stderr


async def test_the_production_start_imports_nothing_of_the_demo() -> None:
    """The service, its settings and its commands live without it."""
    found = "any(name.split('.')[0] == 'demo' for name in sys.modules)"
    code = f"import sys, bot.app, bot.service, bot.command_line.table; raise SystemExit({found})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    assert await asyncio.wait_for(process.wait(), 60) == 0


def left(folder: Path) -> list[Path]:
    """Return what lies in a folder."""
    return list(folder.iterdir())


def listening(demo: Demo) -> set[str]:
    """Return the addresses on which the demo and its children listen."""
    return {
        one.laddr.ip
        for process in demo.family()
        for one in process.net_connections(kind="inet")
        if one.status == psutil.CONN_LISTEN
    }


REAL_DESK = {"TRIAGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "SLACK_BOT_TOKEN": "xoxb-real"}
"""Settings of the user's real desk: they do not leak into the demo, or it would never have a desk."""


@pytest.mark.parametrize(
    ("signals", "settings"),
    [((signal.SIGINT, signal.SIGINT), {}), ((signal.SIGTERM,), REAL_DESK)],
    ids=["Ctrl-C twice", "SIGTERM beside a real desk's settings"],
)
async def test_a_signal_ends_it_all(
    tmp_path: Path, signals: tuple[signal.Signals, ...], settings: dict[str, str]
) -> None:
    """No child is left, no folder, no traceback; and while it ran, it listened on loopback alone."""
    async with running_demo("--scenario", "redis-dies", env={"TMPDIR": str(tmp_path), **settings}) as demo:
        await demo.ready()
        assert listening(demo) == {"127.0.0.1"}
        await ended(demo, *signals)
    assert not any(left(tmp_path))


async def ended(demo: Demo, *signals: signal.Signals) -> None:
    """End it by signals: at once, in good order, and with all that it had started."""
    family = demo.family()
    code, text = await demo.end(*signals)
    assert code == 0, text
    assert "Traceback" not in text
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not on PATH")
@pytest.mark.timeout(180)
async def test_real_servers_are_used_and_ended(tmp_path: Path) -> None:
    """REAL=1: Prometheus, Alertmanager and Redis of the machine run as children; none outlives one Ctrl-C."""
    async with running_demo(env={"REAL": "1", "TMPDIR": str(tmp_path)}) as demo:
        await demo.ready()
        names = {one.name() for one in demo.family()}
        assert {"prometheus", "redis-server"} <= names
        assert any(name.startswith("prometheus-a") for name in names)
        await ended(demo, signal.SIGINT)
    assert not any(left(tmp_path))
