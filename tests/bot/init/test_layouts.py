"""init on layouts that Compose allows and the first desk has not: includes, long mounts, resets, other folders."""

import os
from pathlib import Path

import pytest

from bot.commands.check_config import check_config
from bot.init.desk_folder import read_desk
from bot.init.observed_desk import Value
from bot.init.plan import plan
from bot.init.running_desk import LiveDesk
from tests.bot.init.test_init import made
from tests.bot.init.test_running_desk import labelled
from triage.actions.compose import argv
from triage.errors import SettingError


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
    [redis] = [each for each in read_desk(tmp_path / "desk").services if each.name == "redis"]
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
    found = plan(read_desk(root, live=LiveDesk(containers=(one,))))
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
    found = plan(
        read_desk(written(tmp_path / "desk", {"compose.yml": text, ".env": "A=1\n"}))
    ).container_template
    assert (found.value, found.guess) == ("d-{service}", True)
    assert found.source == "container_name in compose.yml; not loki"


@pytest.mark.parametrize("volumes", ["5", "true", "['~nobody-here/data:/x']", '["./a\\0:/b", null, [1]]'])
@pytest.mark.parametrize("extends", ["", "    extends: base\n"])
def test_mounts_that_are_none_stop_no_look(tmp_path: Path, volumes: str, extends: str) -> None:
    """Another type, a person who is not here, what no path can be: the service is read without them."""
    text = f"services:\n  base: {{image: x}}\n  one:\n    image: y\n    volumes: {volumes}\n{extends}"
    seen = read_desk(written(tmp_path / "desk", {"docker-compose.yml": text}))
    assert [service.name for service in seen.services] == ["base", "one"]


OWN_NAMES = {
    "deploy/base.yaml": "name: '${DESK_NAME:?say which}'\nservices:\n"
    "  mm-eth: {build: ../src, container_name: eth_maker, env_file: [../eth.env], "
    "volumes: ['/srv/hb/eth/conf:/home/hummingbot/conf']}\n"
    "  bot2: {build: ../src, container_name: second}\n"
    "  slackbot: {build: ../chat}\n"
    "  cache: {image: 'valkey/valkey:8@sha256:aa', secrets: [valkey_pw], env_file: {path: ../cache.env}}\n",
    "deploy/mon.yaml": "services:\n  prom: {image: prom/prometheus, configs: [{source: rules}], "
    "command: ['--web.listen-address=0.0.0.0:9095', '--web.external-url=https://desk.example/prom/']}\n"
    "  logs: {image: 'grafana/loki:3.1', command: '-config.file=/x.yml -server.http-listen-port=3200'}\n"
    "  graf: {image: 'grafana/grafana-oss:11.1.0', ports: ['${GRAF:?port}:3000']}\n",
    "deploy/.env": "DESK_NAME=ibis\nCOMPOSE_FILE=base.yaml;mon.yaml\nCOMPOSE_PATH_SEPARATOR=;\n",
}


def test_bots_are_known_without_image_and_folder_and_what_is_not_read_is_said(tmp_path: Path) -> None:
    """By what is mounted, else by their name, as a guess; files of services and demanded variables are doubts."""
    result, desk = made(written(tmp_path, OWN_NAMES))
    assert [(bot.name, desk.container_of(bot.name)) for bot in desk.bots] == [
        ("mm-eth", "eth_maker"),
        ("bot2", "second"),
    ]
    text = result.changes[0].after
    assert "# mounts into /home/hummingbot; guess: controller" in text
    assert "# guess: its name bot2; guess: controller" in text
    assert "prom, logs, graf" in text
    assert {note for note in result.notes if note.startswith("doubt: ")} == {
        (
            "doubt: what stands in files of services was not read: env_file eth.env of mm-eth; "
            "env_file cache.env, secret valkey_pw of cache; config rules of prom"
        ),
        "doubt: mon.yaml demands GRAF, which the env file does not give",
        "doubt: there is no data/ folder that can be read",
        (
            "doubt: mm-eth has its files in /srv/hb/eth, and not in /srv/hb/mm-eth: its files are not looked at until "
            "they lie there, or the bot has that folder's name (name: …, service: …)"
        ),
    }
    env = next(change.after for change in result.changes if change.path.name == ".env")
    assert "LOKI_URL=http://logs:3200\n" in env
    assert "a password that stands in a file is not seen\nREDIS_URL=redis://cache:6379/0\n" in env
    assert "PROMETHEUS_URL=http://prom:9095/prom\n" in env
    compose = next(change.after for change in result.changes if change.path.name.startswith("docker-compose"))
    assert 'default: {name: "ibis_default", external: true}' in compose


@pytest.mark.parametrize(
    ("service", "address"),
    [
        ("image: bitnami/redis, environment: [REDIS_PASSWORD=s3cr3t!]", ":s3cr3t%21@bus:6379/0"),
        ("image: redis/redis-stack-server, environment: {REDIS_ARGS: --requirepass abc}", ":abc@bus:6379/0"),
        (
            "image: redis, command: ['sh', '-c', 'redis-server --requirepass \"$$PW\"'], environment: [PW]",
            ":fromenv@bus:6379/0",
        ),
        ("image: redis, command: 'redis-server --port 6390'", "bus:6390/0"),
        ("image: bitnami/redis, environment: {REDIS_PASSWORD_FILE: /run/secrets/pw}", "bus:6379/0"),
    ],
)
def test_the_password_of_redis_is_that_of_its_command_or_of_its_environment(
    service: str, address: str, tmp_path: Path
) -> None:
    """Where it stands in a file, it is said that it was not seen."""
    root = written(tmp_path, {"compose.yml": f"services:\n  bus: {{{service}}}\n", ".env": "PW=fromenv\n"})
    found = plan(read_desk(root)).addresses["REDIS_URL"]
    assert found.value == f"redis://{address}"
    assert found.source.endswith("is not seen") is ("_FILE" in service)


def test_what_compose_would_refuse_and_several_containers_of_a_service_are_doubts(tmp_path: Path) -> None:
    """Numbers are names; a service in the host's network is reached by no name of its own."""
    text = (
        "name: '007'\nservices:\n  1: {image: 'hummingbot/hummingbot:2', deploy: {replicas: 2}, profiles: [a]}\n"
        "  on: {image: redis, network_mode: host}\n  Bot_Ä: {image: x}\n  _y: {image: y}\n  bot3:\n  x: [1]\n"
    )
    result, desk = made(written(tmp_path, {"compose.yml": text, ".env": "COMPOSE_PROFILES=*\n"}))
    assert [bot.name for bot in desk.bots] == ["1"]
    assert (desk.name, desk.compose.redis_service, desk.compose.profiles) == ("007", "on", ("a",))
    assert (
        "doubt: no service that Compose takes and desk.yaml can name, left out: Bot_Ä, _y, bot3, x"
        in result.notes
    )
    assert "doubt: 1 is to have 2 containers (replicas); hbot-triage knows one of a service" in result.notes
    assert desk.paths.data == tmp_path / "data"
    found = plan(read_desk(tmp_path))
    assert found.addresses["REDIS_URL"].guess
    assert found.networks == {}


def test_an_include_lays_its_files_over_one_another_with_variables_of_its_own(tmp_path: Path) -> None:
    """What lies elsewhere is a doubt, once; a mount from the root makes no folder of bots."""
    root = written(
        tmp_path,
        {
            "compose.yaml": "include:\n  - path: [trade/a.yaml, trade/b.yaml]\n    env_file: trade/t.env\n"
            "  - oci://example.org/x:1\nservices:\n  redis: {image: redis}\n",
            "trade/a.yaml": "services:\n  alpha: {image: '$IMG', container_name: '${PFX}alpha', "
            "volumes: ['/alpha:/home/hummingbot/logs']}\n  beta: {image: nothing}\n",
            "trade/b.yaml": "services:\n  beta: {image: 'hummingbot/hummingbot:9'}\n",
            "trade/t.env": "IMG=hummingbot/hummingbot:2.7.0\nPFX=theirs-\n",
            ".env": "PFX=ours-\n",
        },
    )
    result, desk = made(root)
    assert {bot.name: desk.container_of(bot.name).partition("-")[2] for bot in desk.bots} == {
        "alpha": "alpha",
        "beta": "beta-1",
    }
    assert desk.container_of("alpha") == "ours-alpha"
    assert desk.paths.data == tmp_path / "data"
    assert "doubt: oci://example.org/x:1, which compose.yaml includes, was not read" in result.notes


def test_rules_are_found_wherever_they_lie_and_a_strange_file_costs_itself(tmp_path: Path) -> None:
    """By what a file holds; and the desk's own Alertmanager keeps its receivers."""
    rule = "groups:\n- name: x\n  rules: [null, 1, {{record: y}}, {{alert: {}, expr: up}}]\n"
    root = written(
        tmp_path,
        {
            "compose.yml": "services:\n  bot1: {image: hummingbot/hummingbot}\n",
            "alerts.yml": rule.format("AtTheRoot"),
            "monitoring/desk/own.yaml": rule.format("BotHardStopActive"),
            "monitoring/x.rules": rule.format("InDotRules"),
            "monitoring/rules/template.yml": "groups:\n{% for one in bots %}\n- alert: x\n",
            "monitoring/rules/odd.yml": "groups: {alert: x}\n# alert: \n",
            "am/alertmanager.yml": "route: {receiver: x}\nreceivers: [{name: x}]\n",
            "data/bot1/rules.yml": rule.format("ABotsOwn"),
        },
    )
    result, desk = made(root)
    assert set(read_desk(root).rules) == {"AtTheRoot", "BotHardStopActive", "InDotRules"}
    assert desk.triage.expected_rules == ("BotHardStopActive",)
    assert any(note.startswith("doubt: template.yml is no YAML") for note in result.notes)
    [receiver] = [change.after for change in result.changes if change.path.name.startswith("alertmanager")]
    assert f"put these parts into {root}/am/alertmanager.yml, the route before its others" in receiver
    assert "    - receiver: hbot-triage\n      continue: true" in receiver


def test_of_networks_those_of_the_desks_own_redis_are_joined(tmp_path: Path) -> None:
    """Another Redis' network may never be made: it would keep hbot-triage from starting."""
    text = (
        "services:\n  redis: {image: redis, networks: [trade]}\n  cache: {image: redis, profiles: [night]}\n"
        "  bot1: {image: hummingbot/hummingbot, depends_on: [redis]}\nnetworks: {trade: {name: trading}}\n"
    )
    assert plan(read_desk(written(tmp_path, {"compose.yml": text}))).networks == {"trade": "trading"}


@pytest.mark.parametrize(
    ("mount", "data", "doubted"),
    [
        ("./conf:/home/hummingbot/conf", "data", True),
        (".\\data\\bot1\\conf:/home/hummingbot/conf", "data", False),
        ("C:\\desk\\bot1\\conf:/home/hummingbot/conf", "data", False),
        ("./homes/first/conf:/home/hummingbot/conf", "homes", True),
        ("./homes/bot1/conf:/home/hummingbot/conf:ro,z", "homes", False),
    ],
)
def test_the_desk_s_own_folder_is_never_taken_for_a_bot_s(
    mount: str, data: str, *, doubted: bool, tmp_path: Path
) -> None:
    """Else the folder above the desk would be the bots', and be mounted; a folder of another name is a doubt."""
    root = written(
        tmp_path / "desk",
        {
            "compose.yml": f"services:\n  bot1: {{image: hummingbot/hummingbot, volumes: ['{mount}']}}\n",
            "data/x": "",
            "homes/x": "",
            "conf/x": "",
        },
    )
    result, desk = made(root)
    assert desk.paths.data == root / data
    assert any("its files are not looked at until they lie there" in note for note in result.notes) is doubted


def test_names_that_compose_and_docker_refuse_are_doubts_and_desk_yaml_is_good(tmp_path: Path) -> None:
    """A project's name in capitals or with other letters, a container's too; and .env that is a folder."""
    root = written(
        tmp_path,
        {
            "compose.yml": "name: Käse_Desk\nservices:\n  bot1: {image: hummingbot/hummingbot, container_name: märz}\n"
            "  redis: {image: redis}\n",
            ".env/left-by-docker": "",
        },
    )
    result, desk = made(root)
    assert (desk.compose.project, desk.container_of("bot1")) == ("kse_desk", "kse_desk-bot1-1")
    assert (
        "doubt: name: in compose.yml is Käse_Desk, which Compose takes for no project's name; kse_desk is written"
        in result.notes
    )
    assert "doubt: container_name that Docker does not take, left out: märz of bot1" in result.notes
    assert check_config({}, root / "hbot-triage").good


def test_a_file_that_is_half_written_is_named_with_its_line(tmp_path: Path) -> None:
    """As somebody edits it."""
    root = written(
        tmp_path, {"compose.yml": "services:\n  bot1: {image: x}\n", "compose.override.yml": "a:\n  b: [c\n"}
    )
    with pytest.raises(
        SettingError, match=r"compose\.override\.yml is no YAML that can be read \(ParserError, line \d\)"
    ):
        read_desk(root)


def test_the_env_file_is_the_one_that_the_containers_were_made_with(tmp_path: Path) -> None:
    """Compose 2 writes it on them; where it is gone, the usual one is found."""
    root = written(
        tmp_path,
        {
            "compose.yml": "services: {bot1: {image: hummingbot/hummingbot}}\n",
            ".env": "A=1\n",
            "live/prod.env": "COMPOSE_PROJECT_NAME=finch\n",
        },
    )
    one = labelled("finch-bot1-1", "bot1", "finch", root / "compose.yml")
    for named, project in ((root / "live/prod.env", "finch"), (root / "gone.env", "finch")):
        one.labels["com.docker.compose.project.environment_file"] = str(named)  # type: ignore[index] # a dict here
        seen = read_desk(root, live=LiveDesk(containers=(one,)))
        assert (seen.env_file, seen.project) == (named if named.is_file() else root / ".env", project)


def test_a_desk_without_an_env_file_is_written_so(tmp_path: Path) -> None:
    """Compose would end with an error over a file that is only guessed; one that Docker made a folder of is named."""
    root = written(tmp_path / "desk", {"compose.yml": "services:\n  bot1: {image: hummingbot/hummingbot}\n"})
    result, desk = made(root)
    assert desk.paths.env is None
    assert "  env: null" in result.changes[0].after
    assert "--env-file" not in argv(desk, "up_all")
    assert check_config({}, root / "hbot-triage").good
    (root / ".env").mkdir()
    assert plan(read_desk(root)).paths["env"] == Value(str(root / ".env"), "not there yet", guess=True)
