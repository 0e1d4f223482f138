"""``hbot-triage check-config``: every fault of the settings and of desk.yaml at once, without asking anybody.

A fault keeps the service from starting; a missing setting keeps it from running here; a warning does neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.error import YAMLError

from bot.commands.config_warnings import Place, Problem, misspelt, of_desk, of_empty, of_settings
from bot.commands.unknown_keys import key_fault
from bot.desk_file import read_yaml, why_unread
from bot.fault_words import part_named, yaml_fault
from bot.settings import Settings, file_values, setting_names, setting_value
from bot.slack_ids import READ_WITH
from triage.desk import Desk
from triage.desk_sections.paging import LACKING
from triage.diagnosis.playbook_settings import validate_playbooks
from triage.env_text import read_env
from triage.errors import SettingError


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
    unread = [problem.where for problem in problems]
    ours = {name: value for name, value in environment.items() if name.startswith(("TRIAGE_", "SLACK_"))}
    problems += [*misspelt({**from_file, **ours}), *_doubts(folder)]
    desk, faults = _desk(given.get("triage_desk", ""), folder)
    try:
        settings = Settings.model_validate({**given, **({"desk": desk} if desk is not None else {})})
    except ValidationError as error:
        problems += [Problem(where, what) for where, what in _faults(error, Settings, upper=True)]
        settings = None
    problems += [*faults, *of_settings(given)]
    if settings is not None:
        problems += [one for one in _missing(settings) if not any(one.where in where for where in unread)]
        problems += of_empty(desk) if desk is not None else ()
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


def _doubts(folder: Path) -> Iterable[Problem]:
    """Yield the lines of ``.env`` that are no setting, and the settings that stand there twice."""
    path = folder / ".env"
    if not path.is_file():
        return
    read = read_env(path.read_text(encoding="utf-8"))
    for doubt in read.doubts:
        yield Problem(".env", f"{doubt}: it is not read", "warning")
    for name in setting_names():
        if len(read.named(name)) > 1:
            yield Problem(name, "stands twice in .env: keep one of the two, the last one holds", "warning")


def _desk(path: str, folder: Path) -> tuple[Desk | None, list[Problem]]:
    """Read desk.yaml with all its faults; the built-in desk where none is named."""
    if not path:
        return Desk(), []
    file = folder / path
    try:
        content, twice = read_yaml(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, [Problem("TRIAGE_DESK", f"there is no file {file}: hbot-triage init writes one")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem("TRIAGE_DESK", f"{file} cannot be read: {why_unread(error)}")]
    except (YAMLError, ValueError) as error:
        return None, [Problem("TRIAGE_DESK", f"{file} {yaml_fault(error)}")]
    desk, faults = _validated(content if content is not None else {})
    faults += [Problem("desk.yaml", one) for one in twice]
    if desk is None:
        return None, faults
    return (None if faults else desk), [*faults, *_playbooks(desk), *of_desk(desk)]


def _playbooks(desk: Desk) -> Iterable[Problem]:
    for name in desk.playbooks:
        try:
            validate_playbooks(desk.model_copy(update={"playbooks": {name: desk.playbooks[name]}}))
        except SettingError as error:
            yield _from(error, "desk.yaml ")


def _validated(content: object) -> tuple[Desk | None, list[Problem]]:
    """Return the desk without its faulty parts, and all faults: those too that only show once others are mended."""
    found: list[Problem] = []
    taken: set[Place] = set()
    content = deepcopy(content)
    while True:
        try:
            return Desk.model_validate(content, context=READ_WITH), found
        except ValidationError as error:
            errors = error.errors(include_url=False)
        faulty = taken | {one["loc"] for one in errors}
        words = [key_fault(one, Desk, upper=False) for one in errors if not _follows(one, taken, faulty)]
        problems = [Problem(f"desk.yaml {where}".strip(), what) for where, what in words]
        found += [one for one in problems if one not in found]
        places = {(*one["loc"], *filter(None, [part_named(one)])) for one in errors}
        if not _take_out(content, places, taken):
            return None, found


def _follows(one: ErrorDetails, taken: set[Place], faulty: set[Place]) -> bool:
    """Whether a fault only follows from another: a key that was taken out is missing, a list of faulty ones too short."""
    loc = one["loc"]
    if one["type"] == LACKING:
        return any(loc == each[: len(loc)] for each in taken)
    return (one["type"] == "missing" and loc in taken) or (
        one["type"] == "too_short" and any(loc == each[:-1] for each in faulty)
    )


def _take_out(content: object, places: Iterable[Place], taken: set[Place]) -> bool:
    """Take each faulty place out, the last of a list first; where it is gone already, what holds it."""
    gone = False
    for place in sorted(places, key=lambda each: [str(part).zfill(9) for part in each], reverse=True):
        path = tuple(part for part in place if part != "[key]")
        while path and not _removed(content, path):
            path = path[:-1]
        taken.add(path)
        gone = gone or bool(path)
    return gone


def _removed(content: object, path: Place) -> bool:
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
    yield from (key_fault(one, model, upper=upper) for one in error.errors(include_url=False))


def _missing(settings: Settings) -> Iterable[Problem]:
    for where, what in settings.missing():
        yield Problem(where, what, "missing")


def _from(error: SettingError, prefix: str = "") -> Problem:
    where, _, what = str(error).partition(": ")
    return Problem(f"{prefix}{where}", what) if what else Problem("settings", where)
