"""Which controller files count: those that the script which runs loads, however it writes their names."""

import os
from pathlib import Path

import pytest

from bot.desk.controllers import DeskControllers
from triage.actions.loaded_controllers import LoadedControllers, loaded
from triage.errors import DeskFailure

PAPER = "controller_name: epp_v2_4\nconnector_name: bitget_paper_trade\n"
LIVE = "controller_name: epp_v2_4\nconnector_name: bitget\n"


def lay_out(root: Path, **files: str) -> None:
    """Write a bot's files; ``__`` in a name is a slash, a log is as old as its place says."""
    for age, (name, text) in enumerate(files.items()):
        path = (
            root
            / "bot1"
            / name.replace("__", "/").replace("_yml", ".yml").replace("_py", ".py").replace("_log", ".log")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_000_000 - age, 1_000_000 - age))


async def read(root: Path) -> LoadedControllers:
    """Return what counts of bot1's files."""
    return loaded(await DeskControllers(root).read("bot1"), "epp_v2_4")


def names(found: LoadedControllers) -> list[str]:
    """Return the controller files that count."""
    return [file.file for file in found.controllers]


async def test_of_two_scripts_the_one_that_the_newest_log_names_counts(tmp_path: Path) -> None:
    """Both load the bot's controller; the other's live one is of no concern, whatever is broken there."""
    lay_out(
        tmp_path,
        conf__scripts__night_yml="controllers_config: [paper.yml]",
        conf__scripts__day_yml="controllers_config: [live.yml, gone.yml]",
        conf__controllers__paper_yml=PAPER,
        conf__controllers__live_yml=LIVE,
        logs__logs_night_log="",
        logs__logs_day_log="",
    )
    found = await read(tmp_path)
    assert (names(found), found.unclear) == (["controllers/paper.yml"], ())
    os.utime(tmp_path / "bot1/logs/logs_day.log", (2_000_000, 2_000_000))
    found = await read(tmp_path)
    assert (names(found), found.unclear) == (
        ["controllers/live.yml"],
        ("gone.yml is loaded by scripts/day.yml and not there",),
    )


async def test_without_a_log_that_names_one_every_script_with_the_controller_counts(tmp_path: Path) -> None:
    """The log of a client that loaded no strategy yet names none."""
    lay_out(
        tmp_path,
        conf__scripts__night_yml="controllers_config: [paper.yml]",
        conf__scripts__day_yml="controllers_config: [live.yml]",
        conf__controllers__paper_yml=PAPER,
        conf__controllers__live_yml=LIVE,
        logs__logs_hummingbot_log="",
    )
    assert names(await read(tmp_path)) == ["controllers/live.yml", "controllers/paper.yml"]


@pytest.mark.parametrize(
    "written",
    [
        "controllers_config: [paper.yml]",
        "controllers_config: paper.yml",
        "controllers_config: paper",
        "controllers_config:\n- conf/controllers/paper.yml",
        "controllers_config: ./controllers/paper.yml",
        "controllers_config: [[paper]]",
        "controllers_config: [{file: paper.yml}]",
    ],
)
async def test_the_name_of_a_controller_file_may_be_written_in_many_ways(
    written: str, tmp_path: Path
) -> None:
    """A list, a text, with a folder before it, without its ending."""
    lay_out(
        tmp_path,
        conf__scripts__v2_yml=written,
        conf__controllers__paper_yml=PAPER,
        conf__controllers__stub_yml=LIVE,
    )
    found = await read(tmp_path)
    assert (names(found), found.unclear) == (["controllers/paper.yml"], ())


async def test_a_controller_in_a_folder_of_its_own_is_found(tmp_path: Path) -> None:
    """As the script names it."""
    lay_out(
        tmp_path,
        conf__scripts__v2_yml="controllers_config: [mm/paper.yml]",
        conf__controllers__mm__paper_yml=PAPER,
        conf__controllers__stub_yml=LIVE,
    )
    assert names(await read(tmp_path)) == ["controllers/mm/paper.yml"]


async def test_a_script_that_loads_nothing_leaves_the_stubs_alone(tmp_path: Path) -> None:
    """An empty list and its own markets: these count, of its configuration or of its code."""
    lay_out(
        tmp_path,
        conf__scripts__own_yml="script_file_name: own.py\ncontrollers_config: []\nmarkets: {}",
        scripts__own_py="class A:\n    markets = {'bitget': {'BTC-USDT'}}\n",
        conf__controllers__stub_yml=LIVE,
    )
    found = await read(tmp_path)
    assert names(found) == []
    assert [script.values.get("markets", "") for script in found.scripts] == ["", "bitget"]


async def test_the_code_of_a_script_without_configuration_counts_where_its_log_is_the_newest(
    tmp_path: Path,
) -> None:
    """Another script's configuration lies beside it, unused."""
    lay_out(
        tmp_path,
        logs__logs_smoke_log="",
        scripts__smoke_py="class A:\n    markets = {'bitget_paper_trade': {'BTC-USDT'}}\n",
        conf__scripts__v2_yml="controllers_config: [stub.yml]",
        conf__controllers__stub_yml=LIVE,
    )
    found = await read(tmp_path)
    assert names(found) == []
    assert [script.values for script in found.scripts] == [{"markets": "bitget_paper_trade"}]


@pytest.mark.parametrize("written", ["true", '"True"', "'on'", "1", "YES  # until Monday"])
async def test_a_quoted_switch_is_read_and_turned_off_as_hummingbot_reads_it(
    tmp_path: Path, written: str
) -> None:
    """Every other character stays."""
    lay_out(tmp_path, conf__controllers__paper_yml=f"{PAPER}internal_paper_enabled: {written}\nleverage: 1\n")
    (file,) = (await read(tmp_path)).controllers
    assert file.values["internal_paper_enabled"] == "true"
    change = DeskControllers(tmp_path).set
    await change("bot1", file.file, "internal_paper_enabled", value=False, was=True)
    (file,) = (await read(tmp_path)).controllers
    assert file.values["internal_paper_enabled"] == "false"
    text = (tmp_path / "bot1/conf/controllers/paper.yml").read_text()
    rest = "  # until Monday" if "#" in written else ""
    assert text == f"{PAPER}internal_paper_enabled: false{rest}\nleverage: 1\n"
    with pytest.raises(DeskFailure, match="is no longer true"):
        await change("bot1", file.file, "internal_paper_enabled", value=False, was=True)


async def test_a_bot_that_writes_thousands_of_files_holds_nobody_up(tmp_path: Path) -> None:
    """They are refused as a whole, in the time of one read: six that go on would keep all other bots waiting."""
    folder = tmp_path / "bot1/conf/controllers"
    for number in range(60):
        (folder / str(number)).mkdir(parents=True)
        for name in range(7):
            (folder / f"{number}/{name}.yml").touch()
    with pytest.raises(DeskFailure, match="the files of bot1 are too many"):
        await read(tmp_path)


async def test_a_name_that_acts_on_a_terminal_or_a_chat_is_not_told_as_it_is(tmp_path: Path) -> None:
    """A container may name its files as it likes: lines, colours, mentions, letters that run backwards."""
    folder = tmp_path / "bot1/conf/controllers"
    folder.mkdir(parents=True)
    for name in ("a\nb", "\x1b[31mred", "<!channel>", "\u202etxt", "\udcff"):
        (folder / f"{name}.yml").touch()
    found = await DeskControllers(tmp_path).read("bot1")
    assert len(found) == 5
    for file in found:
        assert file.problem.isascii()
        assert file.problem.isprintable()
        assert "<" not in file.problem
        assert file.problem.startswith(file.file)
