"""``python -m bot.charts``: draws the pictures it is told to, one JSON line each on standard input.

In: ``{"theme": "light"|"dark", "path": FILE.png, "picture": {a BotPicture}}``, or ``"incident": {an IncidentChart}``
instead of the picture. Out, a line each, in order:
``{"bot", "theme", "path", "alt"}``, or ``{"bot", "theme", "error"}`` where that picture could not be drawn.
The one argument, if any, is how nice to be to the other processes (0 to 19).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from PIL import Image

from bot.charts.alt import alt_text
from bot.charts.day import render
from bot.charts.incident import incident_alt, render_incident
from bot.charts.theme import THEMES
from triage.kpis.picture import BotPicture, PictureMark
from triage.ports.charts import IncidentChart, Track

_COLOURS = 256
_COMPRESSION = 1
"""A palette and a low zlib level: half of the bytes to upload, in a fifth of the time that full colour takes."""


def decode(fields: dict[str, Any]) -> BotPicture:
    """Return the picture that ``as_json`` wrote. Raises TypeError for fields of another version."""
    fields["marks"] = tuple(PictureMark(**mark) for mark in fields["marks"])
    return BotPicture(**fields)


def decode_incident(fields: dict[str, Any]) -> IncidentChart:
    """Return the chart that ``as_json`` wrote. Raises TypeError for fields of another version."""
    fields["marks"] = tuple(PictureMark(**mark) for mark in fields["marks"])
    fields["tracks"] = tuple(Track(**track) for track in fields["tracks"])
    return IncidentChart(**fields)


def draw(job: dict[str, Any]) -> dict[str, str]:
    """Draw one picture into its file; a file of that name is replaced only by a whole one."""
    path = Path(job["path"])
    if "incident" in job:
        chart = decode_incident(job["incident"])
        _save(render_incident(chart, THEMES[job["theme"]]), path)
        return {"bot": chart.number, "theme": job["theme"], "path": str(path), "alt": incident_alt(chart)}
    picture = decode(job["picture"])
    _save(render(picture, THEMES[job["theme"]]), path)
    return {"bot": picture.bot, "theme": job["theme"], "path": str(path), "alt": alt_text(picture)}


def _save(image: Image.Image, path: Path) -> None:
    unfinished = path.with_suffix(".part")
    # The palette is made of each second pixel both ways, which takes a quarter of the time and finds the same colours.
    sample = image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)
    palette = sample.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small = image.quantize(palette=palette, dither=Image.Dither.NONE)
    small.save(unfinished, format="PNG", compress_level=_COMPRESSION)
    unfinished.replace(path)


def main() -> None:
    """Draw until standard input ends."""
    os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = draw(job)
        except Exception as error:  # noqa: BLE001 - one picture's fault is told and must not cost the others
            traceback.print_exc()
            bot = str(job.get("picture", {}).get("bot", ""))
            answer = {"bot": bot, "theme": str(job.get("theme")), "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201 - standard output is this program's answer


if __name__ == "__main__":
    main()
