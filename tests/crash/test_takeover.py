"""A replica is killed with work in its hands: the other one has taken it over within 15 s."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from demo.servers.local_server import Fault as SourceFault
from demo.servers.local_server import LocalServer
from demo.slack import Fault, SlackServer
from tests.crash.books import balanced, figure
from tests.crash.test_replica_kills import DESK, LONG, posted, replica
from tests.flows.harness import CHANNEL, Bot
from tests.servers.process import eventually

WITHIN = 15.0 if LONG else 25.0
"""A campaign has the machine for itself; beside other tests a start alone may take seconds."""


class Silent(LocalServer):
    """A source that answers nothing."""

    def routes(self) -> list[web.RouteDef]:
        """None: all there is are faults."""
        return []


async def triaging(slack: SlackServer, service: Bot, source: LocalServer) -> None:
    """Post an alert and wait until its triage is at work."""
    known, asked = len(slack.messages(CHANNEL)), len(source.requests)
    await posted([service], known + 1)
    await until(lambda: len(slack.messages(CHANNEL)) > known, "a card")
    await until(lambda: len(source.requests) > asked, "a triage at work")


async def taken_over(done: Callable[[], object], what: str) -> float:
    """Wait until the other one has done it; returns the seconds since now."""
    began = time.monotonic()

    async def met() -> bool:
        return bool(done())

    await eventually(met, what, within=60)
    return time.monotonic() - began


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so, looking as often as can be."""

    async def met() -> bool:
        return bool(condition())

    await eventually(met, what, within=30, every=0.005)


@pytest.mark.timeout(240)
async def test_what_a_killed_replica_held_is_taken_over_within_15_seconds(
    slack: SlackServer, postgres_copy_url: str, tmp_path: Path
) -> None:
    """A message whose post was under way, and a triage whose source hangs: each by the other one, once."""
    async with Silent() as silent:
        silent.faults.add(SourceFault("hang"))
        desk = {**DESK, "triage": {"deadline_seconds": 4}}
        one, two = services = [
            replica(slack, tmp_path / name, postgres_copy_url, desk, PROMETHEUS_URL=silent.url)
            for name in ("one", "two")
        ]
        try:
            for service in services:
                await service.start()
            slack.faults.add(Fault.late("chat.postMessage", 600))
            assert await posted([one], 1) == "number-1"
            await until(lambda: slack.faults.late, "a post under way")
            one.kill()
            message = await taken_over(lambda: slack.messages(CHANNEL), "the card, by the other one")
            slack.faults.late = 0  # that call is never done within this test

            await one.start()
            await triaging(slack, one, silent)
            one.kill()
            triage = await balanced(postgres_copy_url, slack, ["number-1", "number-2"], within=60)
        finally:
            for service in services:
                await service.stop()
    figure(f"taken over after: message {message:.1f} s, triage {triage:.1f} s")
    assert message <= WITHIN
    assert triage <= WITHIN
    assert set(slack.deliveries().values()) == {1}
    assert "is dead: its work is taken over" in two.log()
