"""A changed Compose file: told by the names of its services, kept as digests."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from bot.store import SqlStore
from bot.watched_reads import FOLDERS, WatchedFolders
from schedules.compose_changes import NOTE, ComposeWatch
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.desk_sections.compose import Paths

T = TypeVar("T")
FILE = "services:\n  bot1:\n    environment: {KEY: secret_1}\n  redis:\n    image: redis:7.2\n"


async def test_it_is_told_whose_part_changed_and_nothing_of_what_stands_there(
    tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """Once; a comment is no change, and the first look tells nothing."""
    file = tmp_path / "docker-compose.yml"
    story = Story(sqlite_store, desk=Desk().model_copy(update={"paths": Paths(compose=tmp_path)}))
    watch = ComposeWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    await story.fire("BotHardStopActive")
    assert not await watch.run(), "no file"
    for number, (text, changed) in enumerate(
        (
            (FILE, False),
            (f"# reviewed\n{FILE}", False),
            (FILE.replace("secret_1", "secret_2"), True),
            (FILE.replace("secret_1", "secret_2").replace("7.2", "7.4"), True),
        )
    ):
        file.write_text(text)
        os.utime(file, ns=(number + 1, number + 1))
        assert await watch.run() is changed
        assert not await watch.run(), "untouched since"
    assert await story.told() == ["docker-compose.yml changed: bot1", "docker-compose.yml changed: redis"]
    note = await sqlite_store.read(lambda tx: tx.notes.get(NOTE))
    assert note is not None
    assert "secret" not in note


async def test_a_note_that_cannot_be_read_begins_anew(tmp_path: Path, sqlite_store: SqlStore) -> None:
    """What was there before is not known, so nothing is told; the next edit is."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(FILE)
    story = Story(sqlite_store, desk=Desk().model_copy(update={"paths": Paths(compose=tmp_path)}))
    watch = ComposeWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    await sqlite_store.write(lambda tx: tx.notes.put(NOTE, "{oops"))
    assert not await watch.run()
    file.write_text(FILE.replace("7.2", "7.4.1"))
    assert await watch.run()


async def test_a_change_of_the_second_file_is_told_by_its_name(
    tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """Each file is compared with itself."""
    for name in ("base.yml", "over.yml"):
        (tmp_path / name).write_text(FILE)
    compose = Desk().compose.model_copy(update={"files": ("base.yml", "over.yml")})
    desk = Desk().model_copy(update={"paths": Paths(compose=tmp_path), "compose": compose})
    story = Story(sqlite_store, desk=desk)
    watch = ComposeWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    await story.fire("BotHardStopActive")
    assert not await watch.run()
    (tmp_path / "over.yml").write_text(FILE.replace("7.2", "7.4.1"))
    assert await watch.run()
    assert await story.told() == ["over.yml changed: redis"]


@pytest.mark.parametrize("name", ["docker-compose.override.yml", "compose.override.yaml"])
async def test_an_override_that_comes_and_goes_is_a_change(
    tmp_path: Path, sqlite_store: SqlStore, name: str
) -> None:
    """Compose takes it by itself; where the first file cannot be seen either, nothing is known and nothing told."""
    desk = Desk().model_copy(update={"paths": Paths(compose=tmp_path)})
    story = Story(sqlite_store, desk=desk)
    watch = ComposeWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=FOLDERS
    )
    override = tmp_path / name
    await story.fire("BotHardStopActive")
    assert not await watch.run(), "no way to the folder"
    (tmp_path / "docker-compose.yml").write_text(FILE)
    assert not await watch.run()
    override.write_text("services:\n  redis:\n    image: redis:7.4\n")
    assert await watch.run()
    assert not await watch.run()
    story.clock.move(minutes=1)
    override.unlink()
    assert await watch.run()
    assert not await watch.run()
    assert await story.told() == [f"{name} changed: redis"] * 2


async def test_a_disk_that_hangs_loses_no_change(tmp_path: Path, sqlite_store: SqlStore) -> None:
    """The read is given up; what it learns when the disk answers is looked at anew, and told."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(FILE)
    story = Story(sqlite_store, desk=Desk().model_copy(update={"paths": Paths(compose=tmp_path)}))
    await story.fire("BotHardStopActive")
    folders = Hanging(seconds=0.2)
    watch = ComposeWatch(
        store=sqlite_store, desk=story.desk, clock=story.clock, stored=lambda: None, reads=folders
    )
    assert not await watch.run()
    file.write_text(FILE.replace("7.2", "7.4.1"))
    folders.hangs = True
    assert not await watch.run()
    folders.answers.set()
    for thread in [each for each in threading.enumerate() if each.name == "watched file"]:
        await asyncio.to_thread(thread.join, 5)
    folders.hangs = False
    assert await watch.run()
    assert await story.told() == ["docker-compose.yml changed: redis"]


class Hanging(WatchedFolders):
    """Folders on a disk that hangs, after it has given what was asked for, until it answers."""

    hangs = False

    def __init__(self, *, seconds: float) -> None:
        super().__init__(seconds=seconds)
        self.answers = threading.Event()

    async def read(self, work: Callable[[], T], what: str) -> T:
        """Read, and hang with what was read."""

        def hanging() -> T:
            found = work()
            if self.hangs:
                self.answers.wait(10)
            return found

        return await super().read(hanging, what)
