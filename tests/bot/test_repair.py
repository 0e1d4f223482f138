"""``doctor --repair``: a copy first, then what can be read, and nothing claimed that is not so."""

import errno
import os
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.command_line.table import app
from bot.doctor.repair import repair
from bot.doctor.working_copy import check
from bot.store import open_store
from bot.store.lock import only_process
from bot.store.migrate import OLDEST, migrate
from tests.contracts.store_samples import NOW, line, open_incident, signal
from tests.contracts.test_store_outcomes import damaged_table
from triage.errors import SettingError, StoreUnavailable
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
    """Also of it, what lay on other pages is there; the service starts on it; the damaged file is kept."""
    await filled(sqlite_url)
    damaged_table(sqlite_url, "timeline")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    said = "\n".join(done.lines)
    assert f"signals: {MANY} rows recovered" in said
    assert "audit: 50 rows recovered" in said
    assert "timeline: 0 rows recovered, 1 of its pages could not be read" in said
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
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    damage_leaf_that_holds(path, b"incident 20")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert "rows belonged to what is lost and were left out" in "\n".join(done.lines)
    left = counts(path)
    assert left["incidents"] == left["timeline"] < 40
    assert (left["signals"], left["audit"]) == (MANY, 50)


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


@pytest.mark.parametrize(
    ("number", "mend"), [(errno.EROFS, "writable"), (errno.EACCES, "writable"), (errno.ENOSPC, "room")]
)
async def test_what_helps_against_a_disk_that_takes_no_copy_is_named(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, number: int, mend: str
) -> None:
    """Room helps against a full one alone."""
    await filled(sqlite_url)

    def refused(*_: object) -> Path:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("bot.doctor.repair.copied", refused)
    done = repair(sqlite_url, NOW)
    assert not done.whole
    assert mend in done.lines[-1]


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
    assert "damaged and left out" not in said
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


@pytest.mark.parametrize("content", [b"no database" * 1000, b"", b"SQLite format 3\x00" + bytes(5000)])
def test_what_is_no_database_at_all_is_said(tmp_path: Path, content: bytes) -> None:
    """Nothing can be read: the file stays, and the exit code is bad."""
    path = tmp_path / "triage.db"
    path.write_bytes(content)
    result = CliRunner(env={"TRIAGE_DATABASE_URL": f"sqlite:///{path}"}).invoke(app, ["doctor", "--repair"])
    assert result.exit_code == 1
    assert "A copy of the database as it was is at" in result.output
    assert "nothing was changed" in result.output
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """A setting that names the wrong file must not cost that file its place."""
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE photos (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    done = repair(f"sqlite:///{path}", NOW)
    assert not done.whole
    assert "another program (its tables: photos)" in done.lines[-1]
    assert path.read_bytes() == before


def put(path: Path, content: bytes, ending: str = "") -> None:
    """Write a file of the database."""
    path.with_name(path.name + ending).write_bytes(content)


def content_of(path: Path, ending: str = "") -> bytes:
    """Read a file of the database."""
    return path.with_name(path.name + ending).read_bytes()


@pytest.fixture
async def whole(sqlite_url: str) -> bytes:
    """Give the content of a filled database."""
    await filled(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return content_of(path)


ALL = {"incidents": 40, "signals": MANY, "timeline": 40, "audit": 50}


@pytest.mark.parametrize(
    ("at", "by"),
    [
        (0, b"\xff" * 16),
        (0, bytes(100)),
        (16, b"\x03\x03"),
        (28, b"\x00\x00\x00\x05"),
        (32, b"\x00\x00\x00\x07\x00\x00\x00\x09"),
        (44, b"\xff" * 4),
        (56, b"\x00\x00\x00\x03"),
        (0, bytes(4096)),
        (100, b"\xff" * 3996),
        (4096, b"\xff" * 4096),
    ],
    ids=["magic", "head", "page size", "size", "free list", "format", "encoding", "zeros", "schema", "map"],
)
async def test_a_damaged_head_or_first_page_costs_no_row(
    sqlite_url: str, whole: bytes, at: int, by: bytes
) -> None:
    """SQLite gives the whole file up; its pages are read one by one."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    put(path, whole[:at] + by + whole[at + len(by) :])
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert counts(path) == ALL
    assert "could not be read" not in "\n".join(done.lines)


@pytest.mark.parametrize("table", ["signals", "incidents", "audit"])
async def test_a_lost_first_page_of_a_table_costs_no_row_on_its_other_pages(
    sqlite_url: str, whole: bytes, table: str
) -> None:
    """The pages below are found by the pointer map; the lost page is said."""
    del whole
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    damaged_table(sqlite_url, table)
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert counts(path) == ALL
    assert f"  {table}: {ALL[table]} rows recovered, 1 of its pages could not be read" in done.lines


async def test_a_file_that_was_cut_off_costs_only_the_pages_that_are_gone(
    sqlite_url: str, whole: bytes
) -> None:
    """At any byte, also within a page."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    put(path, whole[: len(whole) * 3 // 4 + 777])
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    left = counts(path)
    assert left["incidents"] == 40
    assert MANY * 2 // 3 < left["signals"] < MANY
    assert f"signals: {left['signals']} rows recovered, " in "\n".join(done.lines)


async def test_bytes_that_are_no_text_in_the_schema_are_no_traceback(sqlite_url: str, whole: bytes) -> None:
    """SQLite repeats them in its own words."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    put(path, whole.replace(b"ix_timeline_incident_id_at", b"ix_timeline_incide\x8at_id_at", 1))
    with pytest.raises(StoreUnavailable, match="damaged"):
        async with open_store(sqlite_url):
            pass
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert counts(path) == ALL


def logged(path: Path, others: int = 60) -> tuple[bytes, bytes]:
    """Write notes that stay in the log. Returns the database and its log as a kill leaves them."""
    log = path.with_name(f"{path.name}-wal")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        for number in range(others):
            database.execute("INSERT INTO notes VALUES (?, ?)", (f"note {number}", "x" * 3000))
            database.commit()
        return path.read_bytes(), log.read_bytes()


def noted(path: Path) -> int:
    """Count those notes."""
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM notes WHERE key LIKE 'note %'").fetchone()[0])


async def test_a_log_that_is_whole_is_used_and_left(sqlite_url: str, whole: bytes) -> None:
    """A look must not change what it looks at: SQLite copies a log into the database as it closes it."""
    del whole
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    database, log = logged(path)
    put(path, database)
    put(path, log, "-wal")
    done = repair(sqlite_url, NOW)
    assert done.whole
    assert "nothing was changed" in done.lines[-1]
    assert (content_of(path), content_of(path, "-wal")) == (database, log)
    assert noted(path) == 60


@pytest.mark.parametrize(("at", "size"), [(0.5, 500), (0.0, 32)], ids=["in the middle", "its head"])
async def test_bytes_overwritten_in_the_log_cost_their_pages_and_not_all_that_follows(
    sqlite_url: str, whole: bytes, at: float, size: int
) -> None:
    """SQLite drops everything from there on, and says nothing."""
    del whole
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    database, log = logged(path)
    begin = int(len(log) * at)
    put(path, database)
    put(path, log[:begin] + b"\xee" * size + log[begin + size :], "-wal")
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert "pages in its log that cannot be read: " in "\n".join(done.lines)
    assert noted(path) >= 58
    assert counts(path) == ALL


def root_of(database: bytes, table: str) -> int:
    """Return where the first page of a table begins."""
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.deserialize(database[:18] + b"\x01\x01" + database[20:])  # as one without a log
        (page,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return (int(page) - 1) * 4096


async def test_a_kill_before_the_new_file_is_in_place_loses_nothing_of_the_log(
    sqlite_url: str, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is removed before, and the next repair finds what it held in the old file."""
    del whole
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    database, log = logged(path)
    at = root_of(database, "signals")
    put(path, database[:at] + b"\xff" * 4096 + database[at + 4096 :])
    put(path, log, "-wal")
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if self.name.endswith(".recovering"):
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            repair(sqlite_url, NOW)
    assert not path.with_name("triage.db-wal").exists()
    [copy] = copies(tmp_path)
    copy.rename(tmp_path / "first")
    assert repair(sqlite_url, NOW).whole
    assert noted(path) == 60
    assert counts(path) == ALL


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
async def test_a_log_or_journal_of_another_database_is_left_out(
    sqlite_url: str, whole: bytes, tmp_path: Path, ending: str
) -> None:
    """SQLite plays it into whatever database it lies beside."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE photos (name TEXT)")
        database.executemany("INSERT INTO photos VALUES (?)", [("x" * 500,)] * 200)
        database.commit()
        database.execute(f"PRAGMA journal_mode={'WAL' if ending == '-wal' else 'DELETE'}")
        database.execute("PRAGMA cache_size=1")
        database.execute("UPDATE photos SET name = 'y' || name")
        if ending == "-wal":
            database.commit()
        beside = content_of(other, ending)
    put(path, whole)
    put(path, beside, ending)
    done = repair(sqlite_url, NOW)
    assert done.whole, done.lines
    assert "beside it is not its own; it was left out" in "\n".join(done.lines)
    assert counts(path) == ALL
    [copy] = copies(tmp_path)
    assert content_of(copy / "triage.db", ending) == beside


def test_a_running_service_is_not_repaired_behind_its_back(sqlite_url: str) -> None:
    """It holds the lock."""
    with only_process(sqlite_url), pytest.raises(SettingError, match="another hbot-triage"):
        repair(sqlite_url, NOW)
