"""Finds the playbook of a signal; the desk's overrides come first, and are checked at start."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from triage.actions.kinds import KINDS
from triage.desk import Desk, PlaybookSettings
from triage.diagnosis.checks import CHECKS
from triage.diagnosis.playbooks.model import PLACES, Playbook, places_of
from triage.diagnosis.playbooks.table import BY_NAME, BY_PREFIX, BY_SOURCE, DEFAULT
from triage.errors import SettingError
from triage.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterable


def playbook_for(desk: Desk, alertname: str, source: Source = Source.ALERTMANAGER) -> Playbook:
    """Return the playbook of a signal: by its name, by the longest prefix, by its source, or the default.

    ``playbooks`` of desk.yaml goes by the same names, with ``default`` for the default one.
    """
    shipped = _shipped(alertname, source)
    if shipped.name.startswith("Container"):
        shipped = _knowing_minor(shipped, desk.monitoring_containers)
    for name in dict.fromkeys((alertname, shipped.name)):
        settings = desk.playbooks.get(name)
        if settings is not None:
            return overridden(replace(shipped, name=name), settings)
    return shipped


@lru_cache(maxsize=64)
def _knowing_minor(playbook: Playbook, containers: frozenset[str]) -> Playbook:
    return replace(playbook, minor_containers=containers)


def _shipped(alertname: str, source: Source) -> Playbook:
    exact = BY_NAME.get(alertname)
    if exact is not None:
        return exact
    if source in BY_SOURCE:
        return BY_SOURCE[source]
    prefixes = [prefix for prefix in BY_PREFIX if alertname.startswith(prefix)]
    return BY_PREFIX[max(prefixes, key=len)] if prefixes else DEFAULT


def overridden(playbook: Playbook, settings: PlaybookSettings) -> Playbook:
    """Return the playbook with what the desk sets; raise SettingError where that makes no sense."""
    where = f"playbooks.{playbook.name}"
    _known(settings.checks or (), CHECKS, f"{where}.checks", "check")
    _known(settings.actions or (), KINDS, f"{where}.actions", "action")
    if settings.title is not None:
        _sound_title(settings.title, f"{where}.title")
    if settings.severity is not None:
        playbook = replace(playbook, minor_containers=frozenset())
    given = {name: value for name, value in settings if value is not None}
    if settings.actions is not None:
        given["only_actions"] = True
    return replace(playbook, **given)


def validate_playbooks(desk: Desk) -> None:
    """Raise SettingError for the first override of desk.yaml that makes no sense: for the start."""
    for name in desk.playbooks:
        playbook_for(desk, name)


def _known(names: Iterable[str], known: Iterable[str], where: str, what: str) -> None:
    choices = tuple(known)
    for name in names:
        if name not in choices:
            near = get_close_matches(name, choices, n=1)
            mend = f"did you mean {near[0]}?" if near else f"use one of {', '.join(choices)}"
            raise SettingError(f"{where}: {name!r} is no {what}; {mend}")


def _sound_title(title: str, where: str) -> None:
    mend = "use {subject} and {alert}, and double a brace that is meant as such"
    try:
        places = places_of(title)
    except ValueError as error:
        raise SettingError(f"{where}: {title!r} has braces that do not fit ({error}); {mend}") from error
    for place in places:
        if place not in PLACES:
            raise SettingError(f"{where}: {title!r} names {{{place}}}, which nobody fills; {mend}")
    try:
        title.format(subject="", alert="")
    except (ValueError, KeyError, IndexError) as error:
        raise SettingError(f"{where}: {title!r} cannot be filled ({error}); {mend}") from error
