"""Brings the schema up to date. Replicas that start together wait for each other."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from bot.store import action_tables, event_tables  # noqa: F401 - their tables are part of the metadata
from bot.store.engine import open_engine
from bot.store.tables import metadata, notes
from triage.errors import SettingError, StoreUnavailable
from triage.masking import masked

HEAD = "0002"
"""The newest revision in ``migrations/versions``; a test keeps it true. It spares a start Alembic's import."""

OLDEST = "0001"
"""The oldest revision whose code works on the schema of ``HEAD``: raised by the version that takes away what it used.

It is told in the database, so that the version before, which does not know the newer schema, may be started again on it.
"""
_OLDEST_NOTE = "schema/oldest"

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_LOCK = 7_061_042
"""Any number that is ours alone: PostgreSQL's advisory lock for migrations."""


_PASSED = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES"),
        *("KRB5CCNAME", "KRB5_CONFIG", "KRB5_KTNAME", "KRB5_CLIENT_KTNAME", "PSYCOPG_IMPL"),
    }
)
"""Of the environment, besides libpq's own ``PG…``: where its TLS, its Kerberos and its driver look.

The start of a service that reaches its database must not fail in its child; one is given no secret that it does not need.
"""
APART_SECONDS = 120
"""How long an upgrade in a process of its own may take."""


def migrate(url: str, *, apart: bool = False) -> None:
    """Create or upgrade the schema of the database at ``url``.

    ``apart``: in a process of its own, so that a service does not carry Alembic (10 MB) for the rest of its life.
    Raises StoreUnavailable where that fails, SettingError where the schema is none that we know.
    """
    engine = open_engine(url, writer=True)
    try:
        found = current(engine)
        if found == HEAD or (found is None and _made_anew(engine)):
            return
        if _works_on_newer(engine, found):
            return
        _refuse_unknown(found)
        if apart:
            engine.dispose()
            _migrate_apart(url)
            return
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            _upgrade(connection)
    finally:
        engine.dispose()


def current(engine: sa.Engine) -> str | None:
    """Return the revision that a database is at; None for an empty one."""
    with engine.begin() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return revision


def _made_anew(engine: sa.Engine) -> bool:
    """Make the tables in an empty SQLite file as they stand: a first start then needs no migration, which takes a second.

    False where there is something already, or it is another database: there the migrations have conditions of their own.
    Raises SettingError where what is there is another program's: a PostgreSQL database may be shared, a file is not.
    """
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            return False
        there = sa.inspect(connection).get_table_names()
        if there and not set(there) & set(metadata.tables):
            raise SettingError(
                f"TRIAGE_DATABASE_URL: {engine.url.database} is the database of another program (its tables: "
                f"{', '.join(there[:5])}), or another program's log lies beside it: name the right file, or run "
                "hbot-triage doctor --repair, which changes nothing of another program's"
            )
        if there:
            return False
        metadata.create_all(connection)
        key = sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc")
        revision = sa.Column("version_num", sa.String(32), nullable=False)
        table = sa.Table("alembic_version", sa.MetaData(), revision, key)
        table.create(connection)
        connection.execute(sa.insert(table).values(version_num=HEAD))
        _tell_oldest(connection)
    return True


def _works_on_newer(engine: sa.Engine, found: str | None) -> bool:
    """Whether a later version made the schema, and says that the code of this one works on it."""
    if found is None or not found.isdecimal() or found <= HEAD:
        return False
    with engine.begin() as connection:
        asked = sa.select(notes.c.value).where(notes.c.key == _OLDEST_NOTE)
        oldest: str | None = connection.execute(asked).scalar()
    return bool(oldest) and str(oldest).isdecimal() and str(oldest) <= HEAD


def _tell_oldest(connection: sa.Connection) -> None:
    connection.execute(sa.delete(notes).where(notes.c.key == _OLDEST_NOTE))
    connection.execute(sa.insert(notes).values(key=_OLDEST_NOTE, value=OLDEST))


def _refuse_unknown(found: str | None) -> None:
    """Stop before a database that a later version made: we would write into tables that mean something else."""
    if found is None or any(_VERSIONS.glob(f"{glob.escape(found)}_*.py")):
        return
    raise SettingError(
        f"TRIAGE_DATABASE_URL: the database has the schema {masked(found)[:40]!r}, and this version of hbot-triage knows "
        f"none beyond {HEAD}: start the newer version that made it, or name another database"
    )


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - only a start that migrates pays for it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _tell_oldest(connection)


def _migrate_apart(url: str) -> None:
    # By standard input: whoever lists the processes must not read a password.
    command = [sys.executable, "-m", "bot.store.migrate"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            input=url,
            capture_output=True,
            text=True,
            timeout=APART_SECONDS,
            check=False,
            env=passed_on(os.environ),
            start_new_session=True,  # Ctrl-C is for us: cut off in the middle it would read as a failure
        )
    except subprocess.TimeoutExpired as error:
        raise StoreUnavailable(f"the schema was not brought up to date within {APART_SECONDS} s") from error
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StoreUnavailable(f"the schema cannot be brought up to date: {why}")


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment the process of an upgrade is given."""
    return {name: value for name, value in environment.items() if name in _PASSED or name.startswith("PG")}


def _main() -> int:
    try:
        migrate(sys.stdin.read().strip())
    except Exception as error:  # noqa: BLE001 - whatever it is, whoever started us says it in one line
        print(" ".join(str(getattr(error, "orig", None) or error).split()), file=sys.stderr)  # noqa: T201 - as said
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
