"""The address of Redis as ``REDIS_URL`` says it, read and checked without connecting.

::

    redis://[user:password@]host[:6379][/db]          plain
    rediss://…                                        TLS; ?ssl_ca_certs=FILE for an authority of one's own
    unix://[user:password@]/path/redis.sock[?db=0]
    redis+sentinel://[user:password@]host:26379,host:26379/master[/db]
        [?sentinel_username=…&sentinel_password=…&ssl=true&sentinel_ssl=true&ssl_ca_certs=FILE]

The user and password of a sentinel URL are the master's; the sentinels' own are in its query. ``ssl`` is the
master's too, ``sentinel_ssl`` the sentinels'. A password with ``@``, ``:`` or ``/`` in it is percent-encoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from triage.errors import SettingError
from triage.masking import masked

MEND = "write redis://:password@host:6379/0, rediss:// for TLS, redis+sentinel://host:26379,host:26379/master"
_SENTINEL = "redis+sentinel"
_SENTINEL_PORT = 26379
_SENTINEL_WORDS = frozenset({"sentinel_username", "sentinel_password", "ssl", "sentinel_ssl", "ssl_ca_certs"})
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


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
    sentinel_tls: bool
    ca_certs: str | None


def is_sentinel(url: str) -> bool:
    """Say whether a URL names sentinels, who know the master."""
    return url.startswith(f"{_SENTINEL}://")


def check_redis_url(url: str) -> None:
    """Raise SettingError where a URL cannot be an address of Redis."""
    if is_sentinel(url):
        read_sentinel_url(url)
        return
    try:
        _check(urlsplit(url))
    except ValueError as error:
        raise SettingError(f"REDIS_URL cannot be read ({masked(str(error))}); {MEND}") from error


def _check(parts: SplitResult) -> None:
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("it does not begin with redis://, rediss://, unix:// or redis+sentinel://")
    db = parse_qs(parts.query).get("db", [""])[-1]
    if parts.scheme == "unix":
        if not parts.path:
            raise ValueError("the socket's path is missing")
    else:
        _port_of(parts)
        if not parts.hostname:
            raise ValueError("the host is missing")
        db = db or parts.path.strip("/")
    if db:
        _number(db, "the database")


def _port_of(parts: SplitResult) -> int | None:
    """Return the port. Its own error would quote what stands there, which may be half of a password."""
    try:
        return parts.port
    except ValueError:
        raise ValueError(
            "the port is no number of 1 to 65535; a password's @ : / must be %-encoded"
        ) from None


def read_sentinel_url(url: str) -> SentinelAddress:
    """Read a ``redis+sentinel://`` URL. Raises SettingError."""
    try:
        parts = urlsplit(url)
        query = _sentinel_query(parts.query)
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
            tls=_truth(query, "ssl"),
            sentinel_tls=_truth(query, "sentinel_ssl"),
            ca_certs=query.get("ssl_ca_certs"),
        )
    except ValueError as error:
        raise SettingError(
            f"REDIS_URL: the sentinel address cannot be read ({masked(str(error))}); {MEND}"
        ) from error


def _sentinel_query(text: str) -> dict[str, str]:
    query = {name: values[-1] for name, values in parse_qs(text).items()}
    if query.keys() - _SENTINEL_WORDS:  # not quoted: behind an "&" it may be the rest of a password
        raise ValueError(f"it has an unknown word behind the ?; known: {', '.join(sorted(_SENTINEL_WORDS))}")
    return query


def _truth(query: dict[str, str], name: str) -> bool:
    try:
        return _TRUTHS[query.get(name, "").lower()]
    except KeyError:
        raise ValueError(f"{name} is true or false") from None


def _service(path: str) -> tuple[str, int]:
    service, _, db = path.strip("/").partition("/")
    if not service:
        raise ValueError("the master's name is missing")
    return unquote(service), _number(db, "the database") if db else 0


def _number(text: str, what: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError(f"{what} is a number")
    return int(text)


def _authority(parts: SplitResult) -> tuple[tuple[str | None, str | None], tuple[tuple[str, int], ...]]:
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return (unquote(name) or None, unquote(password) or None), tuple(map(_host, hosts.split(",")))


def _host(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
    address = (host if colon else entry).strip("[]")
    if not address:
        raise ValueError("an empty host")
    return address, _number(port, "a sentinel's port") if colon else _SENTINEL_PORT
