"""Answers of which one part is not what it should be: the question has an answer or an error of ours, never a fault."""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.contracts.test_source_faults import HOUR_AGO, QUESTIONS, Anything, sources_at
from tests.fakes.sources import NOW
from triage.errors import SourceBadAnswer, SourceError
from triage.ports.sources import UNREADABLE, UNREADABLE_RULE, Sources

pytestmark = pytest.mark.slow

TIME = "2026-02-20T03:00:00.123456789Z"
ALERT = {
    "labels": {"alertname": "BotFrozen"},
    "annotations": {"summary": "x"},
    "startsAt": TIME,
    "endsAt": TIME,
    "updatedAt": TIME,
    "generatorURL": "http://p",
    "fingerprint": "ab",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    "receivers": [{"name": "triage"}],
}
SILENCE = {
    "id": "1",
    "status": {"state": "active"},
    "matchers": [{"name": "a", "value": "b", "isRegex": False, "isEqual": True}],
    "startsAt": TIME,
    "endsAt": TIME,
    "updatedAt": TIME,
    "createdBy": "ana",
    "comment": "c",
}
VECTOR = {"resultType": "vector", "result": [{"metric": {"bot": "bot1"}, "value": [1771556340.5, "1"]}]}
MATRIX = {"resultType": "matrix", "result": [{"metric": {"bot": "b"}, "values": [[1.5, "1"], [2.5, "NaN"]]}]}
STREAMS = {
    "resultType": "streams",
    "result": [{"stream": {"a": "b"}, "values": [["1771556340000000000", "x"]]}],
}
RULE = {
    "name": "A",
    "type": "alerting",
    "state": "firing",
    "health": "ok",
    "lastError": "",
    "labels": {"a": "b"},
}
TARGET = {"labels": {"job": "j", "instance": "i"}, "health": "up", "lastScrape": TIME, "lastError": ""}
WHOLE: dict[str, Any] = {
    "prometheus query": {"status": "success", "data": VECTOR, "warnings": ["w"]},
    "prometheus range": {"status": "success", "data": MATRIX, "warnings": ["w"]},
    "prometheus rules": {"status": "success", "data": {"groups": [{"name": "g", "rules": [RULE]}]}},
    "prometheus alerts": {
        "status": "success",
        "data": {
            "alerts": [{"labels": {"alertname": "A"}, "state": "firing", "activeAt": TIME, "value": "1"}]
        },
    },
    "prometheus targets": {"status": "success", "data": {"activeTargets": [TARGET]}},
    "loki lines": {"status": "success", "data": STREAMS},
    "loki count": {"status": "success", "data": VECTOR},
    "alertmanager alerts": [ALERT],
    "alertmanager silences": [SILENCE],
    "alertmanager silence": {"silenceID": "7"},
}
ODD: tuple[Any, ...] = (None, [], "x", -1e18, 10**30, float("inf"), float("nan"), "1e999", "-1e18")
"""In the place of each part in turn."""


Path = tuple[str | int, ...]


def places(node: object, path: Path = ()) -> Iterator[Path]:
    """Yield the way to each part of an answer."""
    yield path
    parts: list[tuple[str | int, object]] = list(node.items()) if isinstance(node, dict) else []
    parts += enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        yield from places(value, (*path, key))


def variants(whole: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    """Yield the answer with each part in turn replaced by something odd."""
    for path in places(whole):
        for odd in ODD:
            made = {"whole": copy.deepcopy(whole)}
            node: Any = made
            for key in ("whole", *path)[:-1]:
                node = node[key]
            node[("whole", *path)[-1]] = odd
            yield made["whole"]


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_of_which_one_part_is_odd_costs_its_question_alone(name: str) -> None:
    """It is read, or it is an error of the source, which the finding says."""
    body = json.dumps(WHOLE[name])

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    class Odd(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", answer)]

    async with Odd() as server, sources_at(server.url) as sources:
        assert await QUESTIONS[name](sources)
        refused = 0
        for variant in variants(WHOLE[name]):
            body = json.dumps(variant)
            try:
                await QUESTIONS[name](sources)
            except SourceError:
                refused += 1
    assert refused


async def test_an_alert_that_cannot_be_read_hides_none_of_the_others() -> None:
    """It stands among them as what it is; where none can be read, the answer has another shape."""
    held: list[object] = [ALERT, {**ALERT, "status": None}, None, {**ALERT, "fingerprint": "cd"}]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(held)

    class Alerts(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", answer)]

    async with Alerts() as server, sources_at(server.url) as sources:
        found = await sources.alerts.alerts()
        assert sorted(one.fingerprint for one in found) == ["", "", "ab", "cd"]
        assert [one.state for one in found].count(UNREADABLE) == 2
        del held[3], held[0]
        with pytest.raises(SourceError):
            await sources.alerts.alerts()


async def test_a_rule_or_group_that_cannot_be_read_hides_none_of_the_others() -> None:
    """They stand among them as what they are; where none can be read, the answer has another shape."""
    groups: list[object] = [{"rules": [RULE, None]}, None, {"rules": [{"type": "alerting"}]}, {"rules": None}]

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"groups": groups}})

    class Rules(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", answer)]

    async with Rules() as server, sources_at(server.url) as sources:
        found = await sources.metrics.rules()
        assert [rule.name for rule in found] == ["A", "", "", ""]
        assert found.count(UNREADABLE_RULE) == 3
        del groups[0], groups[2]
        with pytest.raises(SourceError):
            await sources.metrics.rules()


@asynccontextmanager
async def answering(body: object) -> AsyncIterator[Sources]:
    """Ask sources of which each answers the same JSON to everything."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    class Odd(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", answer)]

    async with Odd() as server, sources_at(server.url) as sources:
        yield sources


def of_prometheus(**data: object) -> dict[str, object]:
    """Return an answer of Prometheus."""
    return {"status": "success", "data": data}


SERIES: tuple[dict[str, Any], ...] = (
    {"metric": {"bot": "bot1"}, "value": [1.5, "1"], "values": [[1.5, "1"]]},
    {"metric": {"bot": "bot2"}, "value": [1.5, "many"], "values": [[1.5, "1"], [2.5, None]]},
    {"metric": {"bot": "bot3"}, "value": [1.5, "0"], "values": [[1.5, "0"]]},
)


@pytest.mark.parametrize("text", ["1_000", " 1", "\uff11", "infinity", ""])
async def test_what_is_written_as_no_number_is_none(text: str) -> None:
    """Python's own reader takes four of these for numbers."""
    series = {"metric": {"bot": "bot1"}, "value": [1.5, text], "values": [[1.5, "1"], [2.5, text]]}
    for kind, ask in (
        ("vector", "prometheus query"),
        ("matrix", "prometheus range"),
        ("vector", "loki count"),
    ):
        async with answering(of_prometheus(resultType=kind, result=[series])) as sources:
            with pytest.raises(SourceBadAnswer):
                await QUESTIONS[ask](sources)


async def test_a_series_that_cannot_be_read_is_counted_for_who_takes_the_others() -> None:
    """It is no answer for who has not said that absence proves nothing to it."""
    async with answering(of_prometheus(resultType="vector", result=SERIES)) as sources:
        found = await sources.metrics.query("up", partly=True)
        assert [sample.labels["bot"] for sample in found.samples] == ["bot1", "bot3"]
        assert (found.unread, found.warnings) == (1, ("1 of the 3 series cannot be read",))
        with pytest.raises(SourceBadAnswer, match="1 of the 3 series cannot be read"):
            await sources.metrics.query("up")
    async with answering(of_prometheus(resultType="matrix", result=SERIES)) as sources:
        ask = sources.metrics.query_range
        ranges = await ask("up", start=HOUR_AGO, end=NOW, step_seconds=60, partly=True)
        assert [series.labels["bot"] for series in ranges.series] == ["bot1", "bot3"]
        assert (ranges.unread, ranges.warnings) == (1, ("1 of the 3 series cannot be read",))
        with pytest.raises(SourceBadAnswer, match="1 of the 3 series cannot be read"):
            await ask("up", start=HOUR_AGO, end=NOW, step_seconds=60)


async def test_an_alert_of_prometheus_that_cannot_be_read_keeps_the_labels_that_can() -> None:
    """So that it speaks for those alone that it may be."""
    fires = {"labels": {"alertname": "A"}, "state": "firing", "activeAt": TIME, "value": "1"}
    held = [fires, {**fires, "activeAt": "soon"}, None]
    async with answering(of_prometheus(alerts=held)) as sources:
        found = await sources.metrics.alerts()
    assert [(one.labels.get("alertname"), one.unread) for one in found] == [
        ("A", False),
        ("A", True),
        (None, True),
    ]


async def test_a_target_or_silence_that_cannot_be_read_hides_none_of_the_others() -> None:
    """Of a target its job is kept, where that can be read."""
    targets = [TARGET, {"labels": {"job": "bot-metrics"}}, None]
    async with answering(of_prometheus(activeTargets=targets)) as sources:
        found = await sources.metrics.targets()
    assert [(one.job, one.unread) for one in found] == [("j", False), ("bot-metrics", True), ("", True)]
    async with answering([SILENCE, {**SILENCE, "matchers": None}, {**SILENCE, "id": "3"}]) as sources:
        silences = await sources.alerts.silences()
    assert [one.id for one in silences.held] == ["1", "3"]
    assert silences.unread == "1 of the 3 silences cannot be read"
