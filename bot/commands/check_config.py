"""``hbot-triage check-config``: every fault of the settings and of desk.yaml at once, without asking anybody.

A fault keeps the service from starting; a missing setting keeps it from running here; a warning does neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.error import YAMLError

from bot.desk_file import yaml_content
from bot.fault_words import fault_of, yaml_fault
from bot.settings import Settings, file_values, setting_names, setting_value
from bot.slack_ids import CHANNEL, EXAMPLE, GROUP, PERSON, READ_WITH
from triage.desk import Desk
from triage.diagnosis.playbook_settings import validate_playbooks
from triage.errors import SettingError
from triage.wording import nearest

Level = Literal["fault", "missing", "warning"]
_Place = tuple[str | int, ...]
"""Where something stands in desk.yaml: keys, and places in lists."""
_PLACEHOLDER = re.compile(
    r"change[-_ ]?me|replace[-_ ]?me|your[-_ ](?:token|secret|password|channel)|placeholder|\bfill[-_ ]?in\b"
    r"|xox[bp]-(?:your|\.\.\.|…|x{3,}|0+$)|xapp-(?:your|\.\.\.|…|x{3,}|0+$)|<[a-z][a-z _-]*>|\bTODO\b",
    re.IGNORECASE,
)
_OURS = ("TRIAGE_", "SLACK_")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it is (a setting, or a key of desk.yaml), what is wrong with it, and the mend."""

    where: str
    what: str
    level: Level = "fault"


@dataclass(frozen=True, slots=True)
class Checked:
    """The problems, the worst first, and the settings where they could be read."""

    problems: tuple[Problem, ...]
    settings: Settings | None = None

    @property
    def good(self) -> bool:
        """Nothing that keeps the service from starting."""
        return not any(problem.level == "fault" for problem in self.problems)

    def as_json(self) -> dict[str, object]:
        """Return ``{"good", "problems": [{"where", "what", "level"}], "facts"}``."""
        return {
            "good": self.good,
            "problems": [asdict(problem) for problem in self.problems],
            "facts": facts_of(self.settings) if self.settings is not None else {},
        }


def facts_of(settings: Settings) -> dict[str, object]:
    """Return what the settings come to, without a secret."""
    desk, slack = settings.desk, "none"
    if settings.slack_app_token.get_secret_value():
        slack = "socket"
    elif settings.slack_signing_secret.get_secret_value():
        slack = "http"
    return {
        "desk": desk.name,
        "bots": [bot.name for bot in desk.bots],
        "slack": slack,
        "channel": settings.triage_channel,
        "digest_channel": settings.digest_channel,
        "operators": len(desk.roles.operator.users) + len(desk.roles.operator.groups),
    }


def as_text(checked: Checked) -> str:
    """Return the answer for a person: the problems, then what the settings come to."""
    if not checked.good:
        head = "The settings are wrong."
    elif any(problem.level == "missing" for problem in checked.problems):
        head = "The settings are good as far as they go; the service cannot run with them yet."
    else:
        head = "The settings are good."
    lines = [head, *(f"  {one.level:<8} {one.where} {one.what}" for one in checked.problems)]
    for name, value in (facts_of(checked.settings) if checked.settings is not None else {}).items():
        lines.append(f"  {name:<15} {', '.join(value) if isinstance(value, list) else value}")
    return "\n".join(lines)


def check_config(environment: Mapping[str, str], folder: Path) -> Checked:
    """Check the settings of an environment and of the ``.env`` in a folder, and the desk.yaml they name."""
    try:
        from_file = file_values(folder)
    except SettingError as error:
        return Checked((_from(error),))
    values = {**from_file, **environment}
    given, problems = _given(values)
    problems += _misspelt({**from_file, **{k: v for k, v in environment.items() if k.startswith(_OURS)}})
    desk, of_desk = _desk(given.get("triage_desk", ""), folder)
    try:
        settings = Settings.model_validate({**given, **({"desk": desk} if desk is not None else {})})
    except ValidationError as error:
        problems += [Problem(where, what) for where, what in _faults(error, Settings, upper=True)]
        settings = None
    problems += [
        *of_desk,
        *_placeholders(given),
        *_channels(given),
        *((*_desk_ids(desk), *_desk_placeholders(desk)) if desk is not None else ()),
    ]
    if settings is not None:
        problems += [*_missing(settings), *(_nobody(desk) if desk is not None else ())]
    if desk is None:  # what the settings come to would be the built-in desk's
        settings = None
    order: dict[str, int] = {"fault": 0, "missing": 1, "warning": 2}
    return Checked(tuple(sorted(problems, key=lambda problem: order[problem.level])), settings)


def _given(values: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    given, problems = dict[str, str](), list[Problem]()
    for name in setting_names():
        try:
            value = setting_value(name, values)
        except SettingError as error:
            problems.append(_from(error))
            continue
        if value:
            given[name.lower()] = value
    return given, problems


def _misspelt(values: Mapping[str, str]) -> Iterable[Problem]:
    known = [*setting_names(), *(f"{name}_FILE" for name in setting_names())]
    for name in sorted(set(values) - set(known)):
        near = nearest(name, known, 0.8)
        if near or name.startswith(_OURS):
            mend = f"did you mean {near}?" if near else "it is not read; .env.example lists all"
            yield Problem(name, f"is no setting: {mend}", "warning")


def _desk(path: str, folder: Path) -> tuple[Desk | None, list[Problem]]:
    """Read desk.yaml with all its faults; the built-in desk where none is named."""
    if not path:
        return Desk(), []
    file = folder / path
    try:
        content = yaml_content(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, [Problem("TRIAGE_DESK", f"there is no file {file}: hbot-triage init writes one")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem("TRIAGE_DESK", f"{file} cannot be read: {error}")]
    except (YAMLError, ValueError) as error:
        return None, [Problem("TRIAGE_DESK", f"{file} {yaml_fault(error)}")]
    desk, faults = _validated(content if content is not None else {})
    if desk is None:
        return None, faults
    problems = [*faults, *_playbooks(desk)]
    return (None, [*problems, *_desk_ids(desk)]) if faults else (desk, problems)


def _playbooks(desk: Desk) -> Iterable[Problem]:
    for name in desk.playbooks:
        try:
            validate_playbooks(desk.model_copy(update={"playbooks": {name: desk.playbooks[name]}}))
        except SettingError as error:
            yield _from(error, "desk.yaml ")


def _validated(content: object) -> tuple[Desk | None, list[Problem]]:
    """Return the desk without its faulty parts, and all faults: those too that only show once others are mended."""
    found: list[Problem] = []
    taken: set[_Place] = set()
    content = deepcopy(content)
    while True:
        try:
            return Desk.model_validate(content, context=READ_WITH), found
        except ValidationError as error:
            errors = error.errors(include_url=False)
        faulty = taken | {one["loc"] for one in errors}
        told = [_told(one, Desk, upper=False) for one in errors if not _follows(one, taken, faulty)]
        problems = [Problem(f"desk.yaml {where}".strip(), what) for where, what in told]
        found += [one for one in problems if one not in found]
        places = {(*one["loc"], _part_named(one)) if _part_named(one) else one["loc"] for one in errors}
        if not _take_out(content, places, taken):
            return None, found


def _part_named(one: ErrorDetails) -> str:
    """Return the key that a fault of a whole part names first, as "bots: bot1 named more than once" does; else nothing."""
    name, colon, _ = fault_of(one, upper=False)[1].partition(": ")
    return name if one["type"] == "value_error" and colon and name.isidentifier() else ""


def _follows(one: ErrorDetails, taken: set[_Place], faulty: set[_Place]) -> bool:
    """Whether a fault only follows from another: a key that was taken out is missing, a list of faulty ones too short."""
    loc = one["loc"]
    return (one["type"] == "missing" and loc in taken) or (
        one["type"] == "too_short" and any(loc == each[:-1] for each in faulty)
    )


def _take_out(content: object, places: Iterable[_Place], taken: set[_Place]) -> bool:
    """Take each faulty place out, the last of a list first; where it is gone already, what holds it."""
    gone = False
    for place in sorted(places, key=lambda each: [str(part).zfill(9) for part in each], reverse=True):
        path = tuple(part for part in place if part != "[key]")
        while path and not _removed(content, path):
            path = path[:-1]
        taken.add(path)
        gone = gone or bool(path)
    return gone


def _removed(content: object, path: _Place) -> bool:
    here: Any = content
    for part in path[:-1]:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return False
    if isinstance(here, dict) and path[-1] in here:
        del here[path[-1]]
        return True
    if isinstance(here, list) and isinstance(path[-1], int) and path[-1] < len(here):
        del here[path[-1]]
        return True
    return False


def _faults(error: ValidationError, model: type[BaseModel], *, upper: bool) -> Iterable[tuple[str, str]]:
    """Yield each fault as where and what, in words of the file; a misspelt key gets the nearest one."""
    yield from (_told(one, model, upper=upper) for one in error.errors(include_url=False))


def _told(one: ErrorDetails, model: type[BaseModel], *, upper: bool) -> tuple[str, str]:
    where, what = fault_of(one, upper=upper)
    if one["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        near = nearest(str(one["loc"][-1]), _keys_at(model, one["loc"][:-1]))
        mend = f"did you mean {near}?" if near else _elsewhere(str(one["loc"][-1]), model)
        what = f"is no key there: {mend or 'look for a typing error'}"
    return where, what


def _elsewhere(key: str, model: type[BaseModel]) -> str:
    """Return where in desk.yaml a key of this name belongs; empty where it is nowhere, or in several places."""
    parts = [name for name in _keys_at(model, ()) if key in _keys_at(model, (name,))]
    places = [f"{part}.{key}" for part in parts] + ([key] if key in _keys_at(model, ()) else [])
    return f"there is {places[0]}" if len(places) == 1 else ""


def _keys_at(model: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """Return the keys that a part of desk.yaml has, by the path that leads to it; empty where it cannot be told."""
    schema = model.model_json_schema()
    here: Any = schema
    for step in path:
        part = _resolved(schema, here)
        here = part.get("properties", {}).get(step) or part.get("additionalProperties") or part.get("items")
        if not isinstance(here, dict):
            return []
    return list(_resolved(schema, here).get("properties", {}))


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and take the part of an optional one that is there."""
    options = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    if "$ref" in part:
        return _resolved(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    return _resolved(schema, options[0]) if options else part


def _missing(settings: Settings) -> Iterable[Problem]:
    for where, what in settings.missing():
        yield Problem(where, what, "missing")


def _nobody(desk: Desk) -> Iterable[Problem]:
    roles = desk.roles
    if not roles.operator.users and not roles.operator.groups:
        yield Problem(
            "desk.yaml roles.operator",
            "names nobody, so nobody may press a button: add users or groups",
            "warning",
        )


def _placeholders(given: Mapping[str, str]) -> Iterable[Problem]:
    for name, value in given.items():
        if _PLACEHOLDER.search(value) or EXAMPLE.fullmatch(value):
            yield Problem(name.upper(), "still holds a placeholder: put the real value there", "warning")


def _desk_placeholders(desk: Desk) -> Iterable[Problem]:
    for place, text in _texts(desk.model_dump(mode="json", exclude_unset=True)):
        if _PLACEHOLDER.search(text):
            where = ".".join(map(str, place))
            yield Problem(
                f"desk.yaml {where}", "still holds a placeholder: put the real value there", "warning"
            )


def _texts(value: object, place: _Place = ()) -> Iterable[tuple[_Place, str]]:
    """Yield every text of desk.yaml, and where it stands."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, (*place, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, (*place, number))


def _desk_ids(desk: Desk) -> Iterable[Problem]:
    for name, role in (("operator", desk.roles.operator), ("approver", desk.roles.approver)):
        for kind, ids, shape, like in (
            ("users", role.users, PERSON, "a user's id begins with U or W (profile, ⋮, Copy member ID)"),
            (
                "groups",
                role.groups,
                GROUP,
                "a user group's id begins with S (the group's address ends in it)",
            ),
        ):
            for one in sorted(ids):
                where = f"desk.yaml roles.{name}.{kind}"
                if EXAMPLE.fullmatch(one):
                    yield Problem(where, f"{one} is the example's id: put a real one there", "warning")
                elif not shape.fullmatch(one):
                    yield Problem(where, f"{one!r} is no id: {like}", "warning")


def _channels(given: Mapping[str, str]) -> Iterable[Problem]:
    for name in ("triage_channel", "triage_digest_channel"):
        value = given.get(name, "")
        if value and not CHANNEL.fullmatch(value):
            yield Problem(name.upper(), f"{value!r} is no channel: write its id (C…) or #name", "warning")


def _from(error: SettingError, prefix: str = "") -> Problem:
    where, _, what = str(error).partition(": ")
    return Problem(f"{prefix}{where}", what) if what else Problem("settings", where)
