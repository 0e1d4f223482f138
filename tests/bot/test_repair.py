"""``doctor --repair``: a copy first, then what can be read, and nothing claimed that is not so."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.command_line.table import app
from bot.doctor.repair import check, repair
from bot.store import open_store
from bot.store.lock import only_process
from bot.store.migrate import OLDEST, migrate
from tests.contracts.store_samples import NOW, line, open_incident, signal
from tests.contracts.test_store_outcomes import damaged_table
from triage.errors import SettingError
from triage.ports.store import Tx

pytestmark = pytest.mark.slow

MANY = 3000


async def filled(url: str) -> None:
    """Put incidents, signals and a trail into a store."""

    def write(tx: Tx) -> None:
        for number in range(40):
            one = open_incident(tx, title=f"incident {number}")
            tx.timeline.add(line(one.id, key=f"line {number}"))
        tx.signals.add([signal(f"e{number}") for number in range(MANY)])
        for number in range(50):
            tx.audit.append(at=NOW, actor="U1", event="pressed", target=f"INC-{number}")

    async with open_store(url) as store:
        await store.write(write)


def counts(path: Path) -> dict[str, int]:
    """Count rows."""
    with closing(sqlite3.connect(path)) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - a test's own names
            for table in ("incidents", "signals", "timeline", "audit")
        }


def copies(folder: Path, pattern: str = "triage.db.damaged-*") -> list[Path]:
    """Return the folders of copies, or what else lies there."""
    return list(folder.glob(pattern))


async def test_a_whole_database_is_copied_checked_and_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    """Nothing is changed, and that is said."""
    await filled(sqlite_url)
    done = repair(sqlite_url, NOW)
    assert done.whole
    assert "nothing was changed" in done.lines[-1]
    [copy] = copies(tmp_path)
    assert check(copy / "triage.db") == []


async def test_one_damaged_table_costs_what_it_held_and_nothing_else(sqlite_url: str, tmp_path: Path) -> None:
    """Signals and the audit trail are all there; the service starts on it; the damaged file is kept."""
    await filled(sqlite_url)
    damaged_table(sqlite_url, "timeline")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    said = "\n".join(done.lines)
    assert f"signals: {MANY} rows recovered" in said
    assert "audit: 50 rows recovered" in said
    assert "timeline: 0 rows recovered, 2 places could not be read" in said
    async with open_store(sqlite_url) as store:
        assert len(await store.read(lambda tx: tx.incidents.open())) == 40
        await store.write(lambda tx: tx.timeline.add(line(1, key="new")))
    [copy] = copies(tmp_path)
    assert check(copy / "triage.db") != []


def damage_leaf_that_holds(path: Path, text: bytes) -> None:
    """Overwrite the page of a table (a leaf begins with 13) that holds a text."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = path.read_bytes()
    pages = range(0, len(content), size)
    at = next(page for page in pages if content[page] == 13 and text in content[page : page + size])
    path.write_bytes(content[:at] + b"\x55" * size + content[at + size :])


async def test_a_page_in_the_middle_costs_only_its_rows(sqlite_url: str) -> None:
    """From both ends everything is read up to the damaged page."""
    await filled(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    damage_leaf_that_holds(path, b"e1500")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert MANY - 60 <= counts(path)["signals"] < MANY
    assert counts(path)["incidents"] == 40


async def test_rows_whose_parent_is_lost_are_left_out_and_said(sqlite_url: str) -> None:
    """Incidents are lost: their lines cannot stand alone."""
    await filled(sqlite_url)
    damaged_table(sqlite_url, "incidents")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert "rows belonged to what is lost and were left out" in "\n".join(done.lines)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    assert counts(path) == {"incidents": 0, "timeline": 0, "signals": MANY, "audit": 50}


async def test_a_disk_that_fills_leaves_the_database_as_it_was_and_says_so(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row that found no room is called unreadable, and what was begun is gone."""
    await filled(sqlite_url)
    damaged_table(sqlite_url, "timeline")
    path = tmp_path / "triage.db"
    before = path.read_bytes()

    def migrate_small(url: str) -> None:
        migrate(url)
        monkeypatch.setattr("bot.doctor.repair.sqlite3.connect", _small)

    monkeypatch.setattr("bot.doctor.repair.migrate", migrate_small)
    done = repair(sqlite_url, NOW)
    assert not done.whole
    assert "database or disk is full" in done.lines[-1]
    assert "left as it is" in done.lines[-1]
    assert path.read_bytes() == before
    assert copies(tmp_path, "*.recovering*") == []


async def test_a_disk_without_room_for_a_copy_is_said_and_nothing_is_tried(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Half a copy is not left there either."""
    await filled(sqlite_url)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        done = repair(sqlite_url, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not done.whole
    assert "No copy could be made" in done.lines[-1]
    assert copies(tmp_path) == []


async def test_every_row_that_can_be_read_is_counted_as_kept(sqlite_url: str) -> None:
    """What the schema itself notes is no row that could not be read, and is this version's afterwards."""
    await filled(sqlite_url)
    damaged_table(sqlite_url, "timeline")
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        noted = database.execute("SELECT key, value FROM notes WHERE value = ?", (OLDEST,)).fetchall()
        database.execute("UPDATE notes SET value = '0000' WHERE value = ?", (OLDEST,))
        database.commit()
    said = "\n".join(repair(sqlite_url, NOW).lines)
    assert said.count("could not be read") == 1, said
    with closing(sqlite3.connect(path)) as database:
        assert noted == database.execute("SELECT key, value FROM notes WHERE value = ?", (OLDEST,)).fetchall()
    assert len(noted) == 1


def _small(path: Path) -> sqlite3.Connection:
    """A file that may not grow: SQLite says of it what it says of a full disk."""
    database = _connect(path)
    if path.name.endswith(".recovering"):
        database.execute("PRAGMA max_page_count=1")
    return database


_connect = sqlite3.connect


def test_what_is_no_database_at_all_is_said(tmp_path: Path) -> None:
    """Nothing can be read: the file stays, and the exit code is bad."""
    path = tmp_path / "triage.db"
    path.write_bytes(b"no database" * 1000)
    result = CliRunner(env={"TRIAGE_DATABASE_URL": f"sqlite:///{path}"}).invoke(app, ["doctor", "--repair"])
    assert "A copy of the database as it was is at" in result.output
    assert "not a database" in result.output
    assert "0 rows recovered" in result.output


def test_a_running_service_is_not_repaired_behind_its_back(sqlite_url: str) -> None:
    """It holds the lock."""
    with only_process(sqlite_url), pytest.raises(SettingError, match="another hbot-triage"):
        repair(sqlite_url, NOW)
