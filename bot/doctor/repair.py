"""``hbot-triage doctor --repair``: a copy first, then a check, then what can be recovered; each thing said.

Of a damaged SQLite file every row that can still be read is copied, table by table, into a new file with the schema of
this version; the new file takes the old one's place only when it is whole. Nothing is ever removed: the damaged file
stays beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from bot.store import action_tables, event_tables  # noqa: F401 - their tables are part of the metadata
from bot.store.lock import only_process
from bot.store.migrate import migrate
from bot.store.tables import metadata
from triage.errors import SettingError

FAULTS_MAX = 20
"""Faults of the check that are shown."""


@dataclass(slots=True)
class Repair:
    """What was done, line by line, and whether the database is whole now."""

    lines: list[str] = field(default_factory=list)
    whole: bool = False

    def say(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)


def repair(url: str, now: datetime) -> Repair:
    """Check the database at ``url`` and recover what can be. Raises SettingError where that cannot be tried.

    For SQLite; of PostgreSQL it says what to do, which only its administrator can.
    """
    parsed = sa.make_url(url)
    done = Repair()
    if parsed.get_backend_name() != "sqlite":
        done.say(
            "A PostgreSQL database is checked and restored by its administrator: pg_amcheck, then the backup."
        )
        return done
    path = Path(parsed.database or "").resolve()
    if not path.is_file():
        raise SettingError(f"TRIAGE_DATABASE_URL: there is no file {path} to repair")
    with only_process(url):  # the service must not write meanwhile
        _repair_file(path, now, done)
    return done


def _repair_file(path: Path, now: datetime, done: Repair) -> None:
    try:
        copy = _copied(path, now)
    except OSError as error:
        done.say(
            f"No copy could be made ({error}), so nothing was tried and nothing changed: make room for two of {path}."
        )
        return
    done.say(f"A copy of the database as it was is at {copy}.")
    faults = check(path)
    if not faults:
        done.say("The check found no damage; nothing was changed.")
        done.whole = True
        return
    done.say(f"The check found {len(faults)} faults:")
    done.lines += [f"  {fault}" for fault in faults[:FAULTS_MAX]]
    made = path.with_name(f"{path.name}.recovering")
    _remove(made)
    try:
        migrate(f"sqlite:///{made}")
        _recover(path, made, done)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as error:  # the disk is full, as a rule
        _remove(made)
        done.say(
            f"The recovery could not be ended ({error}): the database was left as it is. Make room and try again."
        )
        return
    left = check(made)
    if left:
        done.say(f"What was recovered is not whole ({left[0]}): the database was left as it is.")
        return
    _take_place(made, path)
    done.say(f"The recovered database is in place at {path}; start the service.")
    done.whole = True


def check(path: Path) -> list[str]:
    """Return what SQLite finds wrong in a file, and which of our tables are missing; empty where nothing is."""
    try:
        with closing(sqlite3.connect(path)) as database:
            found = [str(row[0]) for row in database.execute(f"PRAGMA integrity_check({FAULTS_MAX})")]
            there = {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master")}
            rules = [
                f"row {row[1]} of {row[0]} refers to what is not there"
                for row in database.execute("PRAGMA foreign_key_check")
            ]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    missing = [f"the table {name} is missing" for name in metadata.tables if name not in there]
    return [*(line for line in found if line != "ok"), *rules[:FAULTS_MAX], *missing]


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]


def _copied(path: Path, now: datetime) -> Path:
    folder = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    folder.mkdir(mode=0o700)
    try:
        for each in _files(path):
            if each.exists():
                shutil.copy2(each, folder / each.name)
    except OSError:
        shutil.rmtree(folder)  # half a copy is none, and takes room
        raise
    return folder


def _remove(made: Path) -> None:
    for each in _files(made):
        each.unlink(missing_ok=True)


def _take_place(made: Path, path: Path) -> None:
    for each in _files(path)[1:]:
        each.unlink(missing_ok=True)  # the copy has them; beside another file they would be taken for its own
    made.replace(path)
    _remove(made)


def _recover(path: Path, made: Path, done: Repair) -> None:
    """Copy every row that can be read, parents before children, and say of each table what became of it."""
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(made)) as new:
        old.text_factory = lambda text: text.decode("utf-8", "replace")
        new.execute("PRAGMA foreign_keys=OFF")
        of_schema = new.execute("SELECT key, value FROM notes").fetchall()
        new.execute("DELETE FROM notes")  # else the old file's own would count as rows that could not be read
        for table in metadata.sorted_tables:
            names = [column.name for column in table.columns]
            kept, lost = 0, 0
            insert = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of our own schema
            for row in _rows(old, table.name, names):
                if row is not None and _inserted(new, insert, row):
                    kept += 1
                else:
                    lost += 1
            new.commit()
            done.say(
                f"  {table.name}: {kept} rows recovered{f', {lost} places could not be read' if lost else ''}"
            )
        new.executemany("INSERT OR REPLACE INTO notes (key, value) VALUES (?, ?)", of_schema)
        orphans = _drop_orphans(new)
        if orphans:
            done.say(f"  {orphans} rows belonged to what is lost and were left out; the copy has them.")
        new.commit()
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _inserted(new: sqlite3.Connection, insert: str, row: Sequence[object]) -> bool:
    try:
        new.execute(insert, row)
    except sqlite3.IntegrityError:  # what was read is no row of this table; a full disk is another error
        return False
    return True


def _drop_orphans(new: sqlite3.Connection) -> int:
    """Leave out rows whose parent is lost, until every reference holds."""
    dropped = 0
    while found := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, rowid, *_ in found:
            dropped += new.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,)).rowcount  # noqa: S608 - as above
    return dropped


def _rows(old: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[tuple[object, ...] | None]:
    """Yield the rows of a table; None for each place that cannot be read.

    First in the order of the table; behind a damaged page, from the other end; what neither reaches, by each key.
    """
    columns = ", ".join(names)
    seen: set[int] = set()
    ends: list[int] = []
    for order in ("ASC", "DESC"):
        try:
            for rowid, *row in old.execute(f"SELECT rowid, {columns} FROM {table} ORDER BY rowid {order}"):  # noqa: S608 - names of our own schema
                if rowid in seen:
                    break
                seen.add(rowid)
                ends.append(rowid)
                yield tuple(row)
            else:
                if order == "ASC":
                    return
        except sqlite3.DatabaseError:
            yield None
    yield from _between(old, table, columns, seen)


def _between(
    old: sqlite3.Connection, table: str, columns: str, seen: set[int]
) -> Iterator[tuple[object, ...] | None]:
    """Try each key that lies between those that could be read: other pages may hold them."""
    if not seen:
        return
    for rowid in range(min(seen), min(max(seen), min(seen) + 1_000_000) + 1):
        if rowid in seen:
            continue
        try:
            row = old.execute(f"SELECT {columns} FROM {table} WHERE rowid = ?", (rowid,)).fetchone()  # noqa: S608 - as above
        except sqlite3.DatabaseError:
            continue  # counted with its page
        if row is not None:
            yield tuple(row)
