"""The doctor holds desk.yaml against the desk: what fits is said to fit, each difference is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands.init import prepare, write
from bot.doctor.desk import ask_desk
from bot.init.files import Asked
from bot.settings import load_settings
from tests.bot.init import desks
from triage.desk import Desk
from triage.desk_sections.bots import Bot


@pytest.fixture(params=[desks.first, desks.later, desks.third])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    """A desk whose desk.yaml was written by init."""
    lay_out: Callable[[Path], Path] = request.param
    root = lay_out(tmp_path / "desk")
    if (root / "env").is_dir():
        (root / "env" / ".env.template").write_text("A=\n", encoding="utf-8")
    for change in prepare(root, root / "out", Asked()).changes:
        write(change)
    return load_settings({}, folder=root / "out").desk


async def test_what_init_wrote_fits(desk: Desk) -> None:
    """Both layouts."""
    answer = await ask_desk(desk)
    assert (answer.state, answer.seen.split(":")[0]) in {
        ("ok", "fits docker-compose.yml"),
        ("ok", "fits compose.yaml"),
    }


async def test_each_difference_is_named(desk: Desk) -> None:
    """A service that is not there, a bot that is not named, a profile, the project, a container's name."""
    compose = desk.compose.model_copy(
        update={
            "monitoring_services": ("prometheus", "tempo"),
            "profiles": ("night",),
            "project": "other",
            "container_template": "x-{service}",
        }
    )
    wrong = desk.model_copy(update={"compose": compose, "bots": (Bot(name="bot1"),)})
    answer = await ask_desk(wrong)
    assert answer.state == "warning"
    for words in (
        "no service tempo",
        " of the compose file is not in bots",
        "no profile night",
        "compose.project says other",
    ):
        assert words in answer.seen
    assert "init" in answer.mend


async def test_names_of_containers_are_compared(desk: Desk) -> None:
    """Every action would look for the wrong container."""
    compose = desk.compose.model_copy(update={"container_template": "x-{service}"})
    answer = await ask_desk(desk.model_copy(update={"compose": compose}))
    assert "desk.yaml makes it x-" in answer.seen


async def test_a_folder_that_is_not_there_is_named(desk: Desk) -> None:
    """By its key in desk.yaml, beside what else does not fit."""
    paths = desk.paths.model_copy(update={"backups": Path("/nowhere/backups")})
    wrong = desk.model_copy(update={"paths": paths})
    assert (await ask_desk(wrong)).seen == "not there: paths.backups: /nowhere/backups"
    compose = desk.compose.model_copy(update={"profiles": ("night",)})
    answer = await ask_desk(wrong.model_copy(update={"compose": compose}))
    assert answer.seen.startswith("not there: paths.backups: /nowhere/backups")
    assert "no profile night" in answer.seen


async def test_a_redis_of_another_name_is_named(desk: Desk) -> None:
    """Its alerts and causes would be about a container that is not there."""
    compose = desk.compose.model_copy(update={"redis_service": "far-bus"})
    answer = await ask_desk(desk.model_copy(update={"compose": compose}))
    assert "the compose file has no service far-bus" in answer.seen


async def test_without_the_desks_folders_there_is_nothing_to_compare(tmp_path: Path) -> None:
    """The bot behind an agent has them not."""
    desk = Desk().model_copy(update={"paths": Desk().paths.under(tmp_path / "a" / "b")})
    assert (await ask_desk(desk)).state == "not configured"


async def test_a_project_that_only_compose_is_told_is_no_difference(tmp_path: Path) -> None:
    """Where no file names it, a name given with -p, or a folder with --project-directory, is desk.yaml's to say."""
    root = desks.lay_out(
        tmp_path / "desk", "services:\n  bot1: {image: 'hummingbot/hummingbot:x'}\n", "A=1\n", {}
    )
    (root / "env" / ".env.template").write_text("A=\n", encoding="utf-8")
    (root / "data").mkdir()
    paths = {
        "compose": root / "compose",
        "env": root / "env/.env",
        "data": root / "data",
        "backups": root / "backups",
    }
    words = ("docker", "compose", "--project-directory", "..")
    for compose in ({"project": "night"}, {"project": "desk", "command": words}):
        told = {"external_services": (), "monitoring_services": (), "profiles": (), **compose}
        template = f"{told['project']}-{{service}}-1"
        answer = await ask_desk(
            Desk.model_validate(
                {
                    "bots": [{"name": "bot1"}],
                    "paths": paths,
                    "compose": {**told, "container_template": template},
                }
            )
        )
        assert "the project is" not in answer.seen
        assert answer.state == "ok", answer.seen
