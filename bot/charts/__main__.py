"""``python -m bot.charts``: draws the pictures it is told to, one JSON line each on standard input.

In: ``{"theme": "light"|"dark", "path": FILE.png, "picture": {a BotPicture}}``. Out, a line each, in order:
``{"bot", "theme", "path", "alt"}``, or ``{"bot", "theme", "error"}`` where that picture could not be drawn.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from bot.charts.alt import alt_text
from bot.charts.day import render
from bot.charts.theme import THEMES
from triage.kpis.picture import BotPicture, Mark

_NICE = 5
_COMPRESSION = 3
"""zlib level: higher ones take longer than they save to upload."""


def decode(fields: dict[str, Any]) -> BotPicture:
    """Return the picture that ``as_json`` wrote. Raises TypeError for fields of another version."""
    fields["marks"] = tuple(Mark(**mark) for mark in fields["marks"])
    return BotPicture(**fields)


def draw(job: dict[str, Any]) -> dict[str, str]:
    """Draw one picture into its file; a file of that name is replaced only by a whole one."""
    picture = decode(job["picture"])
    path = Path(job["path"])
    unfinished = path.with_suffix(".part")
    render(picture, THEMES[job["theme"]]).save(unfinished, format="PNG", compress_level=_COMPRESSION)
    unfinished.replace(path)
    return {"bot": picture.bot, "theme": job["theme"], "path": str(path), "alt": alt_text(picture)}


def main() -> None:
    """Draw until standard input ends."""
    os.nice(_NICE)
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
