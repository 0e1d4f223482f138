"""Snapshots on disk: taken whole, put in place by one rename, and safe whatever an archive holds."""

import asyncio
import errno
import gzip
import hashlib
import os
import tarfile
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path

import pytest

from bot.desk import snapshots as desk_snapshots
from bot.desk.files import link_tree
from bot.desk.snapshots import DeskSnapshots
from tests.bot.desk import archives
from tests.bot.desk.archives import PARTS, member, sound
from tests.servers.small_disk import mounted
from triage.errors import ChangeNotConfirmed, DeskFailure

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


def _words(data: Path) -> dict[str, str]:
    return {part: (data / "bot1" / part / "file.txt").read_text() for part in (*PARTS, "logs")}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_what_was_taken_is_put_back_by_one_rename_and_logs_stay_the_same_files(
    snapshots: DeskSnapshots, data: Path
) -> None:
    """Take, change, extract, swap: the four folders are as they were taken, the log is the very same file."""
    await snapshots.take("bot1", NAME)
    for part in (*PARTS, "logs"):
        (data / "bot1" / part / "file.txt").write_text("changed")
    log = (data / "bot1/logs/file.txt").stat().st_ino
    sha256 = await snapshots.checksum(NAME)
    await snapshots.extract("bot1", NAME, sha256=sha256, token="a1")
    assert await snapshots.swapped("bot1", "a1") is False
    await snapshots.swap("bot1", "a1")
    assert await snapshots.swapped("bot1", "a1") is True
    await snapshots.discard("bot1", "a1")
    assert _words(data) == {**dict.fromkeys(PARTS, "old"), "logs": "changed"}
    assert (data / "bot1/logs/file.txt").stat().st_ino == log
    assert _names(data) == ["bot1"]
    assert sorted(path.name for path in (data / "bot1").iterdir()) == sorted((*PARTS, "logs"))


@pytest.mark.parametrize("failing", ["sync_folder", "_link_others"])
async def test_an_exchange_that_the_disk_did_not_confirm_is_not_told_as_undone(
    snapshots: DeskSnapshots, data: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """The disk is full right after the rename: the bot has the snapshot's files, whatever fails then."""
    await snapshots.take("bot1", NAME)
    for part in PARTS:
        (data / "bot1" / part / "file.txt").write_text("changed")
    await snapshots.extract("bot1", NAME, sha256=await snapshots.checksum(NAME), token="a1")
    work = getattr(desk_snapshots, failing)

    def full(folder: Path, *more: Path) -> None:
        work(folder, *more)
        if (data / "bot1/.hbot-triage-rollback-a1").exists():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(desk_snapshots, failing, full)
    with pytest.raises(
        ChangeNotConfirmed, match="is in place, but the disk did not take all of it: No space"
    ):
        await snapshots.swap("bot1", "a1")
    assert await snapshots.swapped("bot1", "a1") is True
    assert (data / "bot1/conf/file.txt").read_text() == "old"


HOSTILE = {
    "climbs out": member("bot1/conf/../../../evil.txt"),
    "absolute": member("/tmp/evil.txt"),  # noqa: S108 - the attack
    "another bot": member("bot2/conf/evil.txt"),
    "another folder": member("bot1/logs/evil.txt"),
    "the folder itself": member("evil.txt"),
    "symbolic link": member("bot1/conf/evil", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": member("bot1/conf/evil", b"", type=tarfile.LNKTYPE, linkname="bot1/data/file.txt"),
    "device": member("bot1/conf/evil", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "pipe": member("bot1/conf/evil", b"", type=tarfile.FIFOTYPE),
    "twice": member("bot1/conf/file.txt", b"other"),
    "backslash": member("bot1\\conf\\evil.txt"),
    "1,500 folders deep": member("bot1/conf/" + "d/" * 1500 + "evil.txt"),
    "a name of 5,000 bytes": member("bot1/conf/" + "n" * 5000),
    "an owner below zero": member("bot1/conf/evil.txt", uid=-1),
    "a group below zero": member("bot1/conf/evil.txt", gid=-7),
}


@pytest.mark.parametrize("attack", HOSTILE)
async def test_a_hostile_archive_is_refused_and_nothing_is_left(
    snapshots: DeskSnapshots, data: Path, attack: str
) -> None:
    """Each attack: refused with words, the bot as it was, nothing beside it, nothing outside."""
    path = archives.write(data.parent / "backups" / NAME, [*sound(), HOSTILE[attack]])
    with pytest.raises(DeskFailure, match=r"not safe|not a config snapshot"):
        await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert set(_words(data).values()) == {"old"}
    assert _names(data) == ["bot1"]
    assert list(data.parent.rglob("evil*")) == []


async def test_setuid_bits_do_not_survive(snapshots: DeskSnapshots, data: Path) -> None:
    """A file that claims to be setuid root is extracted as a plain one."""
    path = archives.write(
        data.parent / "backups" / NAME, [*sound(), member("bot1/conf/run", mode=0o6777, uid=os.getuid())]
    )
    await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert (data / ".bot1.a1/conf/run").stat().st_mode & 0o7000 == 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty"])
async def test_a_damaged_archive_is_told_before_and_refused_after(
    snapshots: DeskSnapshots, data: Path, damage: str
) -> None:
    """The precondition reads it through and says so; extracting it changes nothing."""
    path = archives.write(
        data.parent / "backups" / NAME, [*sound(), member("bot1/data/big", os.urandom(200_000))]
    )
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    damaged: dict[str, bytes] = {
        "cut": bytes(content[: len(content) // 2]),
        "flipped": bytes(content),
        "text": b"not an archive",
        "empty": b"",
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(DeskFailure, match="damaged"):
        await snapshots.room_to_extract(NAME)
    with pytest.raises(DeskFailure, match="damaged"):
        await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert set(_words(data).values()) == {"old"}
    assert _names(data) == ["bot1"]


async def test_an_archive_that_changed_since_it_was_chosen_is_not_used(
    snapshots: DeskSnapshots, data: Path
) -> None:
    """The checksum that was shown is the one that must be found."""
    archives.write(data.parent / "backups" / NAME, sound())
    with pytest.raises(DeskFailure, match="checksum"):
        await snapshots.extract("bot1", NAME, sha256="0" * 64, token="a1")


async def test_an_archive_without_a_part_that_the_bot_has_is_refused(
    snapshots: DeskSnapshots, data: Path
) -> None:
    """Half a snapshot would leave the bot without its scripts."""
    path = archives.write(data.parent / "backups" / NAME, sound()[:2])
    with pytest.raises(DeskFailure, match="has no scripts, pmm_scripts"):
        await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert _names(data) == ["bot1"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 80 MiB."""
    with mounted(tmp_path / "small", "80m") as disk:
        yield disk


@pytest.mark.slow
async def test_a_disk_that_fills_up_leaves_the_old_state(small_disk: Path) -> None:
    """Neither a restore nor a snapshot that finds no room changes anything, or leaves anything lying."""
    data, backups = small_disk / "data", small_disk / "backups"
    archives.bot_folder(data)
    backups.mkdir()
    path = archives.write(backups / NAME, [*sound(), member("bot1/data/zeros", bytes(60_000_000))])
    (small_disk / "ballast").write_bytes(os.urandom(30_000_000))
    snapshots = DeskSnapshots(data, backups)
    room = await snapshots.room_to_extract(NAME)
    assert room.free < room.needed
    with pytest.raises(DeskFailure, match="disk is full"):
        await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert set(_words(data).values()) == {"old"}
    assert _names(data) == ["bot1"]
    (data / "bot1/data/noise").write_bytes(os.urandom(25_000_000))
    (small_disk / "more").write_bytes(os.urandom(18_000_000))
    with pytest.raises(DeskFailure, match="disk is full"):
        await snapshots.take("bot1", "bot1_pre_rollback_20260220_000000.tar.gz")
    assert _names(backups) == [NAME]


async def test_a_snapshot_with_links_is_not_taken(snapshots: DeskSnapshots, data: Path) -> None:
    """What could not be restored is no snapshot."""
    (data / "bot1/conf/link").symlink_to("/etc/passwd")
    with pytest.raises(DeskFailure, match="link"):
        await snapshots.take("bot1", NAME)
    assert list((data.parent / "backups").iterdir()) == []


async def test_names_that_lead_elsewhere_are_refused(snapshots: DeskSnapshots) -> None:
    """A name is a name of this bot's snapshot and nothing else."""
    for name in ("../../etc/shadow", "bot2_20260219_040000.tar.gz", "bot1.tar.gz", ""):
        with pytest.raises(DeskFailure):
            await snapshots.extract("bot1", name, sha256="0" * 64, token="a1")
    for token in ("", "../x", "a b"):
        with pytest.raises(DeskFailure):
            await snapshots.discard("bot1", token)


async def test_the_newest_thirty_are_kept_and_pre_rollback_ones_too(
    snapshots: DeskSnapshots, data: Path
) -> None:
    """Pruning removes the oldest of the usual ones only."""
    backups = data.parent / "backups"
    for day in range(1, 34 + 1):
        archives.write(
            backups / f"bot1_202601{day:02d}_040000.tar.gz"
            if day < 32
            else backups / f"bot1_202602{day - 31:02d}_040000.tar.gz",
            [],
        )
    archives.write(backups / "bot1_pre_rollback_20250101_000000.tar.gz", [])
    removed = await snapshots.prune("bot1", keep=30)
    assert removed == tuple(f"bot1_202601{day:02d}_040000.tar.gz" for day in (4, 3, 2, 1))
    assert len(await snapshots.list("bot1")) == 31


async def test_a_cancelled_snapshot_stops_and_leaves_nothing(snapshots: DeskSnapshots, data: Path) -> None:
    """Who cancels gets control back only when the thread has ended and tidied up."""
    for number in range(40):
        (data / "bot1/data" / f"{number}").write_bytes(os.urandom(1_000_000))
    task = asyncio.create_task(snapshots.take("bot1", NAME))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((data.parent / "backups").iterdir()) == []


@pytest.mark.slow
async def test_a_bomb_within_one_file_can_be_called_off(snapshots: DeskSnapshots, data: Path) -> None:
    """Its few megabytes unpack to gigabytes: whoever stops waiting stops the reading too."""
    path = data.parent / "backups" / NAME
    header = member("bot1/data/bomb", b"")[0]
    header.size = 6 * 1024**3
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        zeros = bytes(16 * 1024**2)
        for _ in range(40):
            file.write(zeros)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await snapshots.room_to_extract(NAME)
    assert time.monotonic() - started < 2


async def test_what_is_restored_can_be_read_by_the_bot_whatever_our_umask(
    snapshots: DeskSnapshots, data: Path, private: None
) -> None:
    """Modes are the archive's; folders it does not name are open; the archive that is taken is its owner's alone."""
    path = archives.write(data.parent / "backups" / NAME, sound())
    await snapshots.extract("bot1", NAME, sha256=_sha(path), token="a1")
    assert (data / ".bot1.a1/conf").stat().st_mode & 0o777 == 0o755
    assert (data / ".bot1.a1/conf/file.txt").stat().st_mode & 0o777 == 0o644
    taken = "bot1_pre_rollback_20260221_120000.tar.gz"
    await snapshots.take("bot1", taken)
    assert (data.parent / "backups" / taken).stat().st_mode & 0o777 == 0o600


@pytest.fixture
def private() -> Iterator[None]:
    """Keep new files to their owner, as the service and the agent do."""
    before = os.umask(0o077)
    yield
    os.umask(before)


async def test_a_link_put_in_place_while_a_snapshot_is_taken_leads_nowhere(
    snapshots: DeskSnapshots, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot's container swaps a folder, then a file, for a link just after it was looked at."""
    outside = data.parent / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text("orchid77")
    conf, real = data / "bot1/conf", os.stat

    for swapped in (conf, conf / "file.txt"):

        def stat(path: str, swapped: Path = swapped, **how: object) -> os.stat_result:
            found = real(path, **how)  # type: ignore[arg-type] # as it was called
            if path == swapped.name and not swapped.is_symlink():
                swapped.rename(swapped.with_name("away"))
                swapped.symlink_to(outside if swapped == conf else outside / "file.txt")
            return found

        with monkeypatch.context() as patch:
            patch.setattr(os, "stat", stat)
            with pytest.raises(DeskFailure):
                await snapshots.take("bot1", NAME)
        assert swapped.is_symlink(), "the attack took place"
        assert _names(data.parent / "backups") == []
        swapped.unlink()
        swapped.with_name("away").rename(swapped)
    await snapshots.take("bot1", NAME)


@pytest.mark.parametrize("how", ["the folder", "a folder in it", "where it goes"])
async def test_a_link_put_in_place_while_files_are_linked_leads_nowhere(
    data: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What lies outside gets no second name in a bot's folder, which the bot could write to; nor is anything put there."""
    outside, beside = data.parent / "outside", data / ".bot1.a1"
    outside.mkdir()
    beside.mkdir()
    (outside / "shadow").write_text("orchid77")
    (data / "bot1/logs/old").mkdir()
    real = os.stat
    attacked = {
        "the folder": data / "bot1/logs",
        "a folder in it": data / "bot1/logs/old",
        "where it goes": beside / "logs",
    }[how]

    def stat(path: str, **options: object) -> os.stat_result:
        found = real(path, **options)  # type: ignore[arg-type] # as it was called
        if path == attacked.name and not attacked.is_symlink():
            if attacked.exists():
                attacked.rename(data.parent / "away")
            attacked.symlink_to(outside)
        return found

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(OSError, match=r"directory|links"):
        link_tree(data / "bot1/logs", beside / "logs")
    monkeypatch.undo()
    assert attacked.is_symlink(), "the attack took place"
    assert (outside / "shadow").stat().st_nlink == 1
    assert _names(outside) == ["shadow"]


@pytest.mark.parametrize("part", ["conf", "logs"])
async def test_folders_that_lie_1_500_deep_are_a_refusal(
    snapshots: DeskSnapshots, data: Path, part: str
) -> None:
    """Taking a snapshot, comparing one and putting one back end in words, whatever the bot nested."""
    archives.write(data.parent / "backups" / NAME, sound())
    sha256 = await snapshots.checksum(NAME)
    place = os.open(data / "bot1" / part, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    await snapshots.extract("bot1", NAME, sha256=sha256, token="a1")
    asked: list[Coroutine[object, object, object]]
    if part == "logs":
        asked = [snapshots.swap("bot1", "a1")]
    else:
        asked = [
            snapshots.take("bot1", NAME.replace("0400", "0500")),
            snapshots.differences("bot1", NAME),
            snapshots.room_to_take("bot1"),
        ]
    for each in asked:
        with pytest.raises(DeskFailure, match="deep"):
            await each
    assert (data / "bot1" / part / "file.txt").read_text() == "old"
    await snapshots.discard("bot1", "a1")
    removing = await asyncio.create_subprocess_exec("/bin/rm", "-rf", str(data / "bot1" / part / "d"))
    assert await removing.wait() == 0
