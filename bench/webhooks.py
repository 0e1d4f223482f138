"""Stored webhooks a second against the bare limit: ``python -m bench.webhooks``.

Rounds of the probe and of the service follow each other, so that a busy machine burdens both; each figure is the
median over the rounds, the ratio that of the rounds' own ratios. Every webhook of the main figure brings an alert
that was never seen, the most expensive kind: each is also sorted into an incident, posted and triaged meanwhile.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, tell
from bench.harness import TOKEN, running_service
from bench.load import Load, Sent, send
from tests.servers.process import ServerProcess, accepts, free_port, stopped_at_exit

ROUNDS, SECONDS = 5, 2.5
LIMIT = 0.7


@asynccontextmanager
async def running_probe() -> AsyncIterator[int]:
    """Run the bare probe; gives its port."""
    port = free_port()
    with TemporaryDirectory(prefix="hbot-triage-probe-") as folder:
        command = [sys.executable, "-m", "bench.probe", str(port), f"{folder}/probe.db"]
        process = ServerProcess("probe", command, log=Path(folder) / "probe.log")
        async with stopped_at_exit(process):
            process.start()
            await process.ready(lambda: accepts(port))
            yield port


async def _round(port: int, name: str, *, repeats: int = 0) -> Sent:
    sent = await asyncio.to_thread(send, Load(port, TOKEN, name, seconds=SECONDS, repeats=repeats))
    assert not sent.not_ok, f"{sent.not_ok} of {sent.sent} webhooks were not accepted"
    return sent


async def _measure(*, repeats: int) -> tuple[list[Sent], list[Sent]]:
    bare, ours = [], []
    async with running_probe() as probe, running_service() as harness:
        for number in range(ROUNDS + 1):
            bare.append(await _round(probe, f"r{number}", repeats=repeats))
            ours.append(await _round(harness.bot.port, f"r{number}", repeats=repeats))
            await harness.sorted()  # what a round left to be sorted must not burden the probe's next one
            await asyncio.sleep(0.5)
    return bare[1:], ours[1:]  # the first round warms both up


async def _figures() -> list[Figure]:
    found = []
    for kind, repeats in (("new", 0), ("repeated", 50)):
        bare, ours = await _measure(repeats=repeats)
        ratio = statistics.median(o.rate / b.rate for o, b in zip(ours, bare, strict=True))
        found += [
            Figure(f"webhooks_{kind}_ratio_to_probe", ratio, "ratio", LIMIT, at_least=True),
            Figure(f"webhooks_{kind}_stored", statistics.median(s.rate for s in ours), "1/s"),
            Figure(f"webhooks_{kind}_probe", statistics.median(s.rate for s in bare), "1/s"),
            Figure(f"webhooks_{kind}_answer_p99", statistics.median(s.p99_ms for s in ours), "ms"),
        ]
    return found


if __name__ == "__main__":
    sys.exit(tell(asyncio.run(_figures())))
