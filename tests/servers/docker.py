"""A real Docker Engine of the tests' own: its own socket, storage, containerd namespace and address pool.

It touches nothing of an engine the machine may have, and needs no registry: images are imported from files.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.servers.http import plain_client
from tests.servers.process import NotReadyError, ServerProcess, eventually, folder_for_servers


class CommandError(Exception):
    """A command ended with an exit code other than 0; the text holds its command line and output."""


def why_impossible() -> str | None:
    """Say why no engine can run here, or None."""
    if os.geteuid() != 0:
        return "a Docker Engine of the tests' own needs root"
    return None


async def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
    within: float = 60,
) -> str:
    """Run a command; return its stdout. Raises CommandError with its output, TimeoutError."""
    words = [str(word) for word in argv]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *words, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=cwd
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(stdin), within)
    except TimeoutError:
        child.kill()
        await child.wait()
        raise
    if child.returncode != 0:
        raise CommandError(
            f"{' '.join(words)}: exit {child.returncode}\n{(out + err).decode(errors='replace')}"
        )
    return out.decode(errors="replace")


class DockerEngine:
    """A running engine: `host` is its DOCKER_HOST."""

    def __init__(self, program: Path, directory: Path, storage_driver: str) -> None:
        self.directory = directory
        self.socket = directory / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._exec_root = directory / "exec"
        name = directory.name
        options = {
            "host": self.host,
            "data-root": directory / "data",
            "exec-root": self._exec_root,
            "pidfile": directory / "docker.pid",
            "storage-driver": storage_driver,
            # Containers of another engine on the same containerd must not be seen, nor cleaned up.
            "containerd-namespace": name,
            "containerd-plugins-namespace": f"{name}-plugins",
            # The tests need networks between containers and published ports on loopback (docker-proxy): no NAT.
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
            "ip-forward": "false",
            "default-address-pool": f"base=10.{200 + os.getpid() % 50}.0.0/16,size=24",
            "shutdown-timeout": "3",
            "log-level": "warn",
        }
        flags = [f"--{key}={value}" for key, value in options.items()]
        log = directory / "dockerd.log"
        # SIGTERM for an orphan: it stops its containers and its containerd.
        self.process = ServerProcess("dockerd", [program, *flags], log=log, orphan_signal="TERM")

    @property
    def env(self) -> dict[str, str]:
        """The environment in which docker and docker-compose talk to this engine."""
        return {**os.environ, "DOCKER_HOST": self.host}

    def api(self) -> httpx.AsyncClient:
        """Return a client of the Engine API, to be used with `async with`."""
        return plain_client("http://docker", timeout=30, socket=self.socket)

    async def start(self) -> None:
        """Start it, again after a kill too, and wait until it answers."""
        if self._containerd() is None:
            # dockerd would take the PID file of a dead containerd that nobody reaped yet for a living one.
            self._containerd_pidfile.unlink(missing_ok=True)
        self.process.start()
        await self.process.ready(self._answers, within=40)

    async def restart(self) -> None:
        """Stop it in good order, its containers with it, and start it anew."""
        await self.process.stop(within=30)
        await self.start()

    def kill(self) -> None:
        """End the daemon as a crash would: its containers run on, unwatched.

        `start` brings it back; it then ends the containers it finds running, and this version (20.10) leaves them
        ended whatever their restart policy. After `restart` they run again.
        """
        self.process.kill()

    async def docker(self, *words: str, stdin: bytes = b"", within: float = 60) -> str:
        """Run the docker client; return its stdout without the last newline."""
        return (await run(["docker", *words], env=self.env, stdin=stdin, within=within)).rstrip("\n")

    async def inspect(self, container: str) -> dict[str, Any]:
        """Return what `docker inspect` says of a container."""
        found: list[dict[str, Any]] = json.loads(await self.docker("container", "inspect", container))
        return found[0]

    async def import_image(self, tag: str, rootfs: bytes, *changes: str, within: float = 60) -> None:
        """Make an image from a tar of its root folder; `changes` are Dockerfile lines such as `CMD ["/run"]`."""
        options = [word for change in changes for word in ("--change", change)]
        await self.docker("import", *options, "-", tag, stdin=rootfs, within=within)

    async def events(self, since: float, until: float, *kinds: str) -> list[dict[str, Any]]:
        """Return the container events between two times (seconds), of the given kinds only if any are given."""
        filters = {"type": ["container"], **({"event": list(kinds)} if kinds else {})}
        params = {"since": f"{since:.9f}", "until": f"{until:.9f}", "filters": json.dumps(filters)}
        async with self.api() as api:
            answer = await api.get("/events", params=params)
        return [json.loads(line) for line in answer.raise_for_status().text.splitlines()]

    async def clear(self) -> None:
        """Remove every container, network and volume; an engine a test left dead or frozen is started again."""
        self.process.thaw()
        if not self.process.running:
            await self.start()
        try:
            await self._remove_all()
        except CommandError:  # one ended by itself just as it was to be killed
            await self._remove_all()
        for kind in ("network", "volume"):
            await self.docker(kind, "prune", "--force")

    async def _remove_all(self) -> None:
        containers = (await self.docker("ps", "--all", "--quiet")).split()
        if containers:
            await self.docker("rm", "--force", "--volumes", *containers)

    async def close(self) -> None:
        """End it and everything it started."""
        with contextlib.suppress(CommandError, NotReadyError, TimeoutError):
            await self.clear()
        await self.process.stop(within=20)
        await self._end_containerd()

    async def _answers(self) -> bool:
        try:
            async with self.api() as api:
                return (await api.get("/_ping", timeout=2)).is_success
        except httpx.HTTPError:
            return False

    @property
    def _containerd_pidfile(self) -> Path:
        return self._exec_root / "containerd" / "containerd.pid"

    def _containerd(self) -> int | None:
        """Return the PID of this engine's containerd if it lives; a PID that is another process's by now is not it."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._containerd_pidfile.read_text())
            if str(self._exec_root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    async def _end_containerd(self) -> None:
        """End the containerd that a killed dockerd may have left behind."""

        async def gone() -> bool:
            return self._containerd() is None

        pid = self._containerd()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            await eventually(gone, "end of containerd")


@contextlib.asynccontextmanager
async def running_engine(program: Path) -> AsyncIterator[DockerEngine]:
    """Run a new engine, ready when handed out; its files and mounts are gone afterwards."""
    # A short path: a Unix socket's is at most 107 characters. Of hex alone: the folder's name becomes a
    # containerd namespace, which takes no two signs in a row, as mkdtemp's underscores can give.
    directory = folder_for_servers() / f"hbot-dk-{secrets.token_hex(4)}"
    directory.mkdir(mode=0o700)
    try:
        engine = await _start(program, directory)
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        _unmount_below(directory)
        shutil.rmtree(directory, ignore_errors=True)


async def _start(program: Path, directory: Path) -> DockerEngine:
    """Start with overlay2, or with vfs where overlays cannot be stacked (inside a container)."""
    engine = DockerEngine(program, directory, "overlay2")
    try:
        await engine.start()
    except NotReadyError:
        await engine.close()
        engine = DockerEngine(program, directory, "vfs")
        await engine.start()
    return engine


def _unmount_below(directory: Path) -> None:
    """Unmount what a killed container left mounted, deepest first, so that removing the files stays inside."""
    mounts = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    for mount in sorted((m for m in mounts if Path(m).is_relative_to(directory)), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, timeout=10)
