"""``hbot-triage doctor --repair``: a copy first, then a check, then what can be recovered; each thing said.

Of a damaged SQLite file every row that can still be read is copied, table by table, into a new file with the schema of
this version; the new file takes the old one's place only when it is whole. Nothing is ever removed: the damaged file
stays beside it. All of it is done on a working copy: SQLite changes a file by looking at it, and plays whatever log or
journal lies beside it into it, another database's too.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from bot.doctor.recovery import recover
from bot.doctor.working_copy import FAULTS_MAX, OURS, check, prepare, tables_in
from bot.store.copies import copied, files_of, remove
from bot.store.lock import only_process
from bot.store.migrate import migrate
from triage.errors import SettingError

NAMES_MAX = 5
"""Tables of another program that are named."""


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
        copy = copied(path, now)
    except OSError as error:
        done.say(
            f"No copy could be made ({error}), so nothing was tried and nothing changed: {_mend(error, path)}."
        )
        return
    done.say(f"A copy of the database as it was is at {copy}.")
    work, made = path.with_name(f"{path.name}.recovering-old"), path.with_name(f"{path.name}.recovering")
    try:
        remove(work)
        remove(made)
        _recover_file(path, work, made, done)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as error:  # the disk is full, as a rule
        done.say(
            f"The recovery could not be ended ({error}): the database was left as it is; "
            f"{_mend(error, path)}, and try again."
        )
    finally:
        remove(work)
        remove(made)


def _mend(error: Exception, path: Path) -> str:
    """Return what helps against an error of the disk; SQLite names one that cannot be written in words of its own."""
    words = str(error).lower()
    if "read-only" in words or "readonly" in words or "permission denied" in words:
        return f"make {path.parent} writable"
    return f"make room for three of {path}"


def _recover_file(path: Path, work: Path, made: Path, done: Repair) -> None:
    faults = prepare(path, work)
    known = tables_in(work)
    if not known & OURS:
        done.say(_not_ours(path, known))
        return
    faults += check(work)
    if not faults:
        done.say("The check found no damage; nothing was changed.")
        done.whole = True
        return
    number = f"{'at least ' * (len(faults) >= FAULTS_MAX)}{len(faults)}"
    done.say(f"The check found {number} {'fault' if len(faults) == 1 else 'faults'}:")
    done.lines += [f"  {fault}" for fault in faults[:FAULTS_MAX]]
    migrate(f"sqlite:///{made}")
    done.lines += recover(work, made)
    left = check(made)
    if left:
        done.say(f"What was recovered is not whole ({left[0]}): the database was left as it is.")
        return
    _take_place(work, made, path)
    done.say(f"The recovered database is in place at {path}; start the service.")
    done.whole = True


def _not_ours(path: Path, known: set[str]) -> str:
    if known:
        names = ", ".join(sorted(known)[:NAMES_MAX])
        return (
            f"{path} is the database of another program (its tables: {names}); nothing was changed. "
            "Name the right file in TRIAGE_DATABASE_URL."
        )
    what = "is empty" if not path.stat().st_size else "is not a database, or nothing of it can be read"
    return (
        f"{path} {what}; nothing was changed. Put a backup in its place; "
        "where there is none, move it away: the next start makes a new one."
    )


def _take_place(work: Path, made: Path, path: Path) -> None:
    """Put the new file in the old one's place, so that a kill at any moment leaves all that the next repair needs.

    First comes the old file with what its log holds: the log must go before the new file comes, beside which it would
    be taken for its own.
    """
    work.replace(path)
    for each in files_of(path)[1:]:
        each.unlink(missing_ok=True)
    made.replace(path)
