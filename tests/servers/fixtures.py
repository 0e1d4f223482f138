"""Fixtures that hand out real servers; loaded for every test by tests/conftest.py.

A test that needs its server set up otherwise asks for `require` and `tmp_path` and runs it itself:
`async with running_redis(require("redis"), tmp_path, RedisOptions(password="s")) as redis: …`.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.servers import docker, programs
from tests.servers.alertmanager import AlertmanagerServer, running_alertmanager, webhook_config
from tests.servers.desk import Desk
from tests.servers.docker import DockerEngine, running_engine
from tests.servers.postgres import PostgresCluster, running_postgres
from tests.servers.process import LOOPBACK, free_port
from tests.servers.prometheus import PrometheusServer, running_prometheus
from tests.servers.prometheus_ahead import end_those_that_wait
from tests.servers.redis import RedisServer, running_redis

Require = Callable[..., Path]


def pytest_sessionfinish() -> None:
    """End what was started ahead."""
    end_those_that_wait()


def _require(*names: str) -> Path:
    for name in names:
        if programs.find(name) is None:
            pytest.skip(programs.why_missing(name))
    found = programs.find(names[0])
    assert found is not None
    return found


@pytest.fixture(scope="session")
def require() -> Require:
    """`require("prometheus")` gives the program's path, or skips the test saying what is missing."""
    return _require


@pytest.fixture(scope="session")
def chromium(require: Require) -> Path:
    """Find the system's Chromium, for Playwright's `executable_path`."""
    return require("chromium")


@pytest.fixture
async def redis_server(require: Require, tmp_path: Path) -> AsyncIterator[RedisServer]:
    """Run a Redis of the test's own, without a password."""
    async with running_redis(require("redis"), tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def prometheus_server(require: Require, tmp_path: Path) -> AsyncIterator[PrometheusServer]:
    """Run a Prometheus of the test's own that scrapes nothing yet: set `.config` and `await .reload()`."""
    async with running_prometheus(require("prometheus"), tmp_path / "prometheus") as server:
        yield server


@pytest.fixture
async def alertmanager_server(require: Require, tmp_path: Path) -> AsyncIterator[AlertmanagerServer]:
    """Run an Alertmanager of the test's own whose receiver answers nothing yet: `await .reload(config)`."""
    nowhere = webhook_config(f"http://{LOOPBACK}:{free_port()}/")
    async with running_alertmanager(require("alertmanager"), tmp_path / "alertmanager", nowhere) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_cluster(require: Require) -> AsyncIterator[PostgresCluster]:
    """Run the session's one PostgreSQL cluster."""
    async with running_postgres(require("postgres")) as cluster:
        yield cluster


@pytest.fixture
async def postgres_url(postgres_cluster: PostgresCluster) -> AsyncIterator[str]:
    """Make an empty database and give its URL."""
    async with postgres_cluster.database() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_engine(require: Require) -> AsyncIterator[DockerEngine]:
    """Run the session's one Docker Engine; ask for `docker_engine`, which is emptied after each test."""
    dockerd = require("dockerd", "docker", "docker-compose", "busybox")
    reason = docker.why_impossible()
    if reason:
        pytest.skip(reason)
    async with running_engine(dockerd) as engine:
        yield engine


@pytest.fixture
async def docker_engine(session_engine: DockerEngine) -> AsyncIterator[DockerEngine]:
    """Give a real Docker Engine without containers and networks of earlier tests; images stay."""
    yield session_engine
    await session_engine.clear()


@pytest.fixture
async def desk(docker_engine: DockerEngine, require: Require, tmp_path: Path) -> Desk:
    """Lay out the desk's compose project in a folder of the test's own; nothing of it is started yet."""
    return await Desk.lay_out(tmp_path / "desk", docker_engine, redis=require("redis"))
