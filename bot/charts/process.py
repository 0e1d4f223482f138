"""Charts drawn by a process of their own, one at a time: where that fails, the incident is told without."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from bot.sources.minute_csv.child_process import child, first_error
from bot.sources.minute_csv.child_protocol import framed
from triage.errors import SourceError
from triage.kpis.model import as_json
from triage.ports.charts import IncidentChart
from triage.ports.digests import DrawnPicture

THEME, SECONDS, NICE = "light", 20.0, 10


class ChartProcess:
    """Implements ``triage.ports.charts.Charts``."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._room = asyncio.Semaphore(1)

    async def draw(self, chart: IncidentChart) -> DrawnPicture:
        """Draw one chart. Raises SourceError with what its process said."""
        async with self._room:
            try:
                with tempfile.TemporaryDirectory(
                    prefix="hbot-triage-chart-", ignore_cleanup_errors=True
                ) as folder:
                    async with asyncio.timeout(self._seconds):
                        return await _drawn(chart, Path(folder) / "incident.png")
            except TimeoutError:
                raise SourceError("chart", f"it was not drawn within {self._seconds:g} s") from None
            except (OSError, ValueError, ExceptionGroup) as error:
                cause = first_error(error)
                if isinstance(cause, SourceError):
                    raise cause from error
                raise SourceError("chart", f"it could not be drawn: {cause}") from error


async def _drawn(chart: IncidentChart, path: Path) -> DrawnPicture:
    job = {"theme": THEME, "path": str(path), "incident": as_json(chart)}
    async with child("bot.charts", nice=NICE) as drawing:
        drawing.stdin.write(framed(json.dumps(job).encode()))
        await drawing.stdin.drain()
        drawing.stdin.close()
        answers = [json.loads(line) async for line in drawing.lines()]
        if await drawing.process.wait() or not answers:
            raise SourceError("chart", f"the drawing process ended: {drawing.last_errors}")
    if "error" in answers[0]:
        raise SourceError("chart", f"it could not be drawn: {answers[0]['error']}")
    return DrawnPicture(chart.number, answers[0]["alt"], await asyncio.to_thread(path.read_bytes))
