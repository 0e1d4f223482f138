"""The schema: what the migrations make is what the tables say, on an empty database and on an old one."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from typer.testing import CliRunner

from bot.command_line.table import app
from bot.store import action_tables, event_tables, migrate, open_store
from bot.store.engine import open_engine
from bot.store.tables import metadata
from tests.contracts.store_samples import (
    HOSTILE,
    NOW,
    episode,
    finding,
    incident,
    line,
    open_incident,
    signal,
)
from triage.errors import SettingError, StoreUnavailable
from triage.ports.store import Tx

pytestmark = pytest.mark.slow

HELD = (action_tables.actions, event_tables.events)
"""Importing them puts their tables beside the others in the metadata."""


def config(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's settings for our migrations."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def differences(url: str) -> list[object]:
    """Return how the database differs from the tables."""
    engine = open_engine(url, writer=True)
    with engine.begin() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), metadata
        )
    engine.dispose()
    return list(found)


def test_head_is_the_newest_revision() -> None:
    """A start compares with it instead of importing Alembic."""
    script = ScriptDirectory.from_config(config())
    assert script.get_heads() == [migrate.HEAD]


def test_the_migrations_make_what_the_tables_say(empty_url: str) -> None:
    """No column, index or constraint is in one of them alone."""
    engine = open_engine(empty_url, writer=True)
    with engine.begin() as connection:
        command.upgrade(config(connection), "head")
    engine.dispose()
    assert all(table.metadata is metadata for table in HELD)
    assert differences(empty_url) == []


def test_an_empty_file_gets_at_once_what_the_migrations_would_make(tmp_path: Path) -> None:
    """Also the conditions of indexes and the names of constraints; only their order is another."""
    made, migrated = (
        open_engine(f"sqlite:///{tmp_path}/{name}.db", writer=True) for name in ("made", "migrated")
    )
    migrate.migrate(str(made.url))
    with migrated.begin() as connection:
        command.upgrade(config(connection), "head")
    assert words_of_schema(made) == words_of_schema(migrated)
    assert migrate.current(made) == migrate.current(migrated) == migrate.HEAD


def words_of_schema(engine: sa.Engine) -> dict[str, list[str]]:
    """Return the words of each statement that made something, in the order of the alphabet."""
    with engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master")).all()
    engine.dispose()
    return {name: sorted(re.findall(r"[^\s\"(),]+", sql or "")) for name, sql in rows}


def test_an_old_database_is_brought_up_to_date_with_what_it_holds(empty_url: str) -> None:
    """From the first revision, with a row in it, step by step to the newest."""
    engine = open_engine(empty_url, writer=True)
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        connection.execute(sa.text("INSERT INTO notes (key, value) VALUES ('old', 'kept')"))
    migrate.migrate(empty_url)
    assert migrate.current(engine) == migrate.HEAD
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT value FROM notes WHERE key = 'old'")).scalar() == "kept"
    engine.dispose()
    assert differences(empty_url) == []


def test_migrating_twice_changes_nothing_and_imports_no_alembic(tmp_path: Path) -> None:
    """A service that finds its schema made does not carry Alembic for the rest of its life."""
    url = f"sqlite:///{tmp_path}/triage.db"
    migrate.migrate(url)
    asked = f"import sys; from bot.store.migrate import migrate; migrate({url!r}); print('alembic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"


async def test_a_start_that_stays_small_migrates_in_a_process_of_its_own(empty_url: str) -> None:
    """What the service does: the schema is there, whoever made it."""
    async with open_store(empty_url, migrate_apart=True) as store:
        await store.write(lambda tx: tx.notes.put("a", "b"))
    assert differences(empty_url) == []


@pytest.mark.parametrize("migrate_apart", [False, True])
async def test_a_database_of_a_newer_version_is_refused_in_one_line(
    empty_url: str, *, migrate_apart: bool
) -> None:
    """Whoever goes back a version is told so, and nothing is written."""
    migrate.migrate(empty_url)
    newer = set_revision(empty_url, "0999")
    with pytest.raises(SettingError) as caught:
        async with open_store(empty_url, migrate_apart=migrate_apart):
            pass
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("TRIAGE_DATABASE_URL: the database has the schema '0999'")
    assert f"none beyond {migrate.HEAD}: start the newer version" in str(caught.value)
    assert migrate.current(newer) == "0999"
    newer.dispose()


async def test_the_command_line_says_it_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2: the setting names a database that this version cannot use."""
    url = f"sqlite:///{tmp_path}/triage.db"
    migrate.migrate(url)
    set_revision(url, "0999").dispose()
    monkeypatch.chdir(tmp_path)
    asked = await asyncio.to_thread(
        CliRunner(env={"TRIAGE_DATABASE_URL": url}).invoke, app, ["audit", "--verify"]
    )
    assert asked.exit_code == 2
    assert asked.stderr.startswith("hbot-triage: TRIAGE_DATABASE_URL: ")
    assert asked.stderr.count("\n") == 1


def set_revision(url: str, revision: str) -> sa.Engine:
    """Make the database one of another version that works with none before; the caller disposes of the engine."""
    engine = open_engine(url, writer=True)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE notes SET value = :to WHERE key = 'schema/oldest'"), {"to": revision}
        )
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    return engine


async def test_a_migration_that_fails_is_said_in_one_line(tmp_path: Path) -> None:
    """A database that is no database of ours."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/triage.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE signals (something INTEGER)"))
    engine.dispose()
    with pytest.raises(StoreUnavailable) as caught:
        async with open_store(f"sqlite:///{tmp_path}/triage.db", migrate_apart=True):
            pass
    assert "\n" not in str(caught.value)
    assert "signals" in str(caught.value)


async def test_hostile_text_is_taken_everywhere(store_url: str) -> None:
    """NUL, half a surrogate pair, quotes: in every text there is, on both databases; the rest of it is kept."""

    def write(tx: Tx) -> None:
        hostile = {HOSTILE: HOSTILE}
        tx.signals.add(
            [
                signal(
                    HOSTILE, name=HOSTILE, labels=hostile, annotations=hostile, generator_url=HOSTILE,
                    fingerprint=HOSTILE, data={"a": [HOSTILE, hostile]},
                )
            ]
        )  # fmt: skip
        one = open_incident(tx, title=HOSTILE, name=HOSTILE, acknowledged_by=HOSTILE, resolved_by=HOSTILE)
        tx.incidents.put_episode(
            episode(one.id, HOSTILE, name=HOSTILE, labels=hostile, annotations=hostile, fingerprint=HOSTILE)
        )
        tx.timeline.add(line(one.id, HOSTILE, actor=HOSTILE, source=HOSTILE, key=HOSTILE, data=hostile))
        run = tx.runs.queue(one.id, HOSTILE, NOW)
        taken = tx.runs.take(NOW, owner="me", lease_seconds=9)
        assert taken is not None
        assert taken.id == run

        tx.runs.finish(
            replace(
                taken, findings=(finding(headline=HOSTILE, why=HOSTILE, details=(HOSTILE,), data=hostile),)
            )
        )
        tx.notes.put(HOSTILE, HOSTILE)
        tx.notes.save_document("digest", hostile, made_at=NOW, content=b"\0")
        tx.outbox.defer(1, until=NOW, error=HOSTILE)
        tx.audit.append(at=NOW, actor=HOSTILE, event=HOSTILE, target=HOSTILE, detail=hostile)
        tx.incidents.save(incident(title=HOSTILE))

    async with open_store(store_url) as store:
        await store.write(write)
        await store.write(lambda tx: tx.signals.add([signal(HOSTILE)]))
        stored = (await store.read(lambda tx: tx.signals.inbox(9)))[0]
        shown = next(iter(stored.signal.labels.values()))
        assert "🦜" in shown
        assert "right to left \u202e" in shown
        assert stored.signal.name.startswith("nul \ufffd")
        assert len(await store.read(lambda tx: tx.signals.of(1))) == 0
        one = await store.read(lambda tx: tx.incidents.get(1))
        assert one is not None
        assert one.title.encode()


def test_the_file_of_another_program_is_no_place_for_our_tables(tmp_path: Path) -> None:
    """A setting that names the wrong file must not write into it; a PostgreSQL database may be shared."""
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE photos (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    with pytest.raises(SettingError, match=r"another program \(its tables: photos\)"):
        migrate.migrate(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("photos",)]
    assert before[100:] == path.read_bytes()[100:]
