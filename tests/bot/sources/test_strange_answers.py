"""Answers of Loki and Prometheus as servers, gateways and compatible ones give them: right, or said to be unknown."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.sources.http import HttpSource
from bot.sources.loki.client import Loki
from bot.sources.prometheus.client import Prometheus
from tests.fakes.sources import NOW
from triage.errors import SourceBadAnswer, SourceError

AT = str(int(NOW.timestamp() * 1e9))
TEXT = {"content-type": "text/plain; charset=utf-8"}
HTML = {"content-type": "text/html"}
JSON = {"content-type": "application/json"}
Answer = tuple[int, dict[str, str], object]


def source(name: str, *answers: Answer) -> HttpSource:
    """A source that gives these answers, the last one again and again; a body that is no text is JSON."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        status, headers, body = left.pop(0) if len(left) > 1 else left[0]
        text, kind = (body, {}) if isinstance(body, str) else (json.dumps(body), JSON)
        return httpx.Response(status, headers=headers or kind or JSON, stream=httpx.ByteStream(text.encode()))

    return HttpSource.open(name, httpx.URL("http://there/"), transport=httpx.MockTransport(answer))


def streams(*streams: object, **more: object) -> dict[str, Any]:
    """Loki's answer to a question for lines."""
    return {
        "status": "success",
        "data": {"resultType": "streams", "result": list(streams), "stats": {}},
        **more,
    }


def stream(*values: object, **labels: str) -> dict[str, Any]:
    """One stream."""
    return {"stream": {"bot": "bot1", **labels}, "values": list(values)}


async def lines_of(*answers: Answer, limit: int = 100) -> tuple[list[str], bool]:
    """Return the lines that Loki's adapter makes of answers, and whether there were more."""
    found = await Loki(source("Loki", *answers)).lines(
        "{}", start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), limit=limit
    )
    return [line.text for line in found.lines], found.truncated


@pytest.mark.parametrize(
    ("body", "lines", "cut"),
    [
        (streams(), [], False),
        (streams(stream()), [], False),
        (streams({"stream": {"bot": "bot1"}, "values": None}, stream([AT, "a"])), ["a"], False),
        (streams(stream([AT, "a"], detected_level="error"), stream([AT, "b"], detected_level="x")), ["a", "b"], False),
        (streams(stream([AT, "a", {"structuredMetadata": {"trace": "1"}, "parsed": {"x": "y"}}])), ["a"], False),
        (streams(stream([str(int(AT) + 2), "late"], [str(int(AT) + 1), "early"])), ["early", "late"], False),
        (streams(stream([str(int(AT) - 1), "early"]), stream([AT, "late"])), ["early", "late"], False),
        ({"status": "success", "data": {"resultType": "streams", "result": None}}, [], False),
        (streams(stream([AT, "a"]), warnings=["maximum number of series reached"]), ["a"], True),
        (streams(stream([AT, "a"]), warnings=None), ["a"], False),
    ],
)  # fmt: skip
async def test_lines_of_loki_are_all_that_came(body: object, lines: list[str], *, cut: bool) -> None:
    """In their order, whatever stands beside them; a part is no whole."""
    assert await lines_of((200, {}, body)) == (lines, cut)


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (200, {}, streams(warnings=["partial results"]), "answered in part: partial results"),
        (
            200,
            {},
            {"status": "success", "data": {"resultType": "matrix", "result": []}},
            "matrix where streams",
        ),
        (200, {}, {"status": "success", "data": None}, "not the shape"),
        (200, {}, {"status": "success", "data": {"resultType": "streams", "result": {}}}, "streams"),
        (200, {}, streams(stream(["soon", "a"])), "not the shape"),
        (200, {}, streams(stream([AT])), "not the shape"),
        (200, HTML, "<html><title>Sign in</title></html>", ""),
        (200, TEXT, "", ""),
        (400, TEXT, "parse error at line 1, col 3: syntax error", "parse error"),
        (413, HTML, "<html>413 Request Entity Too Large</html>", "413"),
        (422, TEXT, "the query time range exceeds the limit", "time range"),
        (429, {**TEXT, "retry-after": "0"}, "too many outstanding requests", "too many outstanding requests"),
        (500, {}, {"code": 500, "message": "context canceled", "status": "error"}, "500"),
        (502, HTML, "<html>Bad Gateway</html>", "502"),
        (504, TEXT, "context deadline exceeded", "context deadline exceeded"),
    ],
)
async def test_what_loki_does_not_answer_is_no_silence(
    status: int, headers: dict[str, str], body: object, words: str
) -> None:
    """An error that says why, never an empty answer."""
    with pytest.raises(SourceError) as refused:
        await lines_of((status, headers, body))
    assert words in refused.value.why
    with pytest.raises(SourceError):
        await Loki(source("Loki", (status, headers, body))).counts(
            "{}", by="bot", end=NOW, window_seconds=900
        )


@pytest.mark.parametrize(
    "refusal",
    [
        (400, TEXT, "limit > max_entries_limit_per_query (101 > 2)"),
        (400, {}, '{"code":400,"message":"limit \\u003e max_entries_limit_per_query (101 \\u003e 2)"}'),
    ],
)  # fmt: skip
async def test_a_smaller_limit_that_is_named_is_taken(refusal: Answer) -> None:
    """Also where a gateway wrote the sentence as JSON; that there may be more is said."""
    two = streams(stream([AT, "a"], [AT, "b"]))
    assert await lines_of(refusal, (200, {}, two)) == (["b", "a"], True)


async def test_after_a_moment_loki_is_asked_once_more() -> None:
    """It names the moment, or not."""
    for headers in ({"retry-after": "0"}, {"retry-after": "Fri, 20 Feb 2026 03:15:00 GMT"}, {}):
        found = await lines_of(
            (429, headers, "too many outstanding requests"), (200, {}, streams(stream([AT, "a"])))
        )
        assert found == (["a"], False)


def vector(*results: object, **more: object) -> dict[str, Any]:
    """Prometheus' answer to an instant question."""
    return {"status": "success", "data": {"resultType": "vector", "result": list(results)}, **more}


def sample(value: object, **labels: str) -> dict[str, Any]:
    """One series of it."""
    return {"metric": labels, "value": [NOW.timestamp(), value]}


@pytest.mark.parametrize(
    ("body", "values", "warnings"),
    [
        (vector(), [], ()),
        (vector(sample("NaN"), sample("+Inf"), sample("-Inf"), sample("0.0002")), ["nan", "inf", "-inf", "0.0002"], ()),
        (vector(sample("1"), warnings=["PromQL warning: x"], infos=["PromQL info: y"]), ["1.0"], ("PromQL warning: x",)),
        (vector(sample("1"), isPartial=True), ["1.0"], ("the answer is partial",)),
        ({"status": "success", "data": {"resultType": "vector", "result": None}, "warnings": None}, [], ()),
        ({"status": "success", "data": {"resultType": "scalar", "result": [1, "3"]}}, ["3.0"], ()),
        (vector({"metric": {}, "histogram": [1, {"count": "1"}]}, sample("2")), ["2.0"], ()),
    ],
)  # fmt: skip
async def test_values_of_prometheus_are_what_came(
    body: object, values: list[str], warnings: tuple[str, ...]
) -> None:
    """What is no number comes as such, and is judged by who asks; what is missing is said."""
    found = await Prometheus(source("Prometheus", (200, {}, body))).query("up")
    assert [str(each.value) for each in found.samples] == values
    assert found.warnings == warnings


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (200, {}, {"status": "success", "data": None}, "not the shape"),
        (200, {}, {"status": "success", "data": {"resultType": "vector", "result": {}}}, "not the shape"),
        (200, {}, vector(sample(None)), "not the shape"),
        (200, {}, vector({"metric": None, "value": [1, "1"]}), "not the shape"),
        (200, {}, {"status": "success", "data": {"resultType": "matrix", "result": []}}, "not the shape"),
        (200, {}, {"message": "welcome"}, "not its own"),
        (200, HTML, "<html>Sign in</html>", ""),
        (400, {}, {"status": "error", "errorType": "bad_data", "error": "parse error"}, "parse error"),
        (401, HTML, "<html>401</html>", "401"),
        (422, {}, {"status": "error", "errorType": "execution", "error": "query processing would load too many samples"},
         "too many samples"),
        (429, TEXT, "too many requests", "429"),
        (503, {}, {"status": "error", "errorType": "timeout", "error": "query timed out"}, "timed out"),
        (503, HTML, "<html>Service Unavailable</html>", "503"),
    ],
)  # fmt: skip
async def test_what_prometheus_does_not_answer_is_no_empty_result(
    status: int, headers: dict[str, str], body: object, words: str
) -> None:
    """Nor a zero."""
    with pytest.raises(SourceError) as refused:
        await Prometheus(source("Prometheus", (status, headers, body))).query("up")
    assert words in refused.value.why


@pytest.mark.parametrize(
    ("ask", "data"),
    [
        (lambda prometheus: prometheus.rules(), {"groups": None}),
        (lambda prometheus: prometheus.rules(), {"groups": [{"name": "g", "rules": None}]}),
        (lambda prometheus: prometheus.targets(), {"activeTargets": None}),
        (lambda prometheus: prometheus.alerts(), {"alerts": None}),
    ],
)
async def test_null_is_none_of_them(ask: Callable[[Prometheus], Any], data: object) -> None:
    """As compatible servers write it; another shape is refused."""
    assert await ask(Prometheus(source("Prometheus", (200, {}, {"status": "success", "data": data})))) == ()
    with pytest.raises(SourceBadAnswer):
        await ask(Prometheus(source("Prometheus", (200, {}, {"status": "success", "data": "none"}))))


async def test_series_whose_times_differ_keep_their_own() -> None:
    """The series of an answer have most of their times in common, and not all: one began later, one has a hole."""
    at = NOW.timestamp()
    ways = ([0, 60, 120], [60, 120], [0, 120], [0, 60, 120])
    result = [
        {"metric": {"bot": f"bot{number}"}, "values": [[at + each, str(each)] for each in times]}
        for number, times in enumerate(ways)
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    found = await Prometheus(source("Prometheus", (200, JSON, answer))).query_range(
        "up", start=NOW, end=NOW + timedelta(minutes=2), step_seconds=60
    )
    assert [each.points for each in found.series] == [
        tuple((NOW + timedelta(seconds=each), float(each)) for each in times) for times in ways
    ]
