"""A real PostgreSQL on loopback: one cluster a test session, a fresh database a test."""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg

from tests.servers.process import (
    LOOPBACK,
    ServerProcess,
    accepts,
    folder_for_servers,
    free_port,
    stopped_at_exit,
)

USER = "triage"


class PostgresCluster:
    """A running cluster whose superuser is `triage`, without a password."""

    def __init__(self, program: Path, directory: Path) -> None:
        self.port = free_port()
        self._names = itertools.count(1)
        data = directory / "data"
        owner = _unprivileged_user()
        if owner:
            shutil.chown(directory, owner)
        _initdb(program.with_name("initdb"), data, owner)
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": directory,
            "fsync": "off",  # a killed process loses nothing by it, only a power cut would
            "shared_buffers": "16MB",
            "max_connections": 100,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        # SIGQUIT is PostgreSQL's immediate shutdown: it takes its own children along.
        self.process = ServerProcess(
            "postgres",
            [program, "-D", data, *options],
            log=directory / "postgres.log",
            user=owner,
            orphan_signal="QUIT",
        )

    def url(self, database: str) -> str:
        """Return the URL of a database of this cluster."""
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    async def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.process.start()
        await self.process.ready(self._answers)

    @contextlib.asynccontextmanager
    async def database(self, *, like: str = "template0") -> AsyncIterator[str]:
        """Make a database, empty or a copy of another of ours, and drop it afterwards; gives its URL."""
        name = f"triage_{next(self._names)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        try:
            yield self.url(name)
        finally:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connecting = psycopg.AsyncConnection.connect(self.url("postgres"), autocommit=True, connect_timeout=5)
        async with await connecting as connection:
            await connection.execute(statement.encode())

    async def _answers(self) -> bool:
        if not await accepts(self.port):
            return False
        try:
            await self._execute("SELECT 1")
        except psycopg.OperationalError:  # it listens before it is done starting
            return False
        return True


@contextlib.asynccontextmanager
async def running_postgres(program: Path) -> AsyncIterator[PostgresCluster]:
    """Run a new cluster, ready when handed out; its files are gone afterwards."""
    # Not pytest's folder: root's is closed to the unprivileged user the server runs as.
    with tempfile.TemporaryDirectory(prefix="hbot-pg-", dir=folder_for_servers()) as directory:
        cluster = PostgresCluster(program, Path(directory))
        async with stopped_at_exit(cluster.process):
            await cluster.start()
            yield cluster


def _unprivileged_user() -> str | None:
    """Return the user to run as: PostgreSQL refuses to run as root. None: as we are."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _initdb(program: Path, data: Path, owner: str | None) -> None:
    options = f"--username={USER} --auth=trust --encoding=UTF8 --locale=C --no-sync --no-instructions".split()
    argv = [str(program), "-D", str(data), *options]
    group = pwd.getpwnam(owner).pw_gid if owner else None
    subprocess.run(
        argv,
        check=True,
        capture_output=True,
        timeout=60,
        cwd=data.parent,
        user=owner,
        group=group,
        extra_groups=[] if owner else None,
    )
