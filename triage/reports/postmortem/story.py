"""The timeline as people read it: what a loop repeats is one line, what people did stands out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.reports.postmortem.gather import StoryEvent
from triage.wording import counted

TURNS = 4
"""From so many times on, what repeats is told once."""
APART = timedelta(minutes=10)
"""A pause of this length ends a loop: what comes after it is another one."""
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line of the story. ``person``: somebody did it."""

    at: datetime
    who: str
    what: str
    person: bool


def story(moments: Sequence[StoryEvent]) -> list[StoryLine]:
    """Return the lines, oldest first: ``died by itself (exit code 1): 34 times 06:31-06:43``."""
    open_loops: dict[tuple[str, str], list[StoryEvent]] = {}
    loops: list[list[StoryEvent]] = []
    for moment in moments:
        if moment.who:
            loops.append([moment])
            continue
        key = (moment.source, _NUMBER.sub("#", moment.what))
        loop = open_loops.get(key)
        if loop is None or moment.at - loop[-1].at > APART:
            loop = open_loops[key] = []
            loops.append(loop)
        loop.append(moment)
    lines = [line for loop in loops for line in _story_lines(loop)]
    return sorted(lines, key=lambda line: line.at)


def _story_lines(loop: Sequence[StoryEvent]) -> list[StoryLine]:
    first, last = loop[0], loop[-1]
    if len(loop) < TURNS:
        return [StoryLine(one.at, one.who or one.source, one.what, bool(one.who)) for one in loop]
    span = f"{counted(len(loop), 'time')} {first.at:%H:%M}–{last.at:%H:%M}"  # noqa: RUF001 - a dash of a range
    return [StoryLine(first.at, first.source, f"{first.what}: {span}", person=False)]
