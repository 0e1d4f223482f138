"""desk.yaml, read: by the service, and by the agent, which needs nothing of playbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

from bot.fault_words import fault_of, yaml_fault
from bot.slack_ids import READ_WITH
from triage.desk import Desk
from triage.errors import SettingError

_ODD_SPACE = re.compile(r"""^[ ]*(?:-[ ]+)*[^\S \t\n\r]|^[^#'"]*?:[^\S \t\n\r]""", re.MULTILINE)
"""A space that is none to YAML, in the indentation or behind a colon: a no-break space, out of a web page or a chat."""


class _PlainConstructor(SafeConstructor):
    """Leaves dates as they are written: one that is none is a fault of its key, told with the others.

    A key that stands twice is noted in ``twice``, as where and what, and does not end the reading.
    """

    def __init__(self, preserve_quotes: bool | None = None, loader: YAML | None = None) -> None:  # noqa: FBT001 - ruamel's own
        super().__init__(preserve_quotes, loader)
        self.twice: list[str] = []

    def check_mapping_key(
        self,
        node: Node,  # noqa: ARG002 - ruamel's own
        key_node: Node,
        mapping: Mapping[object, object],
        key: object,
        value: object,  # noqa: ARG002 - ruamel's own
    ) -> bool:
        """Return whether a key is new."""
        if key not in mapping:
            return True
        mark = key_node.start_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}"
        self.twice.append(f"{place}: duplicate key {key}: keep one of the two")
        return False


_PlainConstructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def read_yaml(text: str) -> tuple[object, list[str]]:
    """Return what a desk.yaml holds, the first of each key, and every key that stands twice.

    Raises YAMLError, and ValueError for a number that is none or a space that is none.
    """
    if odd := _ODD_SPACE.search(text):
        line = text.count("\n", 0, odd.end() - 1) + 1
        raise ValueError(f"line {line}: a no-break space or its like; write plain spaces there")
    loader = YAML(typ="safe", pure=True)
    loader.Constructor = _PlainConstructor
    content: object = loader.load(text)
    return content, loader.constructor.twice


def _content(text: str) -> object:
    content, twice = read_yaml(text)
    if twice:
        raise ValueError(twice[0])
    return content if content is not None else {}


def why_unread(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without its path, which is told already."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8; save it as UTF-8"
    if isinstance(error, IsADirectoryError):
        return "it is a folder; put the file in its place"
    if isinstance(error, PermissionError):
        return "permission denied; mend its permissions"
    return (error.strerror or str(error)).lower()


def read_desk(path: str, folder: Path) -> Desk:
    """Read desk.yaml (its own folder is the root of its relative paths); the built-in desk without one."""
    if not path:
        desk = Desk()
        return desk.model_copy(update={"paths": desk.paths.under(folder)})
    file = (folder / path).resolve()
    try:
        content = _content(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingError(
            f"TRIAGE_DESK: there is no file {file}: write one from deploy/desk.example.yaml"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"TRIAGE_DESK: {file} cannot be read: {why_unread(error)}") from error
    except (YAMLError, ValueError) as error:
        raise SettingError(f"TRIAGE_DESK: {file} {yaml_fault(error)}") from error
    try:
        desk = Desk.model_validate(content, context=READ_WITH)
    except ValidationError as error:
        raise SettingError(f"TRIAGE_DESK: {file}: {one_line(error, upper=False)}") from None
    return desk.model_copy(update={"paths": desk.paths.under(file.parent)})


def one_line(error: ValidationError, *, upper: bool) -> str:
    """Return the first fault: where it is (``upper``: as a setting is written) and what is wrong."""
    where, reason = fault_of(error.errors(include_url=False, include_input=False)[0], upper=upper)
    more = error.error_count() - 1
    return f"{where}: {reason}" + (f" (and {more} more)" if more else "") if where else reason
