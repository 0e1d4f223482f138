"""`.env`, controller files and commands: changed in one place, refused when they are not as planned."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from bot.desk import controllers as controllers_module
from bot.desk.commands import HostCommands
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile, changed, parse
from triage.errors import DeskFailure

ENV = """\
# The bots' image, pinned: never :latest.
HUMMINGBOT_IMAGE="hbot/hummingbot:v2"   # since Tuesday
export BOT_MEMORY=1g

PASSWORD='a # b'
"""
CONTROLLER = """\
# top
internal_paper_enabled:   true   # emergency: false
list: [ a,  b ]
nested:
  internal_paper_enabled: true
"""


def test_one_value_changes_and_every_comment_stays() -> None:
    """Quotes, spaces, comments and the other lines are as they were."""
    after = changed(ENV, "HUMMINGBOT_IMAGE", "hbot/hummingbot:v1", was="hbot/hummingbot:v2")
    assert after == ENV.replace("hummingbot:v2", "hummingbot:v1")
    assert parse(after) == {"HUMMINGBOT_IMAGE": "hbot/hummingbot:v1", "BOT_MEMORY": "1g", "PASSWORD": "a # b"}


@pytest.mark.parametrize(
    ("key", "value", "was"),
    [
        ("HUMMINGBOT_IMAGE", "x", "hbot/hummingbot:v0"),
        ("MISSING", "x", ""),
        ("BOT_MEMORY", "1g\nEVIL=1", "1g"),
        ("BOT_MEMORY", "$(reboot)", "1g"),
    ],
)
def test_a_change_that_was_not_planned_so_is_refused(key: str, value: str, was: str) -> None:
    """Another value than was shown, an unknown key, a value that would be more than a value."""
    with pytest.raises(DeskFailure):
        changed(ENV, key, value, was=was)


async def test_the_env_file_keeps_its_mode(tmp_path: Path) -> None:
    """It holds secrets: who could not read it before cannot read it after."""
    path = tmp_path / ".env"
    path.write_text(ENV)
    path.chmod(0o600)
    await DeskEnvFile(path).set("BOT_MEMORY", "2g", was="1g")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "export BOT_MEMORY=2g\n" in path.read_text()
    assert os.listdir(tmp_path) == [".env"], "no temporary file is left"  # noqa: PTH208 - names are enough


async def test_a_controller_changes_in_one_word(tmp_path: Path) -> None:
    """Comments, order and odd spacing of the YAML stay."""
    file = tmp_path / "bot1/conf/controllers/c.yml"
    file.parent.mkdir(parents=True)
    text = CONTROLLER
    file.write_text(text)
    controllers = DeskControllers(tmp_path)
    key = "internal_paper_enabled"
    await controllers.set("bot1", "controllers/c.yml", key, value=False, was=True)
    assert file.read_text() == text.replace(":   true ", ":   false ", 1)
    with pytest.raises(DeskFailure, match="no longer true"):
        await controllers.set("bot1", "controllers/c.yml", key, value=False, was=True)
    with pytest.raises(DeskFailure, match="leads out"):
        await controllers.set("bot1", "../../../etc/passwd", key, value=False, was=True)


@pytest.mark.parametrize("swapped", ["conf", "conf/controllers", "conf/controllers/c.yml"])
async def test_a_link_put_in_place_after_the_read_moves_no_write_out_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    """The bot's container wins every race: what lies outside stays as it is, and nothing new lies there."""
    file = tmp_path / "data/bot1/conf/controllers/c.yml"
    file.parent.mkdir(parents=True)
    file.write_text(CONTROLLER)
    outside = tmp_path / "outside"
    (outside / "controllers").mkdir(parents=True)
    for place in (outside / "c.yml", outside / "controllers/c.yml"):
        place.write_text(CONTROLLER)
    place = tmp_path / "data/bot1" / swapped

    def swap(*args: object, **how: object) -> str:
        place.rename(place.with_name("away"))
        target = {"conf": outside, "conf/controllers": outside}.get(swapped, outside / "c.yml")
        place.symlink_to(target)
        return honest(*args, **how)  # type: ignore[arg-type] # as it was called

    honest = controllers_module.changed
    monkeypatch.setattr(controllers_module, "changed", swap)
    setting = DeskControllers(tmp_path / "data").set(
        "bot1", "controllers/c.yml", "internal_paper_enabled", value=False, was=True
    )
    if swapped.endswith(".yml"):
        with pytest.raises(DeskFailure, match="changed meanwhile"):
            await setting
    else:
        await setting
    assert {path.read_text() for path in outside.rglob("*.yml")} == {CONTROLLER}
    assert sorted(path.name for path in outside.rglob("*")) == ["c.yml", "c.yml", "controllers"]
    assert list((tmp_path / "data").rglob(".c.yml*")) == [], "no temporary file is left"


async def test_an_env_file_that_is_a_link_stays_one_and_its_target_changes(tmp_path: Path) -> None:
    """Operators link it to where their secrets are kept."""
    real = tmp_path / "kept/desk.env"
    real.parent.mkdir()
    real.write_text(ENV)
    link = tmp_path / ".env"
    link.symlink_to("kept/desk.env")
    await DeskEnvFile(link).set("BOT_MEMORY", "3g", was="1g")
    assert link.is_symlink()
    assert "export BOT_MEMORY=3g\n" in real.read_text()


async def test_a_command_is_no_shell_line_and_its_output_is_capped(tmp_path: Path) -> None:
    """Arguments arrive as they are; a flood of output keeps its beginning and its end."""
    commands = HostCommands()
    echoed = await commands.run(
        [sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id); `id`"],
        folder=str(tmp_path),
        timeout_seconds=20,
    )
    assert echoed.output == "$(id); `id`\n"
    flood = "print('first'); [print('x' * 99) for _ in range(20000)]; print('last')"
    loud = await commands.run([sys.executable, "-c", flood], folder=str(tmp_path), timeout_seconds=20)
    assert loud.output.startswith("first")
    assert loud.output.endswith("last\n")
    assert len(loud.output) < 40_000


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """The time limit ends the whole process group."""
    mark = tmp_path / "mark"
    script = f"sleep 0.8; touch {mark}"
    slow = await HostCommands().run(
        ["/bin/sh", "-c", f"({script}) & wait"], folder=str(tmp_path), timeout_seconds=0.2
    )
    assert slow.exit_code is None
    await asyncio.sleep(1)
    assert not mark.exists()


@pytest.mark.slow
async def test_a_program_outlives_whoever_was_killed_while_reading_it(tmp_path: Path) -> None:
    """Compose must not end in the middle of a recreate because nobody reads what it says any more."""
    program = "echo begun; touch begun; sleep 0.4; seq 9000 && seq 9000 >&2 && touch over"
    reads = (
        "import asyncio; from bot.desk.commands import HostCommands; "
        f"asyncio.run(HostCommands().run(['sh', '-c', {program!r}], folder={str(tmp_path)!r}, timeout_seconds=20))"
    )
    reader = await asyncio.create_subprocess_exec(sys.executable, "-c", reads)
    async with asyncio.timeout(30):
        while not (tmp_path / "begun").exists():  # noqa: ASYNC110 - what another process does
            await asyncio.sleep(0.01)
        reader.kill()
        await reader.wait()
        while not (tmp_path / "over").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_command_is_given_the_environment_it_needs_and_no_setting_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose has no use for tokens and passwords, and a variable nobody thought of is not passed on either."""
    for name in ("SLACK_BOT_TOKEN", "REDIS_URL", "PROMETHEUS_URL", "BITGET_API_SECRET", "LD_PRELOAD_X"):
        monkeypatch.setenv(name, f"secret of {name}")
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    commands = HostCommands({"DOCKER_HOST": "unix:///run/docker.sock"})
    found = await commands.run(["/usr/bin/env"], folder=str(tmp_path), timeout_seconds=10)
    given = dict(line.partition("=")[::2] for line in found.output.splitlines())
    assert "secret of" not in found.output
    assert given["DOCKER_HOST"] == "unix:///run/docker.sock"
    assert "PATH" in given


async def test_a_program_that_is_not_there_is_said_with_the_mend(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(DeskFailure, match=r"compose\.command"):
        await HostCommands().run(["/no/such/compose"], folder=str(tmp_path), timeout_seconds=1)


async def test_an_env_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    """Some keep it elsewhere and link to it: what the link leads to is changed, the link stays."""
    (tmp_path / "secrets").mkdir()
    kept, link = tmp_path / "secrets/desk.env", tmp_path / ".env"
    kept.write_text("# ours\nHUMMINGBOT_IMAGE=a/b:v1\n")
    kept.chmod(0o600)
    link.symlink_to(kept)
    await DeskEnvFile(link).set("HUMMINGBOT_IMAGE", "a/b:v2", was="a/b:v1")
    assert link.is_symlink()
    assert kept.read_text() == "# ours\nHUMMINGBOT_IMAGE=a/b:v2\n"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_commands_run_on_the_loop_of_the_service(tmp_path: Path) -> None:
    """Uvloop takes fewer options than asyncio's own loop; the service runs on it."""
    run = HostCommands().run(["/bin/echo", "here"], folder=str(tmp_path), timeout_seconds=10)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run).output == "here\n"


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    path.write_bytes(b"A=1\n" * 400_000)


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [_fifo, _device, _huge, _folder], ids=lambda each: each.__name__)
async def test_an_env_file_that_is_no_plain_file_is_told_and_holds_nobody(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """A FIFO, a device, a huge file, a folder: a sentence within a moment, for reading and for writing."""
    path = tmp_path / ".env"
    spoil(path)
    async with asyncio.timeout(3):
        with pytest.raises(DeskFailure, match="env"):
            await DeskEnvFile(path).read()
        with pytest.raises(DeskFailure, match="env"):
            await DeskEnvFile(path).set("A", "2", was="1")
