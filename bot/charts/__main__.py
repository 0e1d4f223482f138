"""``python -m bot.charts NICE [GATE]``: draws the pictures it is told to, one JSON object each on standard input.

In (each ``child_protocol.framed``): ``{"theme": "light"|"dark", "path": FILE.png, "picture": {a packed picture}}``, or
``"incident": {an IncidentChart}`` instead of the picture. Out, a line each, as they are done:
``{"bot", "theme", "path", "alt"}``, or ``{"bot", "theme", "error"}`` where that picture could not be drawn.
NICE (0 without it) is how nice to be to the other processes (0 to 19). GATE is the end of a pipe: when its other end is
closed, a second process draws too.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin  # noqa: F401 - what saves a PNG, imported before the forks

from bot.charts.alt import alt_text
from bot.charts.day import render
from bot.charts.jobs import SharedJobs
from bot.charts.theme import THEMES
from bot.sources.minute_csv.child_protocol import end_at_once
from triage.kpis.picture import unpacked_picture

_COLOURS, _APART = 256, 3
_COMPRESSION = 1
"""A palette and a low zlib level: half of the bytes to upload, in a fifth of the time that full colour takes."""


def answer_of(job: dict[str, Any]) -> dict[str, str]:
    """Draw one picture, and return the answer that tells of it."""
    theme, path = THEMES[job["theme"]], Path(job["path"])
    if "incident" in job:
        from bot.charts.incident import decode_incident, incident_alt, render_incident  # noqa: PLC0415 - no digest has one

        chart = decode_incident(job["incident"])
        image, bot, alt = render_incident(chart, theme), chart.number, incident_alt(chart)
    else:
        picture = unpacked_picture(job["picture"])
        image, bot, alt = render(picture, theme), picture.bot, alt_text(picture)
    save(_with_palette(image), path)
    return {"bot": bot, "theme": theme.name, "path": str(path), "alt": alt}


def _with_palette(image: Image.Image) -> Image.Image:
    """Return a picture in 256 colours."""
    return image.quantize(palette=_palette(image), dither=Image.Dither.NONE)


def _palette(image: Image.Image) -> Image.Image:
    """Return the colours of a picture, found on each third pixel both ways: that takes a tenth of the time."""
    sample = image.resize((image.width // _APART, image.height // _APART), Image.Resampling.NEAREST)
    return sample.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def save(image: Image.Image, path: Path) -> None:
    """Write a picture into its file; a file of that name is replaced only by a whole one.

    The suffix says that it is a PNG: Pillow imports four more formats, 10 ms, where ``format`` says so.
    """
    unfinished = path.with_suffix(".part.png")
    image.save(unfinished, compress_level=_COMPRESSION)
    unfinished.replace(path)


def _draw(jobs: SharedJobs) -> None:
    """Draw until no more jobs come. One picture's fault is told and costs none of the others."""
    while (sent := jobs.take()) is not None:
        job = json.loads(sent)
        try:
            answer = answer_of(job)
        except Exception as error:  # noqa: BLE001 - as said
            traceback.print_exc()
            answer = _failed(job, error)
        jobs.answer(json.dumps(answer))


def _failed(job: dict[str, Any], error: Exception) -> dict[str, str]:
    bot = str(job.get("picture", {}).get("bot", ""))
    return {"bot": bot, "theme": str(job.get("theme")), "error": f"{type(error).__name__}: {error}"}


def _fork(gates: list[int]) -> list[int]:
    """Make a process for each gate that draws too as soon as that is open; return their ids, none in those.

    A fork has in common with this process what was imported, and while it waits nearly all of its memory.
    """
    others: list[int] = []
    for gate in gates:
        other = os.fork()
        if not other:
            os.read(gate, 1)
            return []
        others.append(other)
    return others


def main() -> int:
    """Draw, with others for whom there is a gate; 1 where one of those ended badly."""
    nice, *gates = map(int, sys.argv[1:] or "0")
    os.nice(nice)
    jobs = SharedJobs()
    others = _fork(gates)
    _draw(jobs)
    ends = [os.waitpid(other, 0)[1] for other in others]
    return int(any(ends))


if __name__ == "__main__":
    end_at_once(main())
