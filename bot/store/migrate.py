"""Brings the schema up to date. Replicas that start together wait for each other."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.store.engine import open_engine

HEAD = "0003"
"""The newest revision in ``migrations/versions``; a test keeps it true. It spares a start Alembic's import."""

_LOCK = 7_061_042
"""Any number that is ours alone: PostgreSQL's advisory lock for migrations."""


def migrate(url: str) -> None:
    """Create or upgrade the schema of the database at ``url``."""
    engine = open_engine(url, writer=True)
    try:
        if current(engine) == HEAD:
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


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # noqa: PLC0415 - only a start that migrates pays for it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
