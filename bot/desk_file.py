"""desk.yaml, read: by the service, and by the agent, which needs nothing of playbooks."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from bot.fault_words import fault_of, yaml_fault
from bot.slack_ids import READ_WITH
from triage.desk import Desk
from triage.errors import SettingError


class _PlainConstructor(SafeConstructor):
    """Leaves dates as they are written: one that is none is a fault of its key, told with the others."""


_PlainConstructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def yaml_content(text: str) -> object:
    """Return what a desk.yaml holds. Raises YAMLError, and ValueError for a number that is none."""
    loader = YAML(typ="safe", pure=True)
    loader.Constructor = _PlainConstructor
    return loader.load(text)


def read_desk(path: str, folder: Path) -> Desk:
    """Read desk.yaml (its own folder is the root of its relative paths); the built-in desk without one."""
    if not path:
        desk = Desk()
        return desk.model_copy(update={"paths": desk.paths.under(folder)})
    file = (folder / path).resolve()
    try:
        content = yaml_content(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(
            f"TRIAGE_DESK: there is no file {file}: write one from deploy/desk.example.yaml"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"TRIAGE_DESK: {file} cannot be read: {error}") from error
    except (YAMLError, ValueError) as error:
        raise SettingError(f"TRIAGE_DESK: {file} {yaml_fault(error)}") from error
    try:
        desk = Desk.model_validate(content if content is not None else {}, context=READ_WITH)
    except ValidationError as error:
        raise SettingError(f"TRIAGE_DESK: {file}: {one_line(error, upper=False)}") from None
    return desk.model_copy(update={"paths": desk.paths.under(file.parent)})


def one_line(error: ValidationError, *, upper: bool) -> str:
    """Return the first fault: where it is (``upper``: as a setting is written) and what is wrong."""
    where, reason = fault_of(error.errors(include_url=False, include_input=False)[0], upper=upper)
    more = error.error_count() - 1
    return f"{where}: {reason}" + (f" (and {more} more)" if more else "") if where else reason
