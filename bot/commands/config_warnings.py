"""What check-config warns of: what keeps nothing from starting and is hardly meant so, as a placeholder is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.settings import setting_names
from bot.slack_ids import CHANNEL, CHANNEL_LOWER, EXAMPLE, GROUP, PERSON
from triage.desk import Desk
from triage.wording import nearest

Level = Literal["fault", "missing", "warning"]
Place = tuple[str | int, ...]
"""Where something stands in desk.yaml: keys, and places in lists."""
_SURE = (
    r"change[-_ ]?me|replace[-_ ]?me|your[-_ ](?:token|secret|password|channel|id)\b|placeholder|\bfill[-_ ]?in\b"
    r"|<[a-z][a-z _-]*>|\bTODO\b|\bexample\.(?:com|org|net)\b"
)
_PLACEHOLDER = re.compile(_SURE, re.IGNORECASE)
_PLACEHOLDER_SETTING = re.compile(
    rf"{_SURE}|\byour[-_]|_your_|\.\.\.|…|\breplace\b|\.example\b|//user:password@|^\$\{{?\w+\}}?$|^x{{3,}}$"
    r"|^(?:xox[bp]|xapp)-(?:x{3,}|0+|(?:\w+-)?token)?$|^(?:my-?)?(?:secret|password|token)$",
    re.IGNORECASE,
)
"""A setting holds no prose: there three dots, or the word token alone, stand for what is to be filled in."""
_PROSE = frozenset({"title", "advice"})
_OURS = ("TRIAGE_", "SLACK_")
_FILL_IN = "still holds a placeholder: put the real value there"
_WHOLE_PCT = (
    "running_pct_min",
    "cancel_within_budget_pct_min",
    "fee_source_resolved_pct_min",
    "evidence_pct_min",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it is (a setting, or a key of desk.yaml), what is wrong with it, and the mend."""

    where: str
    what: str
    level: Level = "fault"


def of_desk(desk: Desk) -> Iterable[Problem]:
    """Yield what looks wrong in a desk.yaml, so far as it could be read."""
    for place, what in (*_placeholders(desk), *_ids(desk), *_shares(desk), *_bots(desk)):
        yield Problem(f"desk.yaml {place}", what, "warning")


def of_empty(desk: Desk) -> Iterable[Problem]:
    """Yield a warning where a desk.yaml without faults has no bot, or nobody who may press a button."""
    if not desk.bots:
        yield Problem("desk.yaml bots", "names none: add them, or leave the key out", "warning")
    roles = desk.roles
    if not roles.operator.users and not roles.operator.groups:
        yield Problem(
            "desk.yaml roles.operator",
            "names nobody, so nobody may press a button: add users or groups",
            "warning",
        )


def of_settings(given: Mapping[str, str]) -> Iterable[Problem]:
    """Yield placeholders and channels that are none, of settings by their lower-case names."""
    for name, value in given.items():
        if _PLACEHOLDER_SETTING.search(value) or EXAMPLE.fullmatch(value):
            yield Problem(name.upper(), _FILL_IN, "warning")
    for name in ("triage_channel", "triage_digest_channel"):
        value = given.get(name, "")
        if CHANNEL_LOWER.fullmatch(value):
            yield Problem(name.upper(), f"{value!r} is no channel's id: ids are in capitals", "warning")
        elif value and not CHANNEL.fullmatch(value):
            yield Problem(name.upper(), f"{value!r} is no channel: write its id (C…) or #name", "warning")


def misspelt(values: Mapping[str, str]) -> Iterable[Problem]:
    """Yield names that are nearly those of settings, or look like ours and are not."""
    known = [*setting_names(), *(f"{name}_FILE" for name in setting_names())]
    for name in sorted(set(values) - set(known)):
        near = nearest(name, known, 0.8)
        if near or name.startswith(_OURS):
            mend = f"did you mean {near}?" if near else "it is not read; .env.example lists all"
            yield Problem(name, f"is no setting: {mend}", "warning")


def _placeholders(desk: Desk) -> Iterable[tuple[str, str]]:
    for place, text in _texts(desk.model_dump(exclude_unset=True)):
        where = ".".join(map(str, place))
        if EXAMPLE.fullmatch(text):
            yield where, f"{text} is the example's id: put a real one there"
        elif _PLACEHOLDER.search(text) and not (place[0] == "playbooks" and place[-1] in _PROSE):
            yield where, _FILL_IN


def _texts(value: object, place: Place = ()) -> Iterable[tuple[Place, str]]:
    """Yield every text of desk.yaml, and where it stands; what has no order stands where the whole of it does."""
    if isinstance(value, (str, Path)):
        yield place, str(value)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, (*place, key))
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from _texts(part, (*place, number))
    elif isinstance(value, frozenset):
        for part in sorted(value):
            yield from _texts(part, place)


def _ids(desk: Desk) -> Iterable[tuple[str, str]]:
    user = "a user's id begins with U or W (profile, ⋮, Copy member ID)"
    group = "a user group's id begins with S (the group's address ends in it)"
    roles, people = desk.roles, desk.agent.people
    for place, ids, shape, like in (
        ("roles.operator.users", roles.operator.users, PERSON, user),
        ("roles.operator.groups", roles.operator.groups, GROUP, group),
        ("roles.approver.users", roles.approver.users, PERSON, user),
        ("roles.approver.groups", roles.approver.groups, GROUP, group),
        ("agent.people.operator", people.operator, PERSON, user),
        ("agent.people.approver", people.approver, PERSON, user),
    ):
        for one in sorted(ids):
            if not shape.fullmatch(one):
                yield place, f"{one!r} is no id: {like}"


def _shares(desk: Desk) -> Iterable[tuple[str, str]]:
    for name in _WHOLE_PCT:
        value = getattr(desk.kpis, name)
        if 0 < value <= 1:
            yield f"kpis.{name}", f"{value:g} is less than it looks: it is in percent, so 65 % is written 65"


def _bots(desk: Desk) -> Iterable[tuple[str, str]]:
    seen: dict[str, str] = {}
    for bot in desk.bots:
        other = seen.setdefault(bot.name.casefold(), bot.name)
        if other != bot.name:
            yield "bots", f"{other} and {bot.name} differ in capitals alone: commands cannot tell them apart"
