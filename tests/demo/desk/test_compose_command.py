import json

import pytest

from demo.desk.compose import main
from demo.desk.images import BAD_IMAGE
from tests.demo.desk.operators import Operator


async def _names(operator: Operator, *arguments: str) -> set[str]:
    _, out, _ = await operator.compose("ps", "--format", "json", *arguments)
    return {json.loads(line)["Service"] for line in out.splitlines()}


async def test_up_again_changes_nothing(operator: Operator) -> None:
    """Every container is said to be running, and none is new."""
    before = {container.id for container in operator.world.engine.containers.values()}
    code, out, err = await operator.compose("--profile", "multi", "--profile", "external", "up", "-d")
    assert (code, out) == (0, "")
    assert " Container hbot-bot1  Running" in err.splitlines()
    assert {container.id for container in operator.world.engine.containers.values()} == before


async def test_up_recreates_what_the_env_file_changed(operator: Operator) -> None:
    """A new HUMMINGBOT_IMAGE recreates the bots that are named, with the new image."""
    operator.env("HUMMINGBOT_IMAGE", BAD_IMAGE)
    code, _, err = await operator.compose("up", "-d", "bot1")
    assert code == 0
    assert " Container hbot-bot1  Recreated" in err.splitlines()
    containers = operator.world.engine.containers
    assert containers["hbot-bot1"].spec.image == BAD_IMAGE
    assert containers["hbot-bot2"].spec.image != BAD_IMAGE


async def test_an_unknown_image_takes_nothing_down(operator: Operator) -> None:
    """The pull fails first: exit 1, and the old container runs on."""
    operator.env("HUMMINGBOT_IMAGE", "hummingbot/hummingbot:version-9.9.9")
    code, _, err = await operator.compose("up", "-d", "--force-recreate", "bot1")
    assert code == 1
    assert "manifest unknown" in err
    assert operator.world.engine.containers["hbot-bot1"].running
    assert (await operator.compose("pull", "bot1"))[0] == 18


async def test_profiles_decide_what_down_takes(operator: Operator) -> None:
    """Without --profile external the external services and Redis stay up."""
    assert (await operator.compose("--profile", "multi", "down"))[0] == 0
    assert await _names(operator) == {
        "bot3",
        "redis",
        "signal-service",
        "risk-service",
        "coordination-service",
        "alertmanager",
    }
    assert (await operator.compose("--profile", "multi", "--profile", "external", "up", "-d"))[0] == 0
    assert {"bot1", "bot2", "prometheus"} <= await _names(operator)


async def test_stop_start_restart_kill_and_rm_drive_the_engine(operator: Operator) -> None:
    """Each leaves the container in the state its name says."""
    containers = operator.world.engine.containers
    await operator.compose("stop", "-t", "5", "bot1")
    assert containers["hbot-bot1"].status == "exited"
    assert "bot1" not in await _names(operator)
    assert "bot1" in await _names(operator, "--all")
    await operator.compose("start", "bot1")
    assert containers["hbot-bot1"].running
    pid = containers["hbot-bot1"].pid
    await operator.compose("restart", "bot1")
    assert containers["hbot-bot1"].pid != pid
    await operator.compose("kill", "bot1")
    assert containers["hbot-bot1"].exit_code == 137
    await operator.compose("rm", "-sf", "bot1")
    assert "hbot-bot1" not in containers
    code, _, err = await operator.compose("start", "bot1")
    assert code == 1
    assert "no container to start" in err


async def test_a_broken_config_ends_the_process(operator: Operator) -> None:
    """A bot whose YAML cannot be read exits and is restarted over and over."""
    path = operator.world.layout.controller_config("bot1", "a")
    path.write_text("id: [unclosed\n")
    await operator.compose("restart", "bot1")
    await operator.desk.step(60)
    assert operator.world.engine.containers["hbot-bot1"].restart_count >= 2
    assert any("cannot read" in line for line in operator.errors("bot1"))


async def test_config_shows_what_would_run(operator: Operator) -> None:
    """Services by profile, the interpolated image, and JSON for a script."""
    _, out, _ = await operator.compose("config", "--services")
    assert "bot1" in out.split()
    assert "redis" not in out.split()
    _, out, _ = await operator.compose("--profile", "external", "config", "--format", "json")
    config = json.loads(out)
    assert config["services"]["bot1"]["image"] == "hummingbot/hummingbot:version-2.4.0"
    assert "redis" in config["services"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--env-file", "../env/.env", "up", "-d", "bot9"), 1, "no such service: bot9"),
        (("--env-file", "../env/nope", "up", "-d"), 14, "couldn't find env file"),
        (("-f", "nope.yml", "up", "-d"), 14, "no such file or directory"),
        (("up", "--frobnicate"), 16, "unknown flag: --frobnicate"),
        (("--profile",), 16, "flag needs an argument: --profile"),
        (("dance",), 16, 'unknown docker command: "compose dance"'),
    ],
)
async def test_wrong_usage_has_composes_words_and_codes(
    operator: Operator, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Nothing is done, one line says why."""
    got, out, err = await operator.run(*operator.desk.compose_command, *arguments)
    assert (got, out) == (code, "")
    assert said in err


def test_without_a_desk_it_says_that_the_daemon_does_not_answer(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable names no socket anybody listens on."""
    monkeypatch.setenv("HBOT_DESK_SOCKET", "unix:///nowhere/control.sock")
    monkeypatch.chdir(operator.world.layout.compose)
    assert main(["--env-file", "../env/.env", "ps"]) == 1
    assert "Is the docker daemon running?" in capsys.readouterr().err
