"""Engines for SQLite and PostgreSQL, set up so that a commit survives a kill and a power cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.store.checkpoint import PAGES_MAX
from bot.store.prepared import say
from bot.store.text import json_text, json_value
from triage.errors import SettingError

BUSY_SECONDS = 4.0
"""How long a lock may be waited for before the store is called unavailable."""
CONNECT_SECONDS = 3
"""How long a server has to take a connection."""


def open_engine(url: str, *, writer: bool) -> sa.Engine:
    """Open an engine for ``sqlite:///path`` or ``postgresql://…``; raises SettingError for other URLs."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # Their words may repeat a part of the URL, and a password is one.
        raise SettingError(
            "TRIAGE_DATABASE_URL is no database URL; write sqlite:///var/triage.db "
            "or postgresql://user:password@host:5432/name, with special characters as %40 and the like"
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, writer=writer)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(parsed, writer=writer)
    raise SettingError(
        f"TRIAGE_DATABASE_URL begins with {parsed.drivername}; use sqlite:///FILE or postgresql://USER@HOST/NAME"
    )


def has_database(url: str) -> bool:
    """Whether there is a database to read: opening a SQLite file that is not there would make one."""
    parts = sa.make_url(url)
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").is_file()


def _open_sqlite(url: sa.URL, *, writer: bool) -> sa.Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingError(
                f"TRIAGE_DATABASE_URL: cannot make the folder of {url.database}: {error}"
            ) from error
    engine = sa.create_engine(
        url,
        json_serializer=json_text,
        json_deserializer=json_value,
        # One incident has the writer run some seventy statements: with fewer kept, each would be parsed anew each time.
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": 200 if writer else 64,
        },
        poolclass=sa.pool.QueuePool,
        pool_size=1 if writer else 4,
        max_overflow=0,
    )

    def on_connect(connection: Any, record: object) -> None:  # noqa: ANN401 - the driver's own connection
        del record
        connection.isolation_level = None  # we begin transactions by ourselves, below
        connection.text_factory = _readable
        cursor = connection.cursor()
        # Of a new file only: what retention frees can then be given back bit by bit.
        if writer:
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        if writer:
            cursor.execute(f"PRAGMA wal_autocheckpoint={PAGES_MAX}")
        else:
            cursor.execute("PRAGMA cache_size=-512")  # each of several: the page cache is the system's
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def on_begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: waiting for it is then bounded by the timeout, with no dead end in between.
        say(connection, "BEGIN IMMEDIATE" if writer else "BEGIN")

    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "begin", on_begin)
    return engine


def _readable(text: bytes) -> str:
    """Return a text of the database. One changed bit of it must not make all unreadable that is read with it."""
    return text.decode("utf-8", "replace")


def _open_postgresql(url: sa.URL, *, writer: bool) -> sa.Engine:
    milliseconds = int(BUSY_SECONDS * 1000)
    options = (
        f"-c statement_timeout={milliseconds * 2} -c lock_timeout={milliseconds} "
        # A replica that stands still in the middle of a transaction holds the lock of all writers: for so long only.
        f"-c idle_in_transaction_session_timeout={milliseconds * 3 // 2 if writer else milliseconds * 4} "
        # The same where it stands still, or its machine vanished, while it is being answered: no statement's limit
        # ends a server that waits until it can send, nor one that waits for a peer that is not there any more.
        f"-c tcp_user_timeout={milliseconds * 3 // 2} -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 "
        "-c tcp_keepalives_count=3 "
        "-c timezone=UTC "
        # It takes a third of all messages for owed, so that compiling the question for those would seem worth it: of
        # the 34 ms of each claim 33 were that.
        "-c jit=off"
    )
    if not writer:
        options += " -c default_transaction_read_only=on"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        json_serializer=json_text,
        json_deserializer=json_value,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            # A peer that vanished without a word is noticed: milliseconds that sent data may stay unacknowledged.
            "tcp_user_timeout": milliseconds * 2,
            "keepalives_idle": 5,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": options,
        },
        # No ping before each use: a frozen server would hold it for ever. A cut connection is found at its first use.
        pool_size=1 if writer else 4,
        max_overflow=0,
        isolation_level="READ COMMITTED" if writer else "REPEATABLE READ",
    )
    sa.event.listen(engine, "handle_error", _give_up_stale_plans)
    return engine


def _give_up_stale_plans(context: sa.engine.ExceptionContext) -> None:
    """Count a connection as cut whose prepared statements another version's migration has outdated: a new one serves."""
    if str(context.original_exception).startswith("cached plan must not change result type"):
        context.is_disconnect = True
