"""init on layouts that Compose allows and the first desk has not: includes, long mounts, resets, other folders."""

import os
from pathlib import Path

import pytest

from bot.init.live import LiveDesk
from bot.init.look import look
from bot.init.plan import plan
from tests.bot.init.test_init import made
from tests.bot.init.test_live import labelled


def written(root: Path, files: dict[str, str]) -> Path:
    """Write a desk's files below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


INCLUDED = {
    "docker-compose.yml": "name: ${DESK:-lark}\ninclude:\n  - stacks/bots/compose.yml\nservices:\n"
    "  redis: {image: 'redis:7', profiles: ['${WITH_BUS:+bus}'], "
    "command: redis-server /etc/redis.conf, ports: [{target: 6379, published: '${BUS_PORT}'}]}\n",
    "stacks/bots/compose.yml": "services:\n"
    "  alpha:\n    image: hummingbot/hummingbot:version-2.9.0\n    container_name: lark-alpha\n    volumes:\n"
    "      - {type: bind, source: ./homes/alpha/conf, target: /home/hummingbot/conf}\n"
    "      - ./homes/alpha/logs:/home/hummingbot/logs\n",
    "stacks/bots/homes/alpha/conf/controllers/one.yml": "controller_name: pmm_lark\n",
    ".env": "COMPOSE_PROFILES=bus\nWITH_BUS=1\nBUS_PORT=16380\n",
}


def test_the_mounts_of_an_included_file_begin_at_its_own_folder(tmp_path: Path) -> None:
    """In the long form too; the controller is the one of the bot's configuration; profiles are those of the env file."""
    result, desk = made(written(tmp_path / "desk", INCLUDED))
    assert desk.paths.data == tmp_path / "desk" / "stacks" / "bots" / "homes"
    assert [(bot.name, bot.controller) for bot in desk.bots] == [("alpha", "pmm_lark")]
    assert (desk.compose.project, desk.compose.profiles) == ("lark", ("bus",))
    [redis] = [each for each in look(tmp_path / "desk").services if each.name == "redis"]
    assert (redis.profiles, redis.published) == (("bus",), (16380,))
    assert (desk.container_of("alpha"), desk.container_of("redis")) == ("lark-alpha", "lark-redis-1")
    assert "a password that stands in a file is not seen" in next(
        change.after for change in result.changes if change.path.name == ".env"
    )


def test_what_an_override_resets_is_gone_and_a_guessed_controller_is_marked(tmp_path: Path) -> None:
    """A service, and mounts laid over others; a folder with spaces names the project as Compose does."""
    root = written(
        tmp_path / "My Desk 2",
        {
            "compose.yml": "x-bot: &bot\n  image: hummingbot/hummingbot:version-2.9.0\nservices:\n"
            "  bot1: {<<: *bot, volumes: ['./data/bot1/logs:/home/hummingbot/logs']}\n"
            "  bot2: *bot\n  redis: {image: 'redis:7'}\n",
            "compose.override.yml": "services:\n  bot2: !reset null\n  redis: {ports: !reset []}\n",
            ".env": "A=1\n",
            "data/bot1/conf/x.yml": "",
        },
    )
    result, desk = made(root)
    assert [bot.name for bot in desk.bots] == ["bot1"]
    assert (desk.compose.project, desk.paths.data) == ("mydesk2", root / "data")
    assert "guess: controller epp_v2_4, the default" in result.changes[0].after


def test_the_folder_that_the_containers_were_made_from_is_given_to_compose(tmp_path: Path) -> None:
    """Where somebody started the desk with --project-directory; relative mounts begin there."""
    root = written(
        tmp_path,
        {
            "compose/docker-compose.yml": "services:\n  bot1:\n    image: hummingbot/hummingbot:version-2.9.0\n"
            "    volumes: ['./homes/bot1/logs:/home/hummingbot/logs']\n",
            "env/.env": "A=1\n",
            "homes/bot1/logs/x": "",
        },
    )
    one = labelled("desk-bot1-1", "bot1", "desk", root / "compose" / "docker-compose.yml")
    one.labels["com.docker.compose.project.working_dir"] = str(root)  # type: ignore[index] # a dict here
    found = plan(look(root, live=LiveDesk(containers=(one,))))
    assert found.command is not None
    assert found.command.value == ("docker", "compose", "--project-directory", str(root))
    assert found.paths["data"].value == str(root / "homes")


def test_a_bots_folder_of_another_user_is_a_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot is there all the same; what cannot be looked into is named."""
    root = written(
        tmp_path / "desk",
        {
            "compose.yml": "services:\n  bot1: {image: 'hummingbot/hummingbot:x'}\n",
            "data/bot1/logs/a": "",
            ".env": "A=1\n",
        },
    )
    closed = root / "data" / "bot1"
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and access(path, mode))
    result, desk = made(root)
    assert [bot.name for bot in desk.bots] == ["bot1"]
    assert any(f"{closed} cannot be looked into" in note for note in result.notes)


def test_a_service_with_a_name_of_its_own_makes_the_template_a_guess(tmp_path: Path) -> None:
    """Bots are named one by one; who else has another name is told."""
    services = "".join(
        f"  {name}: {{image: '{name}:1', container_name: d-{name}}}\n" for name in ("redis", "grafana")
    )
    text = f"services:\n{services}  loki: {{image: 'loki:1', container_name: lokey}}\n"
    found = plan(look(written(tmp_path / "desk", {"compose.yml": text, ".env": "A=1\n"}))).container_template
    assert (found.value, found.guess) == ("d-{service}", True)
    assert found.source == "container_name in compose.yml; not loki"


@pytest.mark.parametrize("volumes", ["5", "true", "['~nobody-here/data:/x']", '["./a\\0:/b", null, [1]]'])
@pytest.mark.parametrize("extends", ["", "    extends: base\n"])
def test_mounts_that_are_none_stop_no_look(tmp_path: Path, volumes: str, extends: str) -> None:
    """Another type, a person who is not here, what no path can be: the service is read without them."""
    text = f"services:\n  base: {{image: x}}\n  one:\n    image: y\n    volumes: {volumes}\n{extends}"
    seen = look(written(tmp_path / "desk", {"docker-compose.yml": text}))
    assert [service.name for service in seen.services] == ["base", "one"]
