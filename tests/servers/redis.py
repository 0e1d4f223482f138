"""A real Redis on loopback, with the troubles of a desk's Redis: killed, frozen, full, read-only, locked."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis.asyncio
import redis.exceptions

from tests.servers.process import LOOPBACK, ServerProcess, free_port, stopped_at_exit


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How a Redis differs from the default one, which has no password, no TLS and an append-only file."""

    password: str | None = None
    # user name -> ACL rules, as `ACL SETUSER` takes them: {"triage": "on >secret ~hb.* +@read"}
    users: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    maxmemory: str | None = None
    appendfsync: str = "everysec"
    replica_of: int | None = None  # the primary's port


class RedisServer:
    """A running Redis: its address, and what a test can do to it."""

    def __init__(self, program: Path, directory: Path, options: RedisOptions) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.options = options
        self.port = free_port()
        self.ca: Path | None = make_certificate(directory) if options.tls else None
        config = directory / "redis.conf"
        config.write_text("".join(f"{line}\n" for line in _config(self.port, directory, options)))
        self.process = ServerProcess("redis", [program, config], log=directory / "redis.log")

    @property
    def url(self) -> str:
        """The URL of the default user, password included."""
        return self.url_as("", self.options.password) if self.options.password else self._url("")

    def url_as(self, user: str, password: str) -> str:
        """Return the URL of an ACL user."""
        return self._url(f"{quote(user)}:{quote(password, safe='')}@")

    def _url(self, credentials: str) -> str:
        scheme, query = ("rediss", f"?ssl_ca_certs={self.ca}") if self.ca else ("redis", "")
        return f"{scheme}://{credentials}{LOOPBACK}:{self.port}/0{query}"

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[redis.asyncio.Redis]:
        """Connect as the default user; answers are str."""
        async with redis.asyncio.from_url(self.url, decode_responses=True, socket_timeout=5) as client:
            yield client

    async def start(self) -> None:
        """Start it, again after a kill too (what was written is still there), and wait until it answers."""
        self.process.start()
        await self.process.ready(self.answers)

    async def restart(self) -> None:
        """Stop it in good order and start it anew."""
        await self.process.stop()
        await self.start()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    async def pause(self, seconds: float) -> None:
        """Hold every client's commands for a while (CLIENT PAUSE)."""
        async with self.client() as client:
            await client.client_pause(int(seconds * 1000))

    async def become_replica_of(self, port: int | None) -> None:
        """Turn read-only, following the Redis at `port`; None makes it a primary again."""
        async with self.client() as client:
            await client.replicaof(*((LOOPBACK, str(port)) if port else ("NO", "ONE")))

    async def answers(self) -> bool:
        """Say whether it answers PING, its data loaded."""
        try:
            async with asyncio.timeout(1), self.client() as client:
                return bool(await client.ping())
        except (OSError, TimeoutError, redis.exceptions.RedisError):
            return False


@contextlib.asynccontextmanager
async def running_redis(
    program: Path, directory: Path, options: RedisOptions | None = None
) -> AsyncIterator[RedisServer]:
    """Run a Redis with its files in `directory`, ready when handed out."""
    server = RedisServer(program, directory, options or RedisOptions())
    async with stopped_at_exit(server.process):
        await server.start()
        yield server


def make_certificate(directory: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 and its key (server.crt, server.key); return the former."""
    certificate = directory / "server.crt"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=hbot-test", "-addext", f"subjectAltName=IP:{LOOPBACK}"]
    files = ["-keyout", str(directory / "server.key"), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *kind, *subject, *files], check=True, capture_output=True, timeout=30)
    return certificate


def _config(port: int, directory: Path, options: RedisOptions) -> list[str]:
    lines = [f"bind {LOOPBACK}", f'dir "{directory}"', "appendonly yes", 'save ""', "daemonize no"]
    lines += [f"appendfsync {options.appendfsync}"]
    if options.tls:
        files = f'tls-cert-file "{directory}/server.crt"', f'tls-key-file "{directory}/server.key"'
        lines += ["port 0", f"tls-port {port}", *files, "tls-auth-clients no"]
    else:
        lines += [f"port {port}"]
    if options.password:
        lines += [f'requirepass "{options.password}"']
    if options.maxmemory:
        lines += [f"maxmemory {options.maxmemory}", "maxmemory-policy noeviction"]
    if options.replica_of:
        lines += [f"replicaof {LOOPBACK} {options.replica_of}"]
    return lines + [f"user {name} {rules}" for name, rules in options.users.items()]
