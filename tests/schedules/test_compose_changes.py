"""A changed Compose file: told by the names of its services, kept as digests."""

import os
from pathlib import Path

import pytest

from bot.store import SqlStore
from schedules.compose_changes import NOTE, ComposeWatch
from tests.triage.incidents.desk_story import Story
from triage.desk import Desk
from triage.desk_sections.compose import Paths

FILE = "services:\n  bot1:\n    environment: {KEY: secret_1}\n  redis:\n    image: redis:7.2\n"


async def test_it_is_told_whose_part_changed_and_nothing_of_what_stands_there(
    tmp_path: Path, sqlite_store: SqlStore
) -> None:
    """Once; a comment is no change, and the first look tells nothing."""
    file = tmp_path / "docker-compose.yml"
    story = Story(sqlite_store, desk=Desk().model_copy(update={"paths": Paths(compose=tmp_path)}))
    watch = ComposeWatch(sqlite_store, story.desk, story.clock, lambda: None)
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
    watch = ComposeWatch(sqlite_store, story.desk, story.clock, lambda: None)
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
    watch = ComposeWatch(sqlite_store, story.desk, story.clock, lambda: None)
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
    watch = ComposeWatch(sqlite_store, story.desk, story.clock, lambda: None)
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
