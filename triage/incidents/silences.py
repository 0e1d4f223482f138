"""A silence that hides an incident's alerts and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from triage.errors import BadInput
from triage.model import Episode, Source
from triage.ports.sources import Matcher

Matchers = tuple[Matcher, ...]

IDENTITY = ("bot", "name", "instance")
"""The labels that say where an alert is; the first that an alert has names its subject."""

LONGEST = timedelta(days=30)
SHORTEST = timedelta(minutes=1)
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d{1,5})\s*(m|min|h|d|w)[a-z]*", re.IGNORECASE)


def matchers_for(episodes: Sequence[Episode]) -> tuple[Matchers, ...]:
    """Return the silences that cover the firing alerts: one for each alert name and kind of subject.

    ``alertname="BotFrozen", bot=~"bot1|bot2"``: labels change (regime, pair), so only the name and the
    subject are matched. Empty when nothing from Alertmanager fires.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for episode in episodes:
        if not episode.firing or episode.source is not Source.ALERTMANAGER:
            continue
        name = episode.labels.get("alertname", episode.name)
        label = next((label for label in IDENTITY if episode.labels.get(label)), "")
        values = places.setdefault((name, label), [])
        if label and episode.labels[label] not in values:
            values.append(episode.labels[label])
    return tuple(_matchers(name, label, values) for (name, label), values in places.items())


def _matchers(name: str, label: str, values: Sequence[str]) -> Matchers:
    named = Matcher("alertname", name)
    if not label:
        return (named,)
    if len(values) == 1:
        return (named, Matcher(label, values[0]))
    return (named, Matcher(label, "|".join(_escape(value) for value in sorted(values)), is_regex=True))


def _escape(value: str) -> str:
    """Escape for RE2, which takes no escape before a character that means nothing."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)


def parse_duration(text: str) -> timedelta:
    """Return ``90m``, ``2h``, ``1d 12h``, ``1 week`` as a duration. Raises BadInput with the mend."""
    parts = _PART.findall(text.strip())
    if not parts or _PART.sub("", text).strip(" ,"):
        raise BadInput(f"{text.strip()[:40]!r} is no duration; write for instance 90m, 2h or 1d 12h")
    length = timedelta(seconds=sum(int(count) * _UNITS[unit[0].lower()] for count, unit in parts))
    if not SHORTEST <= length <= LONGEST:
        raise BadInput("a silence lasts between 1 minute and 30 days; write for instance 90m, 2h or 1d 12h")
    return length
