"""The same posts to a real Alertmanager and to the stand-in: the same answers, and the same webhook bodies."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from demo.servers.alertmanager import AlertmanagerServer
from demo.servers.go_text import rfc3339
from tests.demo.servers.processes import alertmanager, free_port, running
from tests.servers.http import plain_client

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus-alertmanager") is None, reason="prometheus-alertmanager is not on PATH"
)

CONFIG = """
global: {{resolve_timeout: 5m}}
route:
  receiver: triage.x
  group_by: [alertname, severity]
  group_wait: 300ms
  group_interval: {interval}
  repeat_interval: 3s
  routes:
    - {{receiver: other, matchers: ['alertname="Watchdog"', 'bot=~"|bot1"'], group_by: ['...'], continue: true}}
    - {{receiver: nobody, matchers: ['severity="none"']}}
receivers:
  - name: triage.x
    webhook_configs:
      - url: {url}/main
        max_alerts: 2
        http_config: {{authorization: {{credentials: sekret}}}}
  - name: other
    webhook_configs: [{{url: "{url}/other", send_resolved: false}}]
  - name: nobody
inhibit_rules:
  - {{source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [bot]}}
"""
UNKNOWN = "11111111-1111-1111-1111-111111111111"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(slots=True)
class Sink:
    """A webhook that keeps what it gets; `status` is what it answers."""

    bodies: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    status: int = 200
    refused: int = 0
    url: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        """Keep a notification, or refuse it."""
        if self.status != 200:
            self.refused += 1
            return web.Response(status=self.status)
        self.bodies.append(
            (request.path, json.loads(await request.text()), request.headers.get("Authorization", ""))
        )
        return web.Response()


@dataclass(frozen=True, slots=True)
class Side:
    """One Alertmanager and the webhook it tells."""

    http: httpx.AsyncClient
    sink: Sink

    async def told(self, count: int, seconds: float = 8.0) -> list[Any]:
        """Wait for that many notifications; returns them comparable, in a fixed order."""
        for _ in range(round(seconds / 0.02)):
            if len(self.sink.bodies) >= count:
                break
            await asyncio.sleep(0.02)
        return sorted((comparable(b) for b in self.sink.bodies), key=json.dumps)


@pytest.fixture
async def sides(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Side, Side]]:
    """Give (real, ours), each with a webhook of its own."""
    interval = getattr(request, "param", "1s")
    sinks = (Sink(), Sink())
    runners = []
    for sink in sinks:
        app = web.Application()
        app.add_routes([web.post("/{name}", sink.receive)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        runners.append(runner)
    port = free_port()
    command = alertmanager(tmp_path, CONFIG.format(url=sinks[0].url, interval=interval), port)
    ours = AlertmanagerServer(CONFIG.format(url=sinks[1].url, interval=interval))
    async with (
        running(command, f"http://127.0.0.1:{port}", tmp_path / "log") as url,
        ours,
        plain_client(url, timeout=5) as real_http,
        plain_client(ours.url, timeout=5) as ours_http,
    ):
        working = asyncio.create_task(ours.run())
        yield Side(real_http, sinks[0]), Side(ours_http, sinks[1])
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    for runner in runners:
        await runner.cleanup()


def comparable(value: object) -> Any:  # noqa: ANN401 (JSON of any shape)
    """Put words for times, ids and addresses, which differ from run to run."""
    text = json.dumps(value, sort_keys=True)
    text = _UUID.sub("<id>", text) if UNKNOWN not in text else text
    text = _TIME.sub(lambda m: "<ms>" if len(m.group(1) or "") == 4 else "<time>", text)
    text = re.sub(r'"externalURL": "[^"]*"', '"externalURL": "<url>"', text)
    return json.loads(text)


def alert(name: str, severity: str = "critical", **labels: str) -> dict[str, Any]:
    """Give an alert to post."""
    return {"labels": {"alertname": name, "severity": severity, **labels}}


async def same(
    sides: tuple[Side, Side], ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> tuple[httpx.Response, httpx.Response]:
    """Ask both; their answers must agree. Returns (real, ours)."""
    real, ours = [await ask(side.http) for side in sides]
    assert ours.status_code == real.status_code, (real.text, ours.text)
    assert ours.headers.get("content-type") == real.headers.get("content-type")
    if real.text:
        assert comparable(ours.json()) == comparable(real.json())
    else:
        assert ours.text == ""
    return real, ours


async def post(sides: tuple[Side, Side], alerts: list[dict[str, Any]]) -> None:
    """Post the same alerts to both."""
    await same(sides, lambda http: http.post("/api/v2/alerts", json=alerts))


async def test_groups_are_told_alike_from_firing_to_resolved(sides: tuple[Side, Side]) -> None:
    """Grouping, truncation, common labels, a change, a resolve and a whole resolved group: the same bodies."""
    first = [
        {
            **alert("A", bot="bot2"),
            "annotations": {"summary": "s", "same": "x"},
            "generatorURL": "http://x/g",
        },
        {
            **alert("A", bot="bot1"),
            "annotations": {"summary": "t", "same": "x"},
            "generatorURL": "http://x/g",
        },
        alert("A", bot="bot3", empty="", job='we"ird\\'),
        alert("B", "warning", bot="bot9"),
    ]
    await post(sides, first)
    real, ours = [await side.told(2) for side in sides]
    assert ours == real
    assert {b[1]["groupKey"] for b in ours} == {
        '{}:{alertname="A", severity="critical"}',
        '{}:{alertname="B", severity="warning"}',
    }
    assert {b[2] for b in ours} == {"Bearer sekret"}
    ends = rfc3339(time.time() - 1)
    await post(sides, [{**a, "endsAt": ends, "startsAt": rfc3339(time.time() - 60)} for a in first[1:]])
    real, ours = [await side.told(4) for side in sides]
    assert ours == real
    statuses = {(b[1]["groupLabels"]["alertname"], b[1]["status"]) for b in ours}
    assert {("A", "firing"), ("B", "firing"), ("B", "resolved")} <= statuses


async def test_an_unchanged_group_is_told_again_after_the_repeat_interval(sides: tuple[Side, Side]) -> None:
    """Nothing new at the flushes between; then the same body again."""
    await post(sides, [alert("R", bot="bot1")])
    real, ours = [await side.told(2) for side in sides]
    assert ours == real
    assert ours[0] == ours[1]


async def test_a_child_route_that_continues_has_a_key_of_its_own(sides: tuple[Side, Side]) -> None:
    """`{}/{matchers}:{labels}`; grouped by all labels; no resolves where none are wanted."""
    await post(sides, [alert("Watchdog", "none", bot="bot1"), alert("Watchdog", "none", bot="bot2")])
    real, ours = [await side.told(1) for side in sides]
    assert ours == real
    (path, body, _), *_rest = ours
    assert path == "/other"
    assert body["groupKey"].startswith('{}/{alertname="Watchdog",bot=~"|bot1"}:{')
    await same(sides, lambda http: http.get("/api/v2/alerts/groups"))


async def test_an_inhibited_or_silenced_alert_is_shown_but_not_told(sides: tuple[Side, Side]) -> None:
    """It is suppressed in the API, with who did it, and absent from the notification."""
    window = {"startsAt": rfc3339(time.time() - 60), "endsAt": rfc3339(time.time() + 600)}
    quiet = {"matchers": [matcher("bot", "bot2")], **window, "createdBy": "me", "comment": "c"}
    await same(sides, lambda http: http.post("/api/v2/silences", json=quiet))
    await post(sides, [alert("A", bot="bot1"), alert("A", bot="bot2"), alert("B", "warning", bot="bot1")])
    real, ours = [await side.told(1) for side in sides]
    assert ours == real
    assert [a["labels"]["bot"] for a in ours[0][1]["alerts"]] == ["bot1"]
    for query in (
        "",
        "?silenced=false",
        "?inhibited=false",
        "?active=false",
        "?active=nonsense",
        "?filter=bot%3D%22bot2%22",
        "?filter=bot%3D~bot.%2B&filter=severity!%3Dcritical",
        "?filter=bad",
        "?receiver=triage.*",
        "?receiver=tri",
        "?receiver=%28",
    ):
        await same(sides, lambda http, query=query: http.get(f"/api/v2/alerts{query}"))  # type: ignore[misc]
        if "receiver" not in query:
            await same(sides, lambda http, query=query: http.get(f"/api/v2/alerts/groups{query}"))  # type: ignore[misc]


def matcher(name: str, value: str, **more: bool) -> dict[str, Any]:
    """Give a silence's matcher."""
    return {"name": name, "value": value, "isRegex": False, **more}


def silence(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 (a body to be broken)
    """Give a good silence with those fields changed; None takes one out."""
    body = {
        "matchers": [matcher("bot", "bot1")],
        "startsAt": rfc3339(time.time() - 60),
        "endsAt": rfc3339(time.time() + 600),
        "createdBy": "me",
        "comment": "why",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def test_silences_are_refused_alike(sides: tuple[Side, Side]) -> None:
    """Each way a silence can be wrong, with status and body."""
    past = rfc3339(time.time() - 30)
    for body in (
        silence(matchers=[]),
        silence(matchers=None),
        silence(comment=None),
        silence(createdBy=""),
        silence(startsAt=past, endsAt=rfc3339(time.time() - 90)),
        silence(endsAt=past),
        silence(matchers=[matcher("bot", "")]),
        silence(matchers=[matcher("b-t", "x")]),
        silence(matchers=[matcher("bot", "(", isRegex=True)]),
        silence(matchers=[matcher("bot", ".*", isRegex=True)]),
        silence(matchers=[{"name": "bot", "value": "x"}]),
        silence(matchers=[matcher("bot", "bot1", isEqual=False)]),
        silence(id=UNKNOWN),
        silence(startsAt="yesterday"),
    ):
        await same(sides, lambda http, body=body: http.post("/api/v2/silences", json=body))  # type: ignore[misc]
    for method, path in (
        ("GET", f"/api/v2/silence/{UNKNOWN}"),
        ("GET", "/api/v2/silence/nouuid"),
        ("DELETE", f"/api/v2/silence/{UNKNOWN}"),
        ("GET", "/api/v2/silences?filter=bad"),
        ("GET", "/api/v2/nothing"),
        ("GET", "/-/ready"),
        ("GET", "/api/v2/receivers"),
    ):
        if path == "/-/ready":
            answers = [await side.http.get(path) for side in sides]
            assert answers[0].text == answers[1].text == "OK"
        else:
            await same(sides, lambda http, m=method, p=path: http.request(m, p))  # type: ignore[misc]


async def test_a_silence_lives_alike(sides: tuple[Side, Side]) -> None:
    """Created, prolonged in place, changed into a new one, expired, and listed in the same order."""
    made = await same(sides, lambda http: http.post("/api/v2/silences", json=silence()))
    ids = [answer.json()["silenceID"] for answer in made]
    for side, silence_id in zip(sides, ids, strict=True):
        stored = (await side.http.get(f"/api/v2/silence/{silence_id}")).json()
        longer = {**stored, "endsAt": rfc3339(time.time() + 900)}
        again = await side.http.post("/api/v2/silences", json=longer)
        assert again.json() == {"silenceID": silence_id}
        other = {**stored, "matchers": [matcher("bot", "bot9")]}
        fresh = await side.http.post("/api/v2/silences", json=other)
        assert fresh.json()["silenceID"] != silence_id
    await same(sides, lambda http: http.get("/api/v2/silences"))
    await same(sides, lambda http: http.get("/api/v2/silences?filter=bot%3Dbot9"))
    for side, silence_id in zip(sides, ids, strict=True):
        listed = (await side.http.get("/api/v2/silences")).json()
        states = {s["id"]: s["status"]["state"] for s in listed}
        assert states.pop(silence_id) == "expired"
        (active,) = states
        assert (await side.http.delete(f"/api/v2/silence/{active}")).status_code == 200
        assert (await side.http.delete(f"/api/v2/silence/{active}")).status_code == 200
    await same(sides, lambda http: http.get("/api/v2/silences"))


async def test_alerts_are_refused_alike(sides: tuple[Side, Side]) -> None:
    """Each way a post can be wrong; a good alert beside a bad one is kept."""
    now = time.time()
    bodies: tuple[object, ...] = (
        [{"labels": {}}],
        [{"labels": {"a-b": "x"}}],
        [{"annotations": {}}],
        [{"labels": {"alertname": "X"}, "startsAt": rfc3339(now), "endsAt": rfc3339(now - 60)}],
        [{"labels": {"alertname": ""}}, {"labels": {"alertname": "Good"}}],
        {},
        [{"labels": {"alertname": "X"}, "startsAt": "soon"}],
    )
    for body in bodies:
        await same(sides, lambda http, body=body: http.post("/api/v2/alerts", json=body))  # type: ignore[misc]
    await same(sides, lambda http: http.post("/api/v2/alerts", data={"a": "b"}))
    await same(sides, lambda http: http.get("/api/v2/alerts"))


@pytest.mark.parametrize("sides", ["4s"], indirect=True)
@pytest.mark.parametrize("status", [500, 503, 404, 429])
async def test_a_refused_notification_is_tried_again_alike(sides: tuple[Side, Side], status: int) -> None:
    """5xx soon and often; 4xx not before the next flush; told in the end."""
    for side in sides:
        side.sink.status = status
    await post(sides, [alert("A", bot="bot1")])
    await asyncio.sleep(2.0)
    real, ours = (side.sink.refused for side in sides)
    assert (ours > 1) == (real > 1) == (status >= 500)
    for side in sides:
        side.sink.status = 200
    real_told, ours_told = [await side.told(1) for side in sides]
    assert ours_told[:1] == real_told[:1]
    assert len(ours_told) >= 1
