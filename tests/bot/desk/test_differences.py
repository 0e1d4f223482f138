"""What a snapshot would change: every file counted, small texts line by line, no secret, no link followed."""

from pathlib import Path

import pytest

from bot.desk.differences import ALL_LINES
from bot.desk.snapshots import DeskSnapshots
from tests.bot.desk import archives
from tests.bot.desk.archives import member
from triage.errors import DeskFailure

NAME = "bot1_20260219_040000.tar.gz"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Lay out a bot."""
    archives.bot_folder(tmp_path / "data")
    (tmp_path / "backups").mkdir()
    return tmp_path / "data"


@pytest.fixture
def snapshots(data: Path) -> DeskSnapshots:
    """Open the port on the folders."""
    return DeskSnapshots(data, data.parent / "backups")


def write(data: Path, name: str, text: str) -> None:
    """Write a file of the bot."""
    file = data / "bot1" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


async def test_what_changes_comes_back_and_goes_is_named(snapshots: DeskSnapshots, data: Path) -> None:
    """A line of the configuration, a state file of the bot, a file since removed and one since added."""
    write(data, "conf/a.yml", "leverage: 1\nspread: 2\npair: BTC-USDT\n")
    write(data, "conf/gone.yml", "x: 1\n")
    write(data, "data/trades.sqlite", "old" * 100_000)
    await snapshots.take("bot1", NAME)
    write(data, "conf/a.yml", "leverage: 5\nspread: 2\npair: BTC-USDT\n")
    write(data, "data/trades.sqlite", "new" * 100_000)
    write(data, "conf/new.yml", "x: 1\n")
    (data / "bot1/conf/gone.yml").unlink()
    found = await snapshots.differences("bot1", NAME)
    assert (found.changed, found.back, found.gone) == (2, 1, 1)
    assert set(found.names) == {
        "conf/a.yml changes", "data/trades.sqlite changes", "conf/gone.yml comes back", "conf/new.yml goes",
    }  # fmt: skip
    assert found.diff.splitlines() == [
        "conf/a.yml:", "@@ -1,2 +1,2 @@", "-leverage: 5", "+leverage: 1", " spread: 2",
    ]  # fmt: skip


async def test_nothing_differs(snapshots: DeskSnapshots, data: Path) -> None:
    """Logs are in no snapshot."""
    await snapshots.take("bot1", NAME)
    write(data, "logs/file.txt", "more")
    found = await snapshots.differences("bot1", NAME)
    assert (found.changed, found.back, found.gone, found.diff) == (0, 0, 0, "")


async def test_no_secret_is_shown_and_that_one_changed_is_said(snapshots: DeskSnapshots, data: Path) -> None:
    """Neither the one of now nor the one of then, on one line or over many."""
    keys = "-----BEGIN PRIVATE KEY-----\n{0}\n{0}\n-----END PRIVATE KEY-----\n"
    write(data, "conf/keys.yml", "bitget_api_secret: 9f3aTHENc81d\n")
    write(data, "conf/pem.txt", keys.format("MIIThenThenThenThenThenThenThenThenThenThenThen"))
    await snapshots.take("bot1", NAME)
    write(data, "conf/keys.yml", "bitget_api_secret: 77e1NOW0aa2b\n")
    write(data, "conf/pem.txt", keys.format("MIINowNowNowNowNowNowNowNowNowNowNowNowNowNow"))
    found = await snapshots.differences("bot1", NAME)
    assert found.changed == 2
    for secret in ("THEN", "NOW", "MIIThen", "MIINow"):
        assert secret not in found.diff
    assert "conf/keys.yml:\n  differs only in what is masked" in found.diff


async def test_a_long_diff_is_cut_and_says_so(snapshots: DeskSnapshots, data: Path) -> None:
    """Many files, long files, long lines."""
    for number in range(12):
        write(data, f"conf/{number}.yml", "".join(f"k{line}: 1\n" for line in range(200)))
    await snapshots.take("bot1", NAME)
    for number in range(12):
        write(data, f"conf/{number}.yml", "".join(f"k{line}: {'2' * 500}\n" for line in range(200)))
    found = await snapshots.differences("bot1", NAME)
    assert found.changed == 12
    assert "more lines" in found.diff
    assert found.diff.splitlines()[-1].endswith("more files differ")
    assert len(found.diff.splitlines()) < ALL_LINES + 40
    assert max(map(len, found.diff.splitlines())) <= 160


async def test_a_link_in_the_folder_is_not_followed(
    snapshots: DeskSnapshots, data: Path, tmp_path: Path
) -> None:
    """What a bot's folder links to is none of its files; nothing of it is shown."""
    (tmp_path / "outside.yml").write_text("word: elsewhere\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "b.yml").write_text("word: elsewhere\n")
    write(data, "conf/a.yml", "word: inside\n")
    write(data, "conf/sub/b.yml", "word: inside\n")
    await snapshots.take("bot1", NAME)
    (data / "bot1/conf/a.yml").unlink()
    (data / "bot1/conf/a.yml").symlink_to(tmp_path / "outside.yml")
    found = await snapshots.differences("bot1", NAME)
    assert found.back == 1
    (data / "bot1/conf/sub/b.yml").unlink()
    (data / "bot1/conf/sub").rmdir()
    (data / "bot1/conf/sub").symlink_to(tmp_path / "etc")
    with pytest.raises(DeskFailure) as failure:
        await snapshots.differences("bot1", NAME)
    assert "elsewhere" not in str(failure.value)


async def test_a_hostile_archive_is_refused(snapshots: DeskSnapshots, data: Path) -> None:
    """As it is for every other use of it."""
    archives.write(data.parent / "backups" / NAME, [member("../bot1/conf/a.yml")])
    with pytest.raises(DeskFailure, match="is not safe"):
        await snapshots.differences("bot1", NAME)
