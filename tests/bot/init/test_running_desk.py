"""init asks what runs: containers by their labels, rules and targets of Prometheus; who is away is a doubt."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.init import InitResult, ask_the_desk, prepare
from bot.commands.init_asks import ask_engine_and_prometheus
from bot.init.desk_folder import read_desk
from bot.init.files import Asked
from bot.init.running_desk import LiveDesk, running_of
from tests.bot.init import desks
from tests.fakes.sources import container
from tests.servers.desk import Desk as RealDesk
from tests.servers.fixtures import Require
from tests.servers.process import LOOPBACK, free_port
from tests.servers.prometheus import PrometheusConfig, running_prometheus
from triage.ports.sources import ContainerState, Target

COMPOSE = "services:\n  bot1: {image: 'hummingbot/hummingbot:version-2.11.0'}\n  redis: {image: 'redis:7'}\n"


def labelled(name: str, service: str, project: str, files: object = "") -> ContainerState:
    """Return a running container as Compose makes it."""
    labels = {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.project.config_files": str(files),
    }
    return replace(container(name), labels=labels)


def desk_yaml(result: InitResult) -> str:
    """Return the text of desk.yaml."""
    return next(change.after for change in result.changes if change.path.name == "desk.yaml")


def test_containers_of_this_compose_file_name_the_project_and_themselves(tmp_path: Path) -> None:
    """The project came from ``-p``, which no file tells; a desk of the same name elsewhere is another one."""
    root = desks.lay_out(tmp_path / "desk", COMPOSE, "A=1\n", {"bot1": "a"})
    file = root / "compose" / "docker-compose.yml"
    containers = (
        labelled("night_bot1_1", "bot1", "night", file),
        labelled("night_redis_1", "redis", "night", file),
        labelled("compose-bot1-1", "bot1", "compose", "/srv/other/docker-compose.yml"),
    )
    text = desk_yaml(prepare(root, root / "out", Asked(), live=LiveDesk(containers)))
    assert "project: night  " in text
    assert "the label of the containers that run" in text
    assert 'container_template: "night_{service}_1"' in text


def test_another_desks_containers_are_a_doubt_and_nothing_more(tmp_path: Path) -> None:
    """Same project, made from another file: neither their names nor their number are taken."""
    root = desks.lay_out(tmp_path / "desk", COMPOSE, "A=1\n", {"bot1": "a"})
    seen = read_desk(root)
    other = labelled("x-bot1", "bot1", seen.project, "/srv/other/docker-compose.yml")
    found = running_of([other], seen)
    assert not found.containers
    assert found.doubts == (
        f"containers of the project {seen.project} run from another file: /srv/other/docker-compose.yml",
    )


def test_rules_and_targets_of_prometheus_are_taken(tmp_path: Path) -> None:
    """Rules that no file holds, the expected ones of them, bots that only the series know, targets that are down."""
    root = desks.first(tmp_path / "desk")
    live = LiveDesk(
        rules=("BotHardStopActive", "ContainerDown", "TideWrong"),
        targets=(Target("bots", "bot-metrics-exporter:9400", "down", None),),
        bots=("bot1", "bot9"),
    )
    result = prepare(root, root / "out", Asked(), live=live)
    text = desk_yaml(result)
    assert "#  TideWrong: {severity: Sev-2}" in text
    assert "  expected_rules:" in text
    assert "    - BotHardStopActive\n    - ContainerDown\n" in text
    notes = "\n".join(result.notes)
    assert "Prometheus finds down: bot-metrics-exporter:9400 (job bots)" in notes
    assert "series of bot9" in notes


async def test_who_is_away_is_a_doubt_and_nothing_is_raised() -> None:
    """A wrong port, a socket that is none, an address that is none."""
    port = free_port()
    live = await ask_engine_and_prometheus(
        docker="unix:///nowhere.sock", prometheus=f"http://{LOOPBACK}:{port}"
    )
    assert (live.containers, live.rules) == ((), ())
    assert len(live.doubts) == 2
    assert not (await ask_engine_and_prometheus(docker="", prometheus="")).doubts


async def test_a_real_prometheus_is_asked(require: Require, tmp_path: Path) -> None:
    """Its rules by name, its targets by their health."""
    config = PrometheusConfig(
        targets={"bots": [f"{LOOPBACK}:{free_port()}"]},
        rules=[{"name": "desk", "rules": [{"alert": "TideWrong", "expr": "vector(0) > 1"}]}],
    )
    async with running_prometheus(require("prometheus"), tmp_path, config) as server:
        await server.until("up == 0")
        live = await ask_engine_and_prometheus(docker="", prometheus=server.url)
    assert live.rules == ("TideWrong",)
    assert [target.job for target in live.targets] == ["bots"]
    assert not live.doubts


async def test_a_real_engine_is_asked(desk: RealDesk) -> None:
    """The containers of the desk's own compose file, by what Compose wrote on them."""
    await desk.up("bot1", profiles=())
    live = await ask_engine_and_prometheus(docker=desk.engine.host, prometheus="")
    seen = read_desk(desk.root, live=live)
    assert seen.running == {"bot1": "hbot-bot1"}
    assert seen.project_from == "the label of the containers that run"


@pytest.mark.parametrize("docker", ["", "unix:///nowhere.sock"])
def test_the_addresses_are_found_or_given(docker: str, tmp_path: Path) -> None:
    """DOCKER_HOST of the environment, and the port that the compose file publishes for Prometheus."""
    root = desks.first(tmp_path / "desk")
    compose = root / "compose" / "docker-compose.yml"
    port = free_port()
    compose.write_text(compose.read_text().replace("9090:9090", f"{port}:9090"))
    live = ask_the_desk(root, {"DOCKER_HOST": "unix:///nowhere.sock"}, docker=docker)
    assert live.asked == (
        "asked: the engine at unix:///nowhere.sock",
        f"asked: Prometheus at http://127.0.0.1:{port}",
    )
