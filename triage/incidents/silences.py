"""A silence that hides an incident's alerts and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from triage.errors import BadInput
from triage.incidents.bot_labels import names_nobody
from triage.incidents.series_labels import of_series
from triage.incidents.subjects import IDENTITY, OF_COMPOSE, is_container
from triage.masking import masked_where_cut
from triage.model import Episode, Source
from triage.ports.sources import Matcher

Matchers = tuple[Matcher, ...]

LONGEST = timedelta(days=30)
SHORTEST = timedelta(minutes=1)
_OF_CONTAINER = ("pod", *OF_COMPOSE)
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d{1,5})\s*(m|min|h|d|w)[a-z]*", re.IGNORECASE)


def matchers_for(episodes: Sequence[Episode]) -> tuple[Matchers, ...]:
    """Return the silences that cover the firing alerts: one for each alert name and kind of subject.

    ``alertname="BotFrozen", bot=~"bot1|bot2"``: labels change (regime, pair), so only the name and what identifies
    the subject is matched. ``job="node", bot=""``: an alert with a label that this one lacks may be about something
    else, and is not hidden. An alert that nothing identifies is left out: a silence of its name would hide that of
    others. Empty when nothing is left.
    """
    places: dict[tuple[str, str, Matchers], list[str]] = {}
    for episode in _firing(episodes):
        labels = identifying(episode.labels)
        if not labels:
            continue
        first, *rest = labels
        further = tuple(Matcher(label, episode.labels[label]) for label in rest)
        further += tuple(Matcher(label, "") for label in lacking(episode.labels))
        values = places.setdefault((_name(episode), first, further), [])
        if episode.labels[first] not in values:
            values.append(episode.labels[first])
    return tuple(
        (Matcher("alertname", name), _matcher(label, values), *further)
        for (name, label, further), values in places.items()
    )


def unidentified(episodes: Sequence[Episode]) -> tuple[str, ...]:
    """Return the names of firing alerts whose labels do not say what they are about."""
    return tuple(dict.fromkeys(one.name for one in _firing(episodes) if not identifying(one.labels)))


def identifying(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the labels that say what an alert is about: of the first kind in ``IDENTITY``, all it has.

    A systemd unit, the path of a control group or the exporter's own container is on every host: it is matched together
    with the host. Containers of one name are in many pods, and of many services.
    """
    bot, container, place = (tuple(label for label in group if labels.get(label)) for group in IDENTITY)
    named = bot and not names_nobody(labels[bot[0]])
    if named or (container and container[0] in of_series(labels) and is_container(labels[container[0]])):
        return bot if named else (*container, *(label for label in _OF_CONTAINER if labels.get(label)), *bot)
    return (*place, *container, *bot) if place else ()


def lacking(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the labels that an alert lacks, and with which it would be about something else."""
    has = identifying(labels)
    bot, container, place = IDENTITY
    if has[:1] == bot:
        return ()
    of_container = has and has[0] in container
    asked = (*bot, *container, *_OF_CONTAINER) if of_container else (*bot, *container, *place)
    return tuple(label for label in asked if label not in has)


def described(matchers: Matchers) -> str:
    """Return a silence for people: ``alertname="Down", job="node", and no label bot, name``."""
    given = [str(each) for each in matchers if each.value or each.name == "alertname"]
    empty = [each.name for each in matchers if not each.value and each.name != "alertname"]
    if not set(OF_COMPOSE).isdisjoint(empty):
        empty = [*(name for name in empty if name not in OF_COMPOSE), "of Compose"]
    return ", ".join([*given, *([f"and no label {', '.join(empty)}"] if empty else [])])


def hidden_by(silences: Sequence[Matchers], others: Sequence[Episode]) -> tuple[Episode, ...]:
    """Return which other firing alerts some silences would hide as well."""
    return tuple(one for one in _firing(others) if hides(silences, one.labels, _name(one)))


def hides(silences: Sequence[Matchers], labels: Mapping[str, str], name: str) -> bool:
    """Tell whether any of some silences covers an alert of that name and those labels."""
    return any(all(_fits(each, labels, name) for each in matchers) for matchers in silences)


def _firing(episodes: Sequence[Episode]) -> list[Episode]:
    return [one for one in episodes if one.firing and one.source is Source.ALERTMANAGER]


def _name(episode: Episode) -> str:
    return episode.labels.get("alertname", "")


def _fits(matcher: Matcher, labels: Mapping[str, str], name: str) -> bool:
    value = name if matcher.name == "alertname" else labels.get(matcher.name, "")
    if matcher.is_regex:  # made by ``_matcher``: plain values, escaped
        return re.fullmatch(matcher.value, value) is not None
    return value == matcher.value


def _matcher(label: str, values: Sequence[str]) -> Matcher:
    if len(values) == 1:
        return Matcher(label, values[0])
    return Matcher(label, "|".join(_escape(value) for value in sorted(values)), is_regex=True)


def _escape(value: str) -> str:
    """Escape for RE2, which takes no escape before a character that means nothing."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)


def parse_duration(text: str) -> timedelta:
    """Return ``90m``, ``2h``, ``1d 12h``, ``1 week`` as a duration. Raises BadInput with the mend."""
    parts = _PART.findall(text.strip())
    if not parts or _PART.sub("", text).strip(" ,"):
        raise BadInput(
            f"{masked_where_cut(text.strip(), 40)!r} is no duration; write for instance 90m, 2h or 1d 12h"
        )
    length = timedelta(seconds=sum(int(count) * _UNITS[unit[0].lower()] for count, unit in parts))
    if not SHORTEST <= length <= LONGEST:
        raise BadInput("a silence lasts between 1 minute and 30 days; write for instance 90m, 2h or 1d 12h")
    return length
