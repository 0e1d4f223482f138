"""Makes all the sources of evidence; one without an address is a stand-in that says so."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from bot.sources.alertmanager.client import NAME as ALERTMANAGER
from bot.sources.alertmanager.client import Alertmanager
from bot.sources.docker.client import NAME as DOCKER
from bot.sources.docker.client import Docker, open_docker
from bot.sources.http import TOTAL_SECONDS, HttpSource, base_url
from bot.sources.loki.client import NAME as LOKI
from bot.sources.loki.client import Loki
from bot.sources.not_configured import not_configured
from bot.sources.prometheus.client import NAME as PROMETHEUS
from bot.sources.prometheus.client import Prometheus
from triage.ports.sources import Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.sources.redis.client import RedisStreams

REDIS = "Redis"

__all__ = ["open_sources"]


@asynccontextmanager
async def open_sources(
    *,
    prometheus_url: str = "",
    loki_url: str = "",
    loki_tenant: str = "",
    alertmanager_url: str = "",
    redis_url: str = "",
    docker_host: str = "",
    total_seconds: float = TOTAL_SECONDS,
) -> AsyncIterator[Sources]:
    """Make the sources and close them at the end. Nothing is connected yet: a source may be down.

    ``total_seconds``: the longest one question over HTTP may take. Raises SettingError for an address
    that cannot be read.
    """
    async with AsyncExitStack() as stack:

        def http(name: str, setting: str, url: str, headers: Mapping[str, str] | None = None) -> HttpSource:
            source = HttpSource.open(
                name, base_url(name, setting, url), headers=headers, total_seconds=total_seconds
            )
            stack.push_async_callback(source.aclose)
            return source

        def docker(host: str) -> Docker:
            source = open_docker(host, total_seconds=total_seconds)
            stack.push_async_callback(source.aclose)
            return Docker(source)

        def redis(url: str) -> RedisStreams:
            # redis-py weighs 6 MB: a desk without Redis does not carry it.
            from bot.sources.redis.client import RedisStreams  # noqa: PLC0415 - as said
            from bot.sources.redis.connection import ANSWER_SECONDS, open_redis  # noqa: PLC0415 - as said

            client = open_redis(url)
            stack.push_async_callback(client.aclose)
            return RedisStreams(client, seconds=ANSWER_SECONDS)

        tenant = {"X-Scope-OrgID": loki_tenant} if loki_tenant else {}
        yield Sources(
            metrics=Prometheus(http(PROMETHEUS, "PROMETHEUS_URL", prometheus_url))
            if prometheus_url
            else not_configured(PROMETHEUS),
            logs=Loki(http(LOKI, "LOKI_URL", loki_url, tenant)) if loki_url else not_configured(LOKI),
            alerts=Alertmanager(http(ALERTMANAGER, "ALERTMANAGER_URL", alertmanager_url))
            if alertmanager_url
            else not_configured(ALERTMANAGER),
            containers=docker(docker_host) if docker_host else not_configured(DOCKER),
            streams=redis(redis_url) if redis_url else not_configured(REDIS),
        )
