from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from bot.sources.minute_csv.child_process import child
from bot.sources.minute_csv.child_protocol import framed
from tests.bot.charts.test_pictures import picture_of
from tests.servers.process import eventually
from tests.triage.kpis.grids import filled
from triage.kpis.picture import packed_picture

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sources.minute_csv.child_process import Child

pytestmark = pytest.mark.slow


async def draw(drawing: Child, path: Path) -> dict[str, Any]:
    """Have one picture drawn, and return the answer."""
    job = {"theme": "light", "path": str(path), "picture": packed_picture(picture_of(filled(30)))}
    drawing.stdin.write(framed(json.dumps(job).encode()))
    await drawing.stdin.drain()
    async with asyncio.timeout(30):
        return dict(json.loads(await drawing.stdout.readline()))


async def forks_of(drawing: Child) -> list[psutil.Process]:
    """Return the processes that draw beside it, once there is one."""
    first = psutil.Process(drawing.process.pid)

    async def forked() -> bool:
        return bool(first.children())

    await eventually(forked, "a second process")
    return first.children()


async def ended(drawing: Child) -> bool:
    """Whether the first process is gone; ``wait`` would wait for the pipes, which its fork has too."""
    return drawing.process.returncode is not None


async def test_a_second_process_draws_once_its_gate_is_open(tmp_path: Path) -> None:
    """It goes on where the first one dies, even if that one waits for the next job and nobody else may take it then."""
    outer, gate = socket.socketpair()
    with outer, gate:
        async with child("bot.charts", gate.fileno()) as drawing:
            first = await draw(drawing, tmp_path / "first.png")
            await forks_of(drawing)
            os.kill(drawing.process.pid, signal.SIGKILL)
            # On a busy machine one that is dying still reads what is sent.
            await eventually(lambda: ended(drawing), "the end of the first one")
            outer.close()
            second = await draw(drawing, tmp_path / "second.png")
            drawing.stdin.close()
            assert await drawing.stdout.read() == b"", "the second one ends with its input"
    assert [first["path"], second["path"]] == [str(tmp_path / name) for name in ("first.png", "second.png")]
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


async def test_a_second_process_that_is_killed_is_told() -> None:
    """What it was about to draw is missing: the digest says why."""
    outer, gate = socket.socketpair()
    with outer, gate:
        async with child("bot.charts", gate.fileno()) as drawing:
            (fork,) = await forks_of(drawing)
            fork.kill()
            drawing.stdin.close()
            async with asyncio.timeout(30):
                assert await drawing.process.wait() == 1


async def test_no_process_is_left_behind() -> None:
    """One that still waits for its gate is killed together with the first one."""
    outer, gate = socket.socketpair()
    with outer, gate:
        async with child("bot.charts", gate.fileno()) as drawing:
            (fork,) = await forks_of(drawing)
    gone, alive = await asyncio.to_thread(psutil.wait_procs, [fork], 30)
    assert (gone, alive) == ([fork], [])
