"""The example files in a user's hands: they are read by the service itself, and leave nothing out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from dotenv import dotenv_values
from pydantic import BaseModel
from ruamel.yaml import YAML

from bot.settings import Settings, load_desk, load_settings
from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.desk_sections.roles import ActionPolicy, RoleSettings
from triage.desk_sections.triage import PlaybookSettings

ROOT = Path(__file__).parents[2]
DESK = ROOT / "deploy" / "desk.example.yaml"
ENV = ROOT / ".env.example"
ILLUSTRATED = {"roles", "actions", "playbooks"}
"""Parts of the file that show how something is written, where the default is to have nothing."""


def content() -> dict[str, Any]:
    """Read the example as plain data."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(DESK.read_text(encoding="utf-8"))
    return found


def keys_of(kind: type) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of a section, and of the sections in it."""
    if is_dataclass(kind):
        yield from ((field.name,) for field in fields(kind))
    elif issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield (name,)
            inner = field.annotation
            if isinstance(inner, type) and not get_args(inner):
                yield from ((name, *rest) for rest in keys_of(inner))


def holds(data: object, path: tuple[str, ...]) -> bool:
    """Return whether nested data has a key."""
    for name in path:
        if not isinstance(data, Mapping) or name not in data:
            return False
        data = data[name]
    return True


def test_the_example_desk_is_the_default_desk() -> None:
    """A value that drifted from the code's default would be a lie to whoever copies the file."""
    example = load_desk(str(DESK), ROOT)
    default = Desk().model_copy(update={"paths": Desk().paths.under(DESK.parent)})
    assert example.model_dump(exclude=ILLUSTRATED) == default.model_dump(exclude=ILLUSTRATED)
    assert example.model_fields_set == Desk.model_fields.keys()


def test_the_example_desk_shows_roles_and_actions_that_a_desk_would_have() -> None:
    """Who copies the examples gets an operator, and a rollback that two people confirm."""
    example = load_desk(str(DESK), ROOT)
    assert example.roles.operator.users
    assert example.roles.approver.groups
    assert example.policy("rollback") == ActionPolicy(role="operator", confirmations=2)
    assert example.playbooks == {}


@pytest.mark.parametrize("path", sorted(keys_of(Desk)), ids=".".join)
def test_the_example_desk_names_every_key(path: tuple[str, ...]) -> None:
    """A key that is not in the example can only be found by reading the code."""
    assert holds(content(), path)


def test_the_example_desk_names_every_key_of_what_is_listed() -> None:
    """The first bot, the roles and the actions show all that can be said of one."""
    data = content()
    assert data["bots"][0].keys() == Bot.model_fields.keys()
    assert data["roles"].keys() == RoleSettings.model_fields.keys()
    assert all(policy.keys() == ActionPolicy.model_fields.keys() for policy in data["actions"].values())


def test_the_commented_playbook_is_one_that_works(tmp_path: Path) -> None:
    """Taking the comment signs away gives a playbook with every key that the service accepts."""
    text = DESK.read_text(encoding="utf-8")
    head, _, rest = text.partition("playbooks: {}")
    lines = rest.splitlines()[1:]
    commented = [line[1:] for line in lines if re.match(r"#  +\w", line)]
    file = tmp_path / "desk.yaml"
    file.write_text(head + "playbooks:\n" + "\n".join(commented) + "\n", encoding="utf-8")
    [playbook] = load_desk(str(file), tmp_path).playbooks.values()
    assert playbook.model_fields_set == PlaybookSettings.model_fields.keys()


def test_the_example_desk_explains_its_values() -> None:
    """Only what says itself goes without a comment: names of streams, and amounts whose unit is in the key."""
    silent = [
        line
        for line in DESK.read_text(encoding="utf-8").splitlines()
        if re.match(r" *[a-z_]+: \S", line) and "#" not in line
    ]
    assert len(silent) <= 20, "\n".join(silent)


def test_the_example_environment_names_every_setting() -> None:
    """Each setting of the service stands there, and nothing that it would not read."""
    names = {name.upper() for name in Settings.model_fields if name != "desk"}
    assert dotenv_values(ENV).keys() == names


def test_every_setting_of_the_example_environment_is_explained() -> None:
    """The line above each setting is a comment."""
    lines = ENV.read_text(encoding="utf-8").splitlines()
    unexplained = [
        line for above, line in pairwise(lines) if re.match(r"[A-Z_]+=", line) and not above.startswith("#")
    ]
    assert unexplained == []


def test_the_example_environment_is_read_as_the_defaults(tmp_path: Path) -> None:
    """A copied .env that nobody filled in yet changes nothing, so the first complaint is the first missing token."""
    (tmp_path / ".env").write_text(ENV.read_text(encoding="utf-8"), encoding="utf-8")
    read = load_settings({}, folder=tmp_path)
    assert read.model_dump(exclude={"desk"}) == Settings().model_dump(exclude={"desk"})


def test_the_example_environment_holds_no_secret() -> None:
    """Nothing that a scanner would report, and nothing that somebody might keep as a password."""
    values = dotenv_values(ENV)
    filled = {name for name, value in values.items() if value}
    assert filled == {"TRIAGE_LISTEN", "TRIAGE_LOG_LEVEL", "TRIAGE_LOG_FORMAT"}
    assert not re.search(r"xox[bp]-\w|xapp-\w|://\w+:(?!password@)[^@\s/]+@", ENV.read_text(encoding="utf-8"))
