"""Ids of people and groups in desk.yaml: what they look like, the chat says; whoever reads the file brings it along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

IDS = "chat_ids"
"""Where the context of a validation holds the ``ChatIds``; without it any id is taken."""
ONCALL = "oncall"
"""In a step's ``mention``: whoever is on call at that moment."""


@dataclass(frozen=True, slots=True)
class ChatIds:
    """How a chat writes the ids of people and groups, and where a person's id is found."""

    person: re.Pattern[str]
    group: re.Pattern[str]
    person_like: str
    group_like: str
    person_found: str


def _known(info: ValidationInfo) -> ChatIds | None:
    found = (info.context or {}).get(IDS)
    return found if isinstance(found, ChatIds) else None


def _person(value: str, info: ValidationInfo) -> str:
    ids = _known(info)
    if ids is not None and not ids.person.fullmatch(value):
        raise ValueError(f"{value!r} is no user's id; {ids.person_found}")
    return value


def _group(value: str, info: ValidationInfo) -> str:
    ids = _known(info)
    if ids is not None and value and not ids.group.fullmatch(value):
        raise ValueError(f"{value!r} is no user group's id; write {ids.group_like}")
    return value


def _mention(value: str, info: ValidationInfo) -> str:
    ids = _known(info)
    if ids is None or value == ONCALL or ids.person.fullmatch(value) or ids.group.fullmatch(value):
        return value
    raise ValueError(
        f"{value!r} is nobody who can be mentioned; write {ONCALL}, {ids.person_like} or {ids.group_like}"
    )


Person = Annotated[str, AfterValidator(_person)]
Group = Annotated[str, AfterValidator(_group)]
"""A group's id, or empty."""
Mention = Annotated[str, AfterValidator(_mention)]
"""``oncall``, a person or a group."""
