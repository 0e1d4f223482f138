"""Where servers keep their files."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.servers.docker import DockerEngine
from tests.servers.postgres import PostgresCluster
from tests.servers.process import SOCKETS_BELOW, folder_for_servers


@pytest.mark.parametrize(
    ("chosen", "flags", "expected"),
    [
        ("/dev", 0, "/dev"),
        ("/dev", os.ST_NOEXEC, tempfile.gettempdir()),
        ("", 0, tempfile.gettempdir()),
        ("/" + "x" * SOCKETS_BELOW, 0, tempfile.gettempdir()),
    ],
    ids=["in memory", "no program may be started there", "nothing chosen", "too long for a socket"],
)
def test_it_is_where_the_tests_files_are_if_servers_can_run_there(
    monkeypatch: pytest.MonkeyPatch, chosen: str, flags: int, expected: str
) -> None:
    """In memory with the tests' own files, else where temporary files are."""

    class Status:
        f_flag = flags

    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", chosen)
    monkeypatch.setattr(os, "statvfs", lambda _: Status)
    assert folder_for_servers() == Path(expected)


async def test_the_real_servers_are_there(
    docker_engine: DockerEngine, postgres_cluster: PostgresCluster
) -> None:
    """An engine's and a cluster's files: a new database and a container's start write little else."""
    assert docker_engine.directory.parent == folder_for_servers()
    assert postgres_cluster.process.log.parent.parent == folder_for_servers()
