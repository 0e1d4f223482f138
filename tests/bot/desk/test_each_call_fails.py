"""Each call that changes a file of the desk fails once, or from then on: the file is the old or the new one, as is said."""

# ruff: noqa: ASYNC240 - files of a test, in memory

import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from bot.agent.record import AgentRecord
from bot.desk.env_file import DeskEnvFile
from bot.desk.snapshots import DeskSnapshots
from bot.whole_files import write_whole
from tests.bot.desk import archives
from triage.errors import ChangeNotConfirmed, DeskFailure

pytestmark = pytest.mark.slow
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
CALLS = (
    "open",
    "write",
    "fsync",
    "mkdir",
    "link",
    "rename",
    "replace",
    "unlink",
    "ftruncate",
    "fchmod",
    "utime",
)
OLD, NEW = "old", "new"


@dataclass
class BadDisk:
    """Fails the call with this number, and all later ones where it is ``stuck``. ``met``: whether it came so far."""

    at: int
    code: int
    stuck: bool
    calls: int = 0
    met: bool = False
    on: bool = True

    def fails(self) -> bool:
        """Count a call."""
        if not self.on:
            return False
        self.calls += 1
        failed = self.calls == self.at or (self.stuck and self.calls > self.at)
        self.met = self.met or failed
        return failed


@contextmanager
def bad_disk(disk: BadDisk) -> Iterator[None]:
    """Have the calls of the operating system fail so."""
    with pytest.MonkeyPatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, _failing(disk, name, getattr(os, name)))
        yield


def _failing(disk: BadDisk, name: str, usual: Callable[..., object]) -> Callable[..., object]:
    def call(*arguments: object, **named: object) -> object:
        flags = arguments[1] if name == "open" and len(arguments) > 1 else os.O_RDWR
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if writes and disk.fails():
            raise OSError(disk.code, os.strerror(disk.code), "a file")
        return usual(*arguments, **named)

    return call


async def outcome(work: Awaitable[object]) -> str:
    """Say what the work told: done, not done, or done without the disk's word for it. Nothing else may come of it."""
    try:
        await work
    except ChangeNotConfirmed:
        return "unsure"
    except DeskFailure:
        return "not done"
    return "done"


@pytest.mark.parametrize("stuck", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.__getitem__)
async def test_an_env_file_is_the_old_or_the_new_one(tmp_path: Path, code: int, *, stuck: bool) -> None:
    """A failure says that it is as it was, and it is."""
    env = tmp_path / ".env"
    for number in count(1):
        env.write_text("IMAGE=old\n")
        disk = BadDisk(number, code, stuck)
        with bad_disk(disk):
            told = await outcome(DeskEnvFile(env).set("IMAGE", NEW, was=OLD))
        assert env.read_text() == ("IMAGE=old\n" if told == "not done" else "IMAGE=new\n")
        if not stuck:
            assert [each.name for each in tmp_path.iterdir()] == [".env"] or disk.met
        for left in tmp_path.glob("..env.*"):
            left.unlink()
        if not disk.met:
            break
    assert number > 3


@pytest.mark.parametrize("stuck", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.__getitem__)
async def test_a_snapshot_is_whole_or_not_there(tmp_path: Path, code: int, *, stuck: bool) -> None:
    """Under its name; nor is a half one left beside it, where the disk takes anything at all."""
    archives.bot_folder(tmp_path / "data")
    (tmp_path / "backups").mkdir()
    snapshots = DeskSnapshots(tmp_path / "data", tmp_path / "backups")
    for number in count(1):
        name = f"bot1_20260220_{number:06d}.tar.gz"
        disk = BadDisk(number, code, stuck)
        with bad_disk(disk):
            told = await outcome(snapshots.take("bot1", name))
        there = {each.name for each in (tmp_path / "backups").iterdir()}
        assert told != "unsure"
        if told == "done":
            assert name in there
        elif not stuck:
            assert name not in there
        if name in there:
            await snapshots.room_to_extract(name)  # reads it through
        if not disk.met:
            break
    assert number > 2


@pytest.mark.parametrize("stuck", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.__getitem__)
async def test_a_rollback_leaves_the_old_folder_or_the_new_one(
    tmp_path: Path, code: int, *, stuck: bool
) -> None:
    """Extracting changes nothing of the bot's; the exchange is told as not done only where the old files stand."""
    name = "bot1_20260219_040000.tar.gz"
    for number in count(1):
        root = tmp_path / str(number)
        bot = archives.bot_folder(root / "data")
        (root / "backups").mkdir()
        archives.write(root / "backups" / name, archives.sound())
        snapshots = DeskSnapshots(root / "data", root / "backups")
        digest = await snapshots.checksum(name)
        disk = BadDisk(number, code, stuck)
        with bad_disk(disk):
            told = await outcome(snapshots.extract("bot1", name, sha256=digest, token="t1"))
            assert contents(bot) == {OLD}
            assert told != "unsure"
            if told == "done":
                told = await outcome(snapshots.swap("bot1", "t1"))
        assert contents(bot) == ({OLD} if told == "not done" else {NEW}), (number, told)
        if not disk.met:
            break
    assert number > 5


def contents(bot: Path) -> set[str]:
    """Return what the files of a bot's parts hold."""
    return {(bot / part / "file.txt").read_text() for part in archives.PARTS}


@pytest.mark.parametrize("stuck", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.__getitem__)
def test_the_agent_s_record_stays_whole(tmp_path: Path, code: int, *, stuck: bool) -> None:
    """What was not taken down is an error, and no half line is left before the next: a start would call it changed."""
    at = datetime(2026, 2, 21, tzinfo=UTC)
    for number in count(1):
        path = tmp_path / f"{number}.jsonl"
        record = AgentRecord.opened(path)
        record.append(at, "first", {})
        disk = BadDisk(number, code, stuck)
        taken = ["first"]
        with bad_disk(disk):
            for what in ("second", "third"):
                with suppress(DeskFailure):
                    record.append(at, what, {"a": "b" * 500})
                    taken.append(what)
        record.append(at, "last", {})
        record.close()
        again = AgentRecord.opened(path)
        assert [entry.what for entry in again.entries] == [*taken, "last"]
        again.close()
        if not disk.met:
            break
    assert number > 3


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.__getitem__)
def test_a_file_that_was_asked_for_is_the_old_or_the_new_one(tmp_path: Path, code: int) -> None:
    """A postmortem or a picture that the disk does not take leaves the one of before."""
    path = tmp_path / "INC-1.md"
    for number in count(1):
        path.write_text(OLD)
        path.chmod(0o640)
        disk = BadDisk(number, code, stuck=False)
        with bad_disk(disk), suppress(OSError):
            write_whole(path, NEW.encode())
        assert path.read_text() == (OLD if disk.met else NEW)
        assert path.stat().st_mode & 0o777 == 0o640
        assert [each.name for each in tmp_path.iterdir()] == [path.name]
        if not disk.met:
            break
    assert number > 3


def test_a_half_line_of_the_agent_s_record_is_removed_before_the_next(tmp_path: Path) -> None:
    """Where the disk took a part of it and does not let it be cut off either, as one that became read-only."""
    at = datetime(2026, 2, 21, tzinfo=UTC)
    record = AgentRecord.opened(tmp_path / "record.jsonl")
    record.append(at, "first", {})
    usual = os.write

    def half(handle: int, data: bytes) -> int:
        usual(handle, data[: len(data) // 2])
        raise OSError(errno.EROFS, "Read-only file system")

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "write", half)
        patched.setattr(os, "ftruncate", refuse)
        with pytest.raises(DeskFailure, match="nothing is done that cannot be recorded"):
            record.append(at, "second", {})
    record.append(at, "third", {})
    record.close()
    again = AgentRecord.opened(tmp_path / "record.jsonl")
    assert [entry.what for entry in again.entries] == ["first", "third"]
    again.close()
