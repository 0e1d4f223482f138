"""Validates the playbooks of desk.yaml at the start, before any alert needs one."""

from __future__ import annotations

from collections.abc import Iterable

from triage.action_kinds import KINDS
from triage.desk import Desk
from triage.desk_sections.triage import PlaybookSettings
from triage.diagnosis.checks import CHECKS
from triage.errors import SettingError
from triage.playbooks.model import PLACES, places_of
from triage.wording import nearest


def validate_playbooks(desk: Desk) -> None:
    """Raise SettingError for the first override of desk.yaml that makes no sense."""
    for name, settings in desk.playbooks.items():
        _validate(f"playbooks.{name}", settings)


def _validate(where: str, settings: PlaybookSettings) -> None:
    _known(settings.checks or (), CHECKS, f"{where}.checks", "check")
    _known(settings.actions or (), KINDS, f"{where}.actions", "action")
    if settings.title is not None:
        _sound_title(settings.title, f"{where}.title")


def _known(names: Iterable[str], known: Iterable[str], where: str, what: str) -> None:
    choices = tuple(known)
    for name in names:
        if name not in choices:
            near = nearest(name, choices)
            mend = f"did you mean {near}?" if near else f"use one of {', '.join(choices)}"
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
