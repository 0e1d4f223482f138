"""A Prometheus that was started ahead: it scrapes nothing in the first five seconds of its life, whatever it is told.

It takes as long to learn whom it notifies, after each change of its configuration too. So one is started before it is
asked for, with rules, on ports that are held for whoever is scraped and notified, and stands still as soon as it
scrapes, until a test takes it; then the next one is started.
Its series are the test's own: before that it has but read nothing from the held port.
"""

import contextlib
import json
import select
import shutil
import socket
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.process import LOOPBACK, NotReadyError, folder_for_servers, stopped_at_exit
from tests.servers.prometheus import PrometheusConfig, PrometheusServer

JOBS = ("bot-metrics", "node")
_SETTLED = 1.0
"""Seconds after the first scrape: by then it knows whom to notify, too."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A Prometheus that scrapes ``target_port`` for each of ``JOBS``, and would notify ``alertmanager_port``."""

    server: PrometheusServer
    target_port: int
    alertmanager_port: int

    async def evaluate(self, rules: Sequence[Mapping[str, Any]], *jobs: str) -> None:
        """Let it scrape the named jobs alone, or all, and evaluate other rules; for seconds it then notifies nobody."""
        targets = self.server.config.targets
        self.server.config.targets = {job: targets[job] for job in jobs or targets}
        self.server.config.rules = [{"name": "desk", "rules": list(rules)}]
        status = await self.server.reload()
        if status != 200:
            raise NotReadyError(f"Prometheus refuses its configuration: {status}")


class _Starting:
    """One that nobody has taken yet."""

    def __init__(self, program: Path, rules: Sequence[Mapping[str, Any]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hbot-prometheus-", dir=folder_for_servers()))
        self._target, self._alertmanager = socket.create_server((LOOPBACK, 0)), socket.socket()
        self._alertmanager.bind((LOOPBACK, 0))
        self._ports = [int(each.getsockname()[1]) for each in (self._target, self._alertmanager)]
        target, alertmanager = (f"{LOOPBACK}:{port}" for port in self._ports)
        config = PrometheusConfig(
            targets={job: [target] for job in JOBS},
            rules=[{"name": "desk", "rules": list(rules)}],
            alertmanager=alertmanager,
        )
        self.server = PrometheusServer(program, self.folder, config)
        self._taken, self._turn = threading.Event(), threading.Lock()
        self.server.process.start()
        threading.Thread(target=self._stand_still, daemon=True).start()

    def _stand_still(self) -> None:
        """Freeze it when it scrapes: who waits costs nothing."""
        while not self._taken.wait(0.2):
            if select.select([self._target], [], [], 0)[0] and not self._taken.wait(_SETTLED):
                with self._turn:
                    if not self._taken.is_set():
                        self.server.process.freeze()
                return

    def take(self) -> Ahead:
        """Let it go on, for a test; the ports are free from now on."""
        with self._turn:
            self._taken.set()
        self.server.process.thaw()
        self._target.close()
        self._alertmanager.close()
        return Ahead(self.server, *self._ports)

    def end(self) -> None:
        """End it, taken or not."""
        self.take()
        self.server.process.kill()
        shutil.rmtree(self.folder)


AHEAD = 2
"""How many wait."""
_waiting: dict[str, deque[_Starting]] = defaultdict(deque)
"""Those that nobody has taken yet, by their rules."""


@contextlib.asynccontextmanager
async def prometheus_ahead(program: Path, rules: Sequence[Mapping[str, Any]]) -> AsyncIterator[Ahead]:
    """Give a Prometheus that scrapes from now on, if it was started long enough ago, and start the next one."""
    waiting = _waiting[json.dumps(rules)]
    while len(waiting) <= AHEAD:
        waiting.append(_Starting(program, rules))
    taken = waiting.popleft()
    ahead = taken.take()
    try:
        async with stopped_at_exit(taken.server.process):
            await taken.server.answers()
            yield ahead
    finally:
        shutil.rmtree(taken.folder)


def end_those_that_wait() -> None:
    """End what no test will take."""
    for starting in _waiting.values():
        while starting:
            starting.popleft().end()
