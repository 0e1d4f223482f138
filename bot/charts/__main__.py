"""``python -m bot.charts``: draws the pictures it is told to, one JSON line each on standard input.

In: ``{"theme": "light"|"dark", "path": FILE.png, "picture": {a packed picture}}``, or ``"incident": {an IncidentChart}``
instead of the picture. Out, a line each, in order:
``{"bot", "theme", "path", "alt"}``, or ``{"bot", "theme", "error"}`` where that picture could not be drawn.
The one argument, if any, is how nice to be to the other processes (0 to 19).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from bot.charts.alt import alt_text
from bot.charts.day import render
from bot.charts.incident import incident_alt, render_incident
from bot.charts.theme import THEMES
from triage.kpis.picture import PictureMark, unpacked_picture
from triage.ports.charts import IncidentChart, Track

T = TypeVar("T")
_COLOURS = 256
_COMPRESSION = 1
"""A palette and a low zlib level: half of the bytes to upload, in a fifth of the time that full colour takes."""
_SWITCH_SECONDS = 0.0005
"""How long the thread that draws may keep the interpreter while the one that saves waits for it."""


def decode_incident(fields: dict[str, Any]) -> IncidentChart:
    """Return the chart that ``as_json`` wrote. Raises TypeError for fields of another version."""
    fields["marks"] = tuple(PictureMark(**mark) for mark in fields["marks"])
    fields["tracks"] = tuple(Track(**track) for track in fields["tracks"])
    return IncidentChart(**fields)


def draw(job: dict[str, Any]) -> tuple[Image.Image, dict[str, str]]:
    """Return one picture, and the answer that tells of it once it is in its file."""
    theme = THEMES[job["theme"]]
    about = {"theme": job["theme"], "path": job["path"]}
    if "incident" in job:
        chart = decode_incident(job["incident"])
        told = {"bot": chart.number, **about, "alt": incident_alt(chart)}
        return _with_palette(render_incident(chart, theme)), told
    picture = unpacked_picture(job["picture"])
    return _with_palette(render(picture, theme)), {"bot": picture.bot, **about, "alt": alt_text(picture)}


def _with_palette(image: Image.Image) -> Image.Image:
    """Return a picture in 256 colours, found on each second pixel both ways: that takes a quarter of the time."""
    sample = image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)
    palette = sample.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def save(image: Image.Image, path: Path) -> None:
    """Write a picture into its file; a file of that name is replaced only by a whole one."""
    unfinished = path.with_suffix(".part")
    image.save(unfinished, format="PNG", compress_level=_COMPRESSION)
    unfinished.replace(path)


def _attempt(work: Callable[[], T]) -> T | Exception:
    """Return what work gives, or why it failed: one picture's fault is told and must not cost the others."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - as said
        traceback.print_exc()
        return error


def _failed(job: dict[str, Any], error: Exception) -> dict[str, str]:
    bot = str(job.get("picture", {}).get("bot", ""))
    return {"bot": bot, "theme": str(job.get("theme")), "error": f"{type(error).__name__}: {error}"}


def _finish(job: dict[str, Any], drawn: tuple[Image.Image, dict[str, str]] | Exception) -> None:
    """Save a picture, and answer."""
    if isinstance(drawn, Exception):
        answer = _failed(job, drawn)
    else:
        image, answer = drawn
        error = _attempt(lambda: save(image, Path(job["path"])))
        answer = answer if error is None else _failed(job, error)
    print(json.dumps(answer), flush=True)  # noqa: T201 - standard output is this program's answer


def main() -> None:
    """Draw until standard input ends. One picture is saved while the next is drawn: zlib lets both go on at once."""
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    sys.setswitchinterval(_SWITCH_SECONDS)
    saving: Future[None] | None = None
    with ThreadPoolExecutor(1) as saver:
        for line in sys.stdin:
            job = json.loads(line)
            drawn = _attempt(partial(draw, job))
            if saving is not None:  # one that waits, and no more: pictures are large
                saving.result()
            saving = saver.submit(_finish, job, drawn)


if __name__ == "__main__":
    main()
