"""Sends webhooks as fast as they are answered, from a process of its own: ``python -m bench.load '{…}'``.

The clients speak HTTP/1.1 over kept connections with as little Python as will do, so that on a machine of
two cores the server is what is measured. Prints ``{"rate", "p50_ms", "p99_ms", "sent", "not_ok"}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import cast

import uvloop

STARTED = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: for ``seconds``, or ``webhooks`` in all where given. ``prefix`` makes the alerts its own.

    ``repeats``: how many different alerts there are before they come again; 0: each webhook is a new one.
    """

    port: int
    token: str
    prefix: str
    clients: int = 16
    seconds: float = 2.0
    webhooks: int = 0
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it."""

    rate: float
    p50_ms: float
    p99_ms: float
    sent: int
    not_ok: int


def alert(fingerprint: str, labels: dict[str, str], *, status: str = "firing") -> dict[str, object]:
    """Return an alert as Alertmanager sends it."""
    return {
        "status": status,
        "labels": {
            "severity": "warning",
            "job": "cadvisor",
            "image": "hummingbot/hummingbot:2.3.0",
            **labels,
        },
        "annotations": {
            "summary": "Container uses much CPU",
            "description": "CPU of the container is above 85 % for 10 minutes; see the runbook.",
        },
        "startsAt": STARTED,
        "endsAt": NEVER,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=rate%28container_cpu_usage_seconds_total%5B5m%5D%29&g0.tab=1",
        "fingerprint": fingerprint,
    }


def webhook(*alerts: dict[str, object]) -> dict[str, object]:
    """Return the webhook of one group."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="ContainerHighCpu"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "hbot-triage",
        "groupLabels": {"alertname": "ContainerHighCpu"},
        "commonLabels": {"severity": "warning"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
    }


def _requests(load: Load) -> Iterator[bytes]:
    mark = f"{load.prefix}-@@@@@@@@"
    body = json.dumps(webhook(alert(mark, {"alertname": "ContainerHighCpu", "name": mark})))
    head = (
        f"POST /webhooks/alertmanager HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
        f"User-Agent: Alertmanager/0.27.0\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {load.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = (head + body).encode()
    for number in count():
        which = number % load.repeats if load.repeats else number
        yield request.replace(b"@@@@@@@@", b"%08d" % which)


class _Client(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last has come."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.began = 0.0
        self.transport: asyncio.WriteTransport | None = None
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's own are not registered as such
        self._next()

    def _next(self) -> None:
        assert self.transport is not None
        request = self.run.take()
        if request is None:
            self.transport.close()
            return
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) >= length:
            self.run.answered(self.answer[9:12], time.perf_counter() - self.began)
            self.answer = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.left(exc)


class _Run:
    def __init__(self, load: Load) -> None:
        self.load, self.requests = load, _requests(load)
        self.times: list[float] = []
        self.not_ok = self.taken = 0
        self.clients = load.clients
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.began = time.perf_counter()

    def take(self) -> bytes | None:
        over = (
            self.taken >= self.load.webhooks
            if self.load.webhooks
            else time.perf_counter() - self.began > self.load.seconds
        )
        self.taken += not over
        return None if over else next(self.requests)

    def answered(self, status: bytes, seconds: float) -> None:
        self.times.append(seconds)
        self.not_ok += status != b"200"

    def left(self, error: Exception | None) -> None:
        self.clients -= 1
        if error is not None and not self.done.done():
            self.done.set_exception(error)
        elif not self.clients and not self.done.done():
            self.done.set_result(None)


async def _send(load: Load) -> Sent:
    run, loop = _Run(load), asyncio.get_running_loop()
    for _ in range(load.clients):
        await loop.create_connection(lambda: _Client(run), "127.0.0.1", load.port)
    await run.done
    took, times = time.perf_counter() - run.began, sorted(run.times)
    return Sent(
        rate=len(times) / took,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[len(times) * 99 // 100] * 1000,
        sent=len(times),
        not_ok=run.not_ok,
    )


def send(load: Load) -> Sent:
    """Send a load from a process of its own and return what came of it."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", json.dumps(asdict(load))],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": "."},
        timeout=60,
    )
    return Sent(**json.loads(done.stdout))


def main() -> None:
    """Send what the one argument says."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_send(Load(**json.loads(sys.argv[1])))))))


if __name__ == "__main__":
    main()
