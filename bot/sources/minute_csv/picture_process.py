"""Pictures by a process of their own: whatever happens to it, the figures are told without them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import TYPE_CHECKING

from loguru import logger

from bot.sources.minute_csv.child_process import child, first_error
from bot.sources.minute_csv.child_protocol import framed
from triage.kpis.model import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.sources.minute_csv.child_process import Child


class PictureProcess:
    """Draws what is put into its queue until None comes; then ``drawn`` and ``problems`` are complete."""

    def __init__(self, folder: Path, themes: Sequence[str], *, seconds: float, nice: int = 0) -> None:
        self.jobs: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        self._pictures: list[Picture] = []
        self.problems: list[str] = []
        self._folder = folder
        self._themes = tuple(themes)
        self._seconds = seconds
        self._nice = nice
        self._measured = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None

    def finish(self) -> None:
        """Say that no more pictures come: from now on there are ``seconds`` to finish those that wait."""
        self.jobs.put_nowait(None)
        self._measured.set()
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._seconds)

    def drawn(self, bots: Sequence[str]) -> tuple[Picture, ...]:
        """Return the pictures in the order of the bots and themes, whichever was done first."""
        return tuple(
            sorted(
                self._pictures,
                key=lambda picture: (bots.index(picture.bot), self._themes.index(picture.theme)),
            )
        )

    async def run(self) -> None:
        """Draw. Never raises for a picture: what could not be drawn is told in ``problems``."""
        try:
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            outer, gate = socket.socketpair()
            with outer, gate:
                await self._draw(outer, gate)
        except TimeoutError:
            self._tell(f"pictures took longer than {self._seconds:g} s")
        except (OSError, ExceptionGroup) as error:
            self._tell(f"pictures could not be drawn: {first_error(error)}")

    async def _draw(self, outer: socket.socket, gate: socket.socket) -> None:
        async with (
            asyncio.timeout(None) as self._deadline,
            child("bot.charts", gate.fileno(), nice=self._nice) as drawing,
        ):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(drawing))
                tasks.create_task(self._open(outer))
                await self._receive(drawing)
            if await drawing.process.wait():
                self._tell(f"the drawing process ended: {drawing.last_errors}")

    async def _open(self, gate: socket.socket) -> None:
        """Let a second process draw once the processor and the memory of the measuring one are free."""
        await self._measured.wait()
        gate.close()

    async def _send(self, drawing: Child) -> None:
        while (job := await self.jobs.get()) is not None:
            bot, picture = job
            for theme in self._themes:
                name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{bot}-{theme}.png")
                head = json.dumps({"theme": theme, "path": str(self._folder / name)})[:-1]
                drawing.stdin.write(framed(head.encode() + b', "picture": ' + picture.strip() + b"}"))
            try:
                await drawing.stdin.drain()
            except ConnectionError:  # it died: its exit says so, and the rest of the queue has no taker
                return
        drawing.stdin.close()

    async def _receive(self, drawing: Child) -> None:
        async for line in drawing.lines():
            answer = json.loads(line)
            if "error" in answer:
                self._tell(f"picture of {answer['bot']} ({answer['theme']}): {answer['error']}")
            else:
                self._pictures.append(Picture(**answer))

    def _tell(self, problem: str) -> None:
        logger.bind(problem=problem).warning("digest without a picture")
        self.problems.append(problem)
