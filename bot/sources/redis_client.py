"""Connects to Redis by URL, and puts its errors into our words.

::

    redis://[user:password@]host[:6379][/db]          plain
    rediss://…                                        TLS; ?ssl_ca_certs=… as redis-py knows it
    unix://[user:password@]/path/redis.sock[?db=0]
    redis+sentinel://[user:password@]host:26379,host:26379/master[/db]
        [?sentinel_username=…&sentinel_password=…&ssl=true]

The user and password of a sentinel URL are the master's; the sentinels' own are in its query.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from triage.errors import (
    SettingError,
    SourceBadAnswer,
    SourceDenied,
    SourceError,
    SourceRejected,
    SourceTimeout,
    SourceUnreachable,
)
from triage.masking import masked

NAME = "Redis"
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
_SENTINEL_PORT = 26379
_MEND = (
    "write redis://:password@host:6379/0, rediss:// for TLS, redis+sentinel://host:26379,host:26379/master"
)


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """What a ``redis+sentinel://`` URL says."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    db: int
    username: str | None
    password: str | None
    sentinel_username: str | None
    sentinel_password: str | None
    tls: bool


def open_redis(url: str, *, answer_seconds: float = ANSWER_SECONDS, **options: Any) -> Redis:  # noqa: ANN401 - redis-py's own options
    """Make a client; nothing is connected yet. Raises SettingError.

    ``answer_seconds`` is the longest wait for one answer: a reader that blocks on the server needs more.
    It never retries by itself: the caller knows what may be asked twice.
    """
    common: dict[str, Any] = {
        "socket_timeout": answer_seconds,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
        "encoding_errors": "replace",
        "protocol": 2,
        "client_name": "hbot-triage",
        **options,
    }
    if url.startswith("redis+sentinel://"):
        return _open_sentinel(read_sentinel_url(url), common)
    try:
        client: Redis = Redis.from_url(url, **common)
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingError(f"REDIS_URL cannot be read ({masked(str(error))}); {_MEND}") from error
    return client


def _open_sentinel(address: SentinelAddress, common: dict[str, Any]) -> Redis:
    own = {**common, "username": address.sentinel_username, "password": address.sentinel_password}
    sentinel = Sentinel(list(address.sentinels), sentinel_kwargs=own, **common)  # type: ignore[no-untyped-call] # redis-py gives no hints here
    client: Redis = sentinel.master_for(
        address.service,
        connection_pool_class=_Pool,
        db=address.db,
        username=address.username,
        password=address.password,
        ssl=address.tls,
    )
    return client


class _Pool(SentinelConnectionPool):
    """Closes the connections to the sentinels with the master's: redis-py leaves them open."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's own
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def read_sentinel_url(url: str) -> SentinelAddress:
    """Read a ``redis+sentinel://`` URL. Raises SettingError."""
    try:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        user, hosts = _authority(parts)
        service, db = _service(parts.path)
        return SentinelAddress(
            sentinels=hosts,
            service=service,
            db=db,
            username=user[0],
            password=user[1],
            sentinel_username=query.get("sentinel_username"),
            sentinel_password=query.get("sentinel_password"),
            tls=query.get("ssl", "").lower() in {"1", "true", "yes"},
        )
    except ValueError as error:
        raise SettingError(
            f"REDIS_URL: the sentinel address cannot be read ({masked(str(error))}); {_MEND}"
        ) from error


def _service(path: str) -> tuple[str, int]:
    service, _, db = path.strip("/").partition("/")
    if not service:
        raise ValueError("the master's name is missing")
    return unquote(service), int(db or 0)


def _authority(parts: SplitResult) -> tuple[tuple[str | None, str | None], tuple[tuple[str, int], ...]]:
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    found = []
    for entry in hosts.split(","):
        host, colon, port = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
        address = (host if colon else entry).strip("[]")
        if not address:
            raise ValueError("an empty host")
        found.append((address, int(port) if colon else _SENTINEL_PORT))
    return (unquote(name) or None, unquote(password) or None), tuple(found)


@contextmanager
def redis_errors(limit: float = ANSWER_SECONDS) -> Iterator[None]:
    """Turn the errors of redis-py into ours; a cancellation that it swallowed is raised again."""
    before = _cancellations()
    try:
        yield
    except (exceptions.TimeoutError, TimeoutError) as error:
        _end_where_cancelled(before)
        raise SourceTimeout(NAME, f"no answer within {limit:g} s") from error
    except (exceptions.RedisError, OSError, ValueError, TypeError, KeyError, IndexError) as error:
        _end_where_cancelled(before)
        raise _translated(error) from error
    _end_where_cancelled(before)


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _end_where_cancelled(before: int) -> None:
    """redis-py reads below timeouts of its own: one that ends in the same instant eats the cancellation.

    Without this a loop that asks again and again would outlive the shutdown. Only a cancellation that came meanwhile
    counts: before Python 3.13 a TaskGroup with a failed task leaves its parent counting one that never was.
    """
    if _cancellations() > before:
        raise asyncio.CancelledError


def _translated(error: Exception) -> SourceError:
    words = masked(str(error) or type(error).__name__)[:300]
    if isinstance(
        error, (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.NoPermissionError)
    ):
        return SourceDenied(NAME, f"{words}; check user, password and ACL of REDIS_URL")
    if isinstance(error, exceptions.BusyLoadingError):
        return SourceBadAnswer(NAME, "it is loading its data")
    if isinstance(error, (exceptions.InvalidResponse, ValueError, TypeError, KeyError, IndexError)):
        return SourceBadAnswer(NAME, f"it does not speak Redis' protocol ({words})")
    if isinstance(error, (exceptions.ConnectionError, OSError)):
        return SourceUnreachable(NAME, words)
    if isinstance(error, exceptions.ResponseError):
        return SourceRejected(NAME, words)
    return SourceBadAnswer(NAME, words)
