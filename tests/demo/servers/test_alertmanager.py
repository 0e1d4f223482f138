"""The Alertmanager stand-in with a clock that a test moves: hours of grouping in no time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from demo.clock import ManualClock
from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.am_config import load_config
from demo.servers.am_model import NANOS, AmAlert, Silence, fingerprint, parse_matcher
from demo.servers.local_server import LocalServer

CONFIG = """
route: {{receiver: triage, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}}
receivers:
  - name: triage
    webhook_configs:
      - {{url: "{url}/hook", http_config: {{authorization: {{credentials_file: "{token}"}}}}}}
"""


class Sink(LocalServer):
    """A webhook that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.status = 200

    def routes(self) -> list[web.RouteDef]:
        """Take posts."""
        return [web.post("/hook", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.bodies.append(await request.json())
            self.tokens.add(request.headers["Authorization"])
        return web.Response(status=self.status)


@dataclass(slots=True)
class World:
    """An Alertmanager, its webhook and its clock."""

    clock: ManualClock
    manager: AlertmanagerServer
    sink: Sink
    firing: set[str] = field(default_factory=set)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in steps of 10 seconds; what fires is posted again at each, as Prometheus does."""
        for _ in range(round(seconds / 10)):
            self.clock.advance(10)
            for name in self.firing:
                self.post(name)
            await self.manager.tick()

    def post(self, name: str, *, resolved: bool = False) -> None:
        """Post one alert."""
        now = self.manager.now_ns()
        labels, ends = {"alertname": "A", "bot": name}, now if resolved else now + 240 * NANOS
        self.manager.dispatcher.put(
            AmAlert(labels=labels, annotations={}, starts_at=now, ends_at=ends, updated_at=now), now
        )

    def told(self) -> list[tuple[str, list[str]]]:
        """Give each notification as its status and the bots in it."""
        return [(b["status"], [a["labels"]["bot"] for a in b["alerts"]]) for b in self.sink.bodies]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Give a world that stands still."""
    token = tmp_path / "token"
    token.write_text("sekret\n")
    clock = ManualClock()
    async with Sink() as sink, AlertmanagerServer(CONFIG.format(url=sink.url, token=token), clock) as manager:
        yield World(clock, manager, sink)


async def test_a_group_waits_then_tells_changes_then_repeats(world: World) -> None:
    """First after 30 s, a newcomer after 5 min, unchanged again after 4 h, the resolve at the next flush."""
    world.firing = {"bot1"}
    await world.pass_time(30)
    assert world.told() == []
    await world.pass_time(30)
    assert world.told() == [("firing", ["bot1"])]
    world.firing = {"bot1", "bot2"}
    await world.pass_time(300)
    assert world.told()[1:] == [("firing", ["bot1", "bot2"])]
    await world.pass_time(3.9 * 3600)
    assert len(world.told()) == 2
    await world.pass_time(0.3 * 3600)
    assert world.told()[2:] == [("firing", ["bot1", "bot2"])]
    world.firing = {"bot2"}
    world.post("bot1", resolved=True)
    await world.pass_time(310)
    assert [a["status"] for a in world.sink.bodies[3]["alerts"]] == ["resolved", "firing"]
    assert world.sink.tokens == {"Bearer sekret"}


async def test_an_alert_nobody_posts_any_more_resolves_by_itself(world: World) -> None:
    """Its end was four minutes after the last post."""
    world.post("bot1")
    await world.pass_time(60)
    await world.pass_time(600)
    assert world.told() == [("firing", ["bot1"]), ("resolved", ["bot1"])]


async def test_a_webhook_that_is_down_is_told_when_it_is_back(world: World) -> None:
    """Retried within the group interval; a resolve that came meanwhile is what is told, once."""
    world.sink.status = 503
    world.firing = {"bot1"}
    await world.pass_time(120)
    assert world.told() == []
    world.sink.status = 200
    await world.pass_time(60)
    assert world.told() == [("firing", ["bot1"])]
    await world.pass_time(600)
    assert len(world.told()) == 1


async def test_fired_and_resolved_while_the_webhook_was_down_is_never_told(world: World) -> None:
    """The gap that makes reconciling necessary."""
    world.sink.status = 404
    world.post("bot1")
    await world.pass_time(60)
    world.post("bot1", resolved=True)
    await world.pass_time(310)
    world.sink.status = 200
    await world.pass_time(3600)
    assert world.told() == []


async def test_a_silenced_alert_is_absent_and_its_resolve_is_not_told(world: World) -> None:
    """Absence is not a resolve."""
    world.firing = {"bot1", "bot2"}
    await world.pass_time(60)
    now = world.manager.now_ns()
    silence = Silence(
        id="",
        matchers=(parse_matcher('bot="bot2"'),),
        starts_at=now,
        ends_at=now + 3600 * NANOS,
        updated_at=now,
        created_by="me",
        comment="",
    )
    world.manager.silences.set(silence, now)
    world.firing = {"bot1"}
    world.post("bot2", resolved=True)
    await world.pass_time(600)
    assert world.told() == [("firing", ["bot1", "bot2"])]


def test_the_fingerprint_is_alertmanagers() -> None:
    """A value seen in a real Alertmanager 0.25."""
    assert fingerprint({"alertname": "A", "severity": "critical", "bot": "bot1"}) == "b939b51dc0847cac"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("route: {receiver: x}\nreceivers: []", 'undefined receiver "x"'),
        ("route: {receiver: x}\nreceivers: [{name: x, slack_configs: []}]", "slack_configs"),
        ("route: [", "flow"),
    ],
)
def test_a_configuration_it_does_not_understand_is_refused_by_name(text: str, problem: str) -> None:
    """Nothing is silently left out."""
    with pytest.raises(ValueError, match=problem):
        load_config(text)
