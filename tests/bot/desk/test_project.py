"""What the project is called where nothing of it runs: by ``.env``, else by the files."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.desk.commands import HostCommands
from bot.desk.project import DeskProject
from triage.desk import Desk
from triage.errors import ComposeRefused


@dataclass
class Env:
    """``.env`` as the test says."""

    values: dict[str, str] = field(default_factory=dict)

    async def read(self) -> dict[str, str]:
        """Answer."""
        return self.values


async def has_image(_: str) -> bool:
    """No image is asked for here."""
    return False


async def name_of(folder: Path, *, files: tuple[str, ...] = (), env: dict[str, str] | None = None) -> str:
    """Return what the project in a folder is called."""
    desk = Desk.model_validate({"paths": {"compose": folder}, "compose": {"files": files} if files else {}})
    return await DeskProject(desk, HostCommands(), has_image, Env(env or {})).name()  # type: ignore[arg-type] # is only read


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: north-desk\nservices: {}\n", "north-desk"),
        ("services: {}\nname: 'north_desk'  # ours\n", "north_desk"),
        ('name: "${PROJECT:-north}"\nservices: {}\n', "north"),
        ("name: ${SIDE:-desk}-${ZONE:-x1} # ours\nservices: {}\n", "desk-west"),
        ("name: ${PROJECT:?must be set}\nservices: {}\n", ""),
        ("name: North Desk\nservices: {}\n", ""),
        ("services: {}\nnetworks:\n  inner:\n    name: other\n", ""),
        ("# name: other\nservices: {}\n", ""),
    ],
)
async def test_the_file_s_own_name_counts(tmp_path: Path, text: str, named: str) -> None:
    """A network's name is none of the project's; variables are filled from ``.env``; what Compose refuses is none."""
    (tmp_path / "docker-compose.yml").write_text(text)
    assert await name_of(tmp_path, env={"ZONE": "west"}) == named
    assert await name_of(tmp_path, env={"COMPOSE_PROJECT_NAME": "south"}) == "south"


async def test_of_several_files_the_last_that_has_a_name_gives_it(tmp_path: Path) -> None:
    """Those of desk.yaml, or of COMPOSE_FILE; one that is not there gives none."""
    for file, text in (("a.yml", "name: one\n"), ("b.yml", "name: two\n"), ("c.yml", "services: {}\n")):
        (tmp_path / file).write_text(text)
    assert await name_of(tmp_path, files=("a.yml", "b.yml", "c.yml", "gone.yml")) == "two"
    assert await name_of(tmp_path, env={"COMPOSE_FILE": "b.yml:a.yml"}) == "one"
    assert await name_of(tmp_path) == ""


SAYS = """#!/bin/sh
echo 'time="2026-02-20T10:00:00Z" level=warning msg="the attribute `version` is obsolete"' >&2
echo "couldn't find env file: /srv/desk.env" >&2
exit 14
"""


@pytest.mark.parametrize("question", ["hashes", "images", "taken_down"])
async def test_why_compose_does_not_take_the_files_is_told(question: str, tmp_path: Path) -> None:
    """Its own reason, without its warnings."""
    program = tmp_path / "compose"
    program.write_text(SAYS)
    program.chmod(0o755)
    desk = Desk.model_validate({"paths": {"compose": tmp_path}, "compose": {"command": [str(program)]}})
    project = DeskProject(desk, HostCommands(), has_image, Env())  # type: ignore[arg-type] # is only read
    asked = {
        "hashes": lambda: project.hashes(external=True),
        "images": lambda: project.images(external=True),
        "taken_down": project.taken_down,
    }[question]
    with pytest.raises(ComposeRefused, match=r"^couldn't find env file: /srv/desk.env$"):
        await asked()
