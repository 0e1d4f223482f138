"""Work on the desk's files on a thread: called off, waited for, and left behind where it hangs."""

import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.desk import env_file
from bot.desk.controllers import DeskControllers
from bot.desk.env_file import DeskEnvFile
from bot.desk.snapshots import DeskSnapshots
from bot.threads import Going, stoppable
from tests.bot.desk import archives
from tests.bot.desk.archives import sound
from triage.errors import ChangeNotConfirmed, DeskFailure

NAME = "bot1_20260219_040000.tar.gz"


async def test_what_the_work_returns_and_raises_is_told() -> None:
    """On a thread that the process does not wait for at its end."""
    assert await stoppable(lambda _: threading.current_thread().daemon, "work")

    def fails(_: Going) -> None:
        raise DeskFailure("the disk is full")

    with pytest.raises(DeskFailure, match="the disk is full"):
        await stoppable(fails, "work")


async def test_work_that_is_called_off_is_waited_for() -> None:
    """Who cancels gets control back when the thread has ended."""
    begun, over = threading.Event(), threading.Event()

    def work(going: Going) -> None:
        begun.set()
        try:
            while True:
                going()
        finally:
            over.set()

    asking = asyncio.create_task(stoppable(work, "work"))
    await asyncio.to_thread(begun.wait, 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert over.is_set()


async def test_work_that_hangs_is_left_behind() -> None:
    """A dead disk: control comes back after the given time; other work, many of it, does not wait for it."""
    answers = threading.Event()
    late: list[str] = []

    def work(going: Going) -> None:
        answers.wait(10)
        going()
        late.append("written")

    hanging = [asyncio.create_task(stoppable(work, "work", end_seconds=0.05)) for _ in range(40)]
    await asyncio.sleep(0.05)
    assert await stoppable(lambda _: "done", "work") == "done"
    for each in hanging:
        each.cancel()
    async with asyncio.timeout(5):
        found = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in found)
    answers.set()
    for thread in [each for each in threading.enumerate() if each.name == "desk files"]:
        await asyncio.to_thread(thread.join, 5)
    assert late == []


async def given_up(asking: asyncio.Task[Any], hangs: threading.Event, answers: threading.Event) -> None:
    """Give work up while it hangs: the caller is free at once; then let the disk answer, and the work come to its end."""
    await asyncio.to_thread(hangs.wait, 5)
    asking.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await asking
    answers.set()
    for thread in [each for each in threading.enumerate() if each.name == "desk files"]:
        await asyncio.to_thread(thread.join, 5)


async def test_a_swap_that_was_given_up_is_not_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk hangs before the folders are exchanged, and answers after it was told that the step did not end."""
    archives.bot_folder(tmp_path / "data")
    (tmp_path / "backups").mkdir()
    archive = archives.write(tmp_path / "backups" / NAME, sound())
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    snapshots = DeskSnapshots(tmp_path / "data", tmp_path / "backups")
    await snapshots.extract("bot1", NAME, sha256=sha256, token="t")
    hangs, answers = threading.Event(), threading.Event()

    def hanging(_: Path) -> None:
        hangs.set()
        answers.wait(10)

    monkeypatch.setattr("bot.desk.snapshots.sync_folder", hanging)
    monkeypatch.setattr("bot.threads.END_SECONDS", 0.05)
    asking = asyncio.create_task(snapshots.swap("bot1", "t"))
    await given_up(asking, hangs, answers)
    assert await snapshots.swapped("bot1", "t") is False


def names_below(folder: Path) -> list[str]:
    """Return the names of a folder."""
    return [each.name for each in folder.iterdir()]


def _hanging(work: Callable[..., Any]) -> tuple[threading.Event, threading.Event, Callable[..., Any]]:
    """Return a call that hangs before it does its work, with the events that say so and that let it go on."""
    hangs, answers = threading.Event(), threading.Event()

    def call(*words: object) -> object:
        hangs.set()
        answers.wait(10)
        return work(*words)

    return hangs, answers, call


@pytest.mark.parametrize("where", ["bot.desk.env_file._text", "bot.desk.files.os.fchmod"])
async def test_a_key_is_not_changed_after_it_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Reading ``.env`` or writing beside it hangs; when the disk answers, nobody waits any more, and it stays as it is."""
    file = tmp_path / ".env"
    file.write_text("A=1\n")
    hangs, answers, call = _hanging(env_file._text if where.endswith("_text") else os.fchmod)
    monkeypatch.setattr(where, call)
    monkeypatch.setattr("bot.threads.END_SECONDS", 0.05)
    asking = asyncio.create_task(DeskEnvFile(file).set("A", "2", was="1"))
    await given_up(asking, hangs, answers)
    assert file.read_text() == "A=1\n"
    assert names_below(tmp_path) == [".env"]


async def test_a_switch_is_not_changed_after_it_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk hangs while the new content is written beside a controller's file."""
    file = tmp_path / "bot1" / "conf" / "controllers" / "c.yml"
    file.parent.mkdir(parents=True)
    file.write_text("internal_paper_enabled: true\n")
    hangs, answers, call = _hanging(os.fchmod)
    monkeypatch.setattr("bot.watched_files.os.fchmod", call)
    monkeypatch.setattr("bot.threads.END_SECONDS", 0.05)
    change = DeskControllers(tmp_path).set(
        "bot1", "controllers/c.yml", "internal_paper_enabled", value=False, was=True
    )
    await given_up(asyncio.create_task(change), hangs, answers)
    assert file.read_text() == "internal_paper_enabled: true\n"
    assert names_below(file.parent) == ["c.yml"]


async def test_a_change_that_the_disk_did_not_confirm_is_not_told_as_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the rename the file has its new content, whatever the folder's fsync says."""
    file = tmp_path / ".env"
    file.write_text("A=1\n")

    def fails(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("bot.desk.files.sync_folder", fails)
    with pytest.raises(ChangeNotConfirmed, match="is changed, but the disk did not confirm it"):
        await DeskEnvFile(file).set("A", "2", was="1")
    assert file.read_text() == "A=2\n"
