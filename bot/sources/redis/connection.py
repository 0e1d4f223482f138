"""Connects to Redis by URL (see ``redis_url``), and puts its errors into our words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from bot.sources.redis.capped import CappedParser, RedisAnswerTooLarge
from bot.sources.redis.url import MEND, SentinelAddress, check_redis_url, is_sentinel, read_sentinel_url
from triage.errors import (
    SettingError,
    SourceBadAnswer,
    SourceDenied,
    SourceError,
    SourceRejected,
    SourceTimeout,
    SourceTooLarge,
    SourceUnreachable,
)
from triage.masking import masked, masked_and_cut

NAME = "Redis"
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.0
_SHAPE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What redis-py and we meet in an answer of another shape than was asked for."""
_ENTRY_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_ODD = (exceptions.RedisError, OSError, *_SHAPE)
SENTINEL_SECONDS = 0.8
"""The longest wait for one sentinel: one that hangs must leave time to ask the next, below every question's limit."""


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
        "parser_class": CappedParser,
        "client_name": "hbot-triage",
        **options,
    }
    check_redis_url(url)
    if is_sentinel(url):
        return _open_sentinel(read_sentinel_url(url), common)
    try:
        client: Redis = Redis.from_url(url, **common)
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingError(f"REDIS_URL cannot be read ({masked(str(error))}); {MEND}") from error
    return client


def _open_sentinel(address: SentinelAddress, common: dict[str, Any]) -> Redis:
    tls: dict[str, Any] = {"ssl": True, **({"ssl_ca_certs": address.ca_certs} if address.ca_certs else {})}
    own = {
        **{name: value for name, value in common.items() if name != "parser_class"},  # sentinels say little
        "username": address.sentinel_username,
        "password": address.sentinel_password,
        "socket_timeout": SENTINEL_SECONDS,
        "socket_connect_timeout": SENTINEL_SECONDS,
        **(tls if address.sentinel_tls else {}),
    }
    sentinel = Sentinel(list(address.sentinels), sentinel_kwargs=own, **common)  # type: ignore[no-untyped-call] # redis-py gives no hints here
    client: Redis = sentinel.master_for(
        address.service,
        connection_pool_class=_Pool,
        db=address.db,
        username=address.username,
        password=address.password,
        **(tls if address.tls else {}),
    )
    return client


class _Pool(SentinelConnectionPool):
    """Closes the connections to the sentinels with the master's: redis-py leaves them open."""

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's own
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def entry_id(told: object) -> str:
    """Return the id of a stream's entry, as Redis told it. Raises ValueError where it is none."""
    if not _ENTRY_ID.fullmatch(str(told)):
        raise ValueError(f"{masked_and_cut(str(told), 60)!r} where an entry's id belongs")
    return str(told)


@contextmanager
def redis_errors(limit: float = ANSWER_SECONDS) -> Iterator[None]:
    """Turn the errors of redis-py into ours; a cancellation that it lost is raised again."""
    before = _cancellations()
    try:
        yield
    except (exceptions.TimeoutError, TimeoutError) as error:
        _end_where_cancelled(before)
        raise SourceTimeout(NAME, f"no answer within {limit:g} s") from error
    except _ODD as error:
        _end_where_cancelled(before)
        raise _translated(error) from error
    _end_where_cancelled(before)


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _end_where_cancelled(before: int) -> None:
    """redis-py reads below timeouts of its own: one that ends in the same instant loses the cancellation.

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
    if isinstance(error, (exceptions.InvalidResponse, *_SHAPE)):
        return SourceBadAnswer(NAME, f"it does not speak Redis' protocol ({words})")
    if isinstance(error, (exceptions.ConnectionError, OSError)):
        return SourceUnreachable(NAME, words)
    if isinstance(error, (exceptions.ResponseError, RedisAnswerTooLarge)):
        kind = SourceTooLarge if isinstance(error, RedisAnswerTooLarge) else SourceRejected
        return kind(NAME, words)
    return SourceBadAnswer(NAME, words)
