"""The last lines that a container wrote, as the engine keeps them: which to ask for, and how they are read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.sources.docker.frames import plain
from bot.sources.docker.questions import unix_time
from bot.sources.times import rfc3339
from triage.masking import masked_and_cut
from triage.ports.sources import LogLine, LogLines

MOST = 1_000
"""Lines of one container that are asked for."""
_LINE_MAX = 4_000
_READ_MAX = 1024 * 1024
"""Characters of all of them that are looked at: usual ones are a fifth of it."""
_READ_OF_A_LINE = 8_000


def asked(since: datetime) -> dict[str, str]:
    """Return the parameters of the engine's question: both streams, with their times, one line more than is kept."""
    wanted = {"since": unix_time(since), "tail": str(MOST + 1)}
    return {"stdout": "1", "stderr": "1", "timestamps": "1", **wanted}


def last_lines(body: bytes) -> LogLines:
    """Read the engine's answer: each line masked, oldest first. One without a time is left out, and that is said."""
    told = [line for line in plain(body).decode("utf-8", "replace").split("\n") if line.strip()]
    lines = [line for line in map(_line, _newest(told)) if line is not None]
    lines.sort(key=lambda line: line.at)
    return LogLines(tuple(lines), truncated=len(told) > len(lines))


def _newest(told: Sequence[str]) -> Sequence[str]:
    """Return the newest lines, as many as are looked at: a container may write lines made to be slow to mask."""
    room, kept = _READ_MAX, len(told)
    while kept and len(told) - kept < MOST:
        room -= min(len(told[kept - 1]), _READ_OF_A_LINE)
        if room < 0:
            break
        kept -= 1
    return told[kept:]


def _line(text: str) -> LogLine | None:
    stamp, _, said = text.partition(" ")
    try:
        at = rfc3339(stamp)
    except ValueError:
        return None
    return LogLine(at, masked_and_cut(said.rstrip("\r"), _LINE_MAX, read_at_most=_READ_OF_A_LINE), {})
