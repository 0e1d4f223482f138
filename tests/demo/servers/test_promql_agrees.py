"""The same samples in a real Prometheus and in the stand-in: the same queries must give the same answers."""

import math
import random
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.clock import ManualClock
from demo.servers.go_text import format_float
from demo.servers.prometheus import PrometheusConfig, PrometheusServer
from demo.servers.tsdb import Labels, labels_of
from tests.demo.servers.processes import free_port, prometheus, running
from tests.servers.http import plain_client

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not on PATH")

STEP = 15
COUNT = 240  # an hour
# Only so that Prometheus' retention does not reach the samples; nothing else depends on today's date.
BEGIN = int(time.time()) // 7200 * 7200 - 6 * 3600

QUERIES = [
    "1 + 2 * 3 ^ 2 - 7 % 4",
    "time()",
    '"a string"',
    "hbot_state",
    "hbot_equity",
    'hbot_state{state="hard_stop"} == 1',
    'hbot_state{state=~"hard.*|running",bot!="bot2"}',
    'hbot_state{bot!~"bot[12]"}',
    "hbot_equity offset 10m",
    "hbot_equity[2m]",
    "rate(hbot_fills_total[5m])",
    "increase(hbot_fills_total[30m])",
    "increase(hbot_fills_total[30m]) == 0",
    "irate(hbot_fills_total[5m])",
    "idelta(hbot_equity[5m])",
    "delta(hbot_equity[10m])",
    "deriv(hbot_equity[10m])",
    "predict_linear(hbot_equity[10m], 3600)",
    "changes(hbot_state[30m])",
    "resets(hbot_fills_total[1h])",
    "avg_over_time(hbot_edge[15m])",
    "avg_over_time(hbot_edge[15m]) < 0",
    "max_over_time(hbot_equity[15m])",
    "min_over_time(hbot_equity[15m])",
    "sum_over_time(hbot_state[15m])",
    "last_over_time(hbot_gap[1h])",
    "count_over_time(hbot_gap[1h])",
    "present_over_time(hbot_gap[1h])",
    "quantile_over_time(0.9, hbot_edge[30m])",
    "stddev_over_time(hbot_edge[30m])",
    "stdvar_over_time(hbot_edge[30m])",
    "sum(hbot_equity)",
    "sum by (bot) (hbot_state)",
    "sum without (bot) (hbot_state)",
    "avg(hbot_equity)",
    "min(hbot_equity)",
    "max by (regime) (hbot_edge)",
    "count(hbot_state)",
    "count by (state) (hbot_state == 1)",
    "group by (bot) (hbot_state)",
    "stddev(hbot_equity)",
    "quantile(0.5, hbot_equity)",
    "topk(2, hbot_equity)",
    "bottomk(1, hbot_equity)",
    "topk by (state) (1, hbot_state + hbot_rank)",
    'count_values("v", hbot_state)',
    "hbot_equity * 2 + 1",
    "2 - hbot_equity",
    "hbot_equity / 0",
    "-hbot_equity",
    "hbot_equity > bool 1000",
    "1000 < hbot_equity",
    "hbot_equity > 1000",
    "hbot_equity / on (bot) hbot_rank",
    "hbot_state == on (bot) group_left (regime) (hbot_rank * 0 + 1)",
    "hbot_state * on (bot) group_left (regime) hbot_edge",
    "hbot_rank * on (bot) group_right hbot_state",
    'hbot_state{state="running"} and on (bot) hbot_rank > 1',
    "hbot_rank unless ignoring (regime) hbot_edge",
    "hbot_rank or hbot_edge",
    "hbot_equity == hbot_equity",
    "hbot_equity > ignoring (bot) hbot_equity",
    "hbot_equity * on () hbot_rank",
    "scalar(hbot_one)",
    "scalar(hbot_equity)",
    "vector(7)",
    "time() - timestamp(hbot_gap)",
    "time() - max by (bot) (timestamp(hbot_equity))",
    'absent(hbot_missing{bot="bot1",job=~"x"})',
    "absent(hbot_equity)",
    'absent_over_time(hbot_missing{bot="bot9"}[5m])',
    "abs(hbot_edge)",
    "round(hbot_edge, 0.01)",
    "ceil(hbot_edge) + floor(hbot_edge)",
    "clamp(hbot_edge, -0.1, 0.1)",
    "clamp_min(hbot_edge, 0)",
    "clamp_max(hbot_edge, 0)",
    "sqrt(hbot_equity) + ln(hbot_equity) + exp(hbot_edge)",
    "sgn(hbot_edge)",
    'label_replace(hbot_equity, "container", "hbot-$1", "bot", "(bot.*)")',
    'label_replace(hbot_equity, "n", "${n}x", "bot", "bot(?P<n>[0-9])")',
    'label_join(hbot_state, "key", "/", "bot", "state")',
    "hour() * 60 + minute()",
    "day_of_week(vector(1700000000))",
    "resets(sum by (bot) (hbot_fills_total)[1h:15s])",
    "changes(max by (bot) (hbot_state)[30m:1m])",
    "max_over_time(rate(hbot_fills_total[2m])[10m:30s])",
    "avg_over_time(hbot_equity[10m:1m] offset 5m)",
    "quantile_over_time(0.5, (sum(hbot_equity))[20m:15s])",
    "hbot_nan",
    "hbot_nan > 0",
    "max(hbot_nan)",
    "sum(hbot_nan)",
    "max_over_time(hbot_nan[5m])",
    "sum(hbot_state) > 100",
    "count(hbot_missing)",
    "hbot_missing or vector(0)",
]


def samples() -> Iterator[tuple[Labels, int, float]]:
    """Yield an hour of a small desk: counters with resets, gaps, NaN, a label that moves."""
    dice = random.Random(7)  # noqa: S311 (the same samples every run)
    fills = dict.fromkeys(("bot1", "bot2", "bot3"), 0)
    for n in range(COUNT):
        at = (BEGIN + n * STEP) * 1000 + n % 3
        for rank, bot in enumerate(fills, start=1):
            fills[bot] = (
                0 if n == 100 and bot == "bot2" else fills[bot] + (dice.random() < 0.2 and bot != "bot3")
            )
            now = ("running", "soft_pause", "hard_stop")[(n // 40 + rank) % 3]
            for state in ("running", "soft_pause", "hard_stop"):
                labels = {"__name__": "hbot_state", "bot": bot, "state": state}
                yield labels_of(labels), at, float(state == now)
            regime = "up" if n // 120 else "flat"
            yield labels_of({"__name__": "hbot_edge", "bot": bot, "regime": regime}), at, dice.gauss(0, 0.1)
            yield labels_of({"__name__": "hbot_equity", "bot": bot}), at, 1000 + dice.gauss(0, 3) * rank
            yield labels_of({"__name__": "hbot_fills_total", "bot": bot}), at, float(fills[bot])
            yield labels_of({"__name__": "hbot_rank", "bot": bot}), at, float(rank)
        yield labels_of({"__name__": "hbot_one"}), at, 0.1 + n
        if n % 30 < 6:
            yield labels_of({"__name__": "hbot_gap", "bot": "bot1"}), at, float(n)
        yield labels_of({"__name__": "hbot_nan", "bot": "bot1"}), at, math.nan if n % 2 else 2.5


def openmetrics() -> str:
    """Write the samples as `promtool tsdb create-blocks-from` reads them: a metric after the other."""
    lines = [(dict(labels)["__name__"], at, labels, value) for labels, at, value in samples()]
    out = []
    for name, at, labels, value in sorted(lines, key=lambda line: (line[0], line[2], line[1])):
        inner = ",".join(f'{n}="{v}"' for n, v in labels if n != "__name__")
        out.append(f"{name}{{{inner}}} {format_float(value)} {at / 1000:.3f}")
    return "\n".join([*out, "# EOF", ""])


@dataclass(frozen=True, slots=True)
class Pair:
    """Both servers over the same samples."""

    real: httpx.AsyncClient
    ours: httpx.AsyncClient


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the samples as Prometheus' own blocks."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "samples.om").write_text(openmetrics())
    source, target = str(folder / "samples.om"), str(folder / "data")
    arguments = ["tsdb", "create-blocks-from", "openmetrics", source, target]
    subprocess.run(["promtool", *arguments], check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture
async def pair(blocks: Path, tmp_path: Path) -> AsyncIterator[Pair]:
    """Give a real Prometheus and the stand-in, with the same samples and a default step of 15 s."""
    shutil.copytree(blocks / "data", tmp_path / "data", ignore=shutil.ignore_patterns("lock"))
    ours = PrometheusServer(PrometheusConfig(), ManualClock(BEGIN + COUNT * STEP))
    for labels, at, value in samples():
        ours.tsdb.append(labels, at, value)
    port = free_port()
    config = "global: {evaluation_interval: 15s}\n"
    async with (
        running(prometheus(tmp_path, config, port), f"http://127.0.0.1:{port}", tmp_path / "log") as url,
        ours,
        plain_client(url) as real_http,
        plain_client(ours.url) as ours_http,
    ):
        yield Pair(real_http, ours_http)


def comparable(answer: httpx.Response) -> Any:  # noqa: ANN401 (a JSON answer of any shape)
    """Make an answer comparable: no order where Prometheus promises none, numbers to nine digits."""
    body = answer.json()
    if body["status"] != "success":
        return answer.status_code, body["errorType"]
    kind, result = body["data"]["resultType"], body["data"]["result"]
    if kind in ("scalar", "string"):
        return kind, [point(result)]
    key = "value" if kind == "vector" else "values"
    rows = [(sorted(r["metric"].items()), r[key] if key == "values" else [r[key]]) for r in result]
    return kind if result else "empty", sorted(
        (labels, [point(p) for p in points]) for labels, points in rows
    )


def point(pair: list[Any]) -> tuple[float, str]:
    """Round a sample's value to nine significant digits, which is beyond what the order of a sum changes."""
    try:
        return float(pair[0]), f"{float(pair[1]) + 0.0:.9g}"
    except ValueError:
        return float(pair[0]), pair[1]


async def test_instant_queries_agree(pair: Pair) -> None:
    """Every query, at moments that lie on, between, before and after the samples."""
    different = []
    empty = 0
    for at in (
        BEGIN + 3000,
        BEGIN + 2407.5,
        BEGIN + 1500.001,
        BEGIN + 20,
        BEGIN - 10,
        BEGIN + COUNT * STEP + 200,
    ):
        for query in QUERIES:
            params = {"query": query, "time": f"{at:.3f}"}
            real = await pair.real.get("/api/v1/query", params=params)
            ours = await pair.ours.get("/api/v1/query", params=params)
            if comparable(real) != comparable(ours):
                different.append(
                    f"{query} at {at - BEGIN}\n  real {real.text[:600]}\n  ours {ours.text[:600]}"
                )
    assert not different, "\n".join(different)
    assert empty < 6 * len(QUERIES) // 2, "agreeing on nothing proves nothing"


async def test_range_queries_agree(pair: Pair) -> None:
    """Every query that can be asked over a range, at steps that do not fit the samples."""
    different = []
    for query in QUERIES:
        params = {"query": query, "start": str(BEGIN + 600), "end": str(BEGIN + 2900), "step": "97s"}
        real = await pair.real.post("/api/v1/query_range", data=params)
        ours = await pair.ours.post("/api/v1/query_range", data=params)
        if comparable(real) != comparable(ours):
            different.append(f"{query}\n  real {real.text[:600]}\n  ours {ours.text[:600]}")
    assert not different, "\n".join(different)


async def test_series_and_labels_agree(pair: Pair) -> None:
    """Names, values and label sets over the same window."""
    window = {"start": str(BEGIN), "end": str(BEGIN + COUNT * STEP)}
    for path, params in (
        ("/api/v1/labels", window),
        ("/api/v1/label/__name__/values", window),
        ("/api/v1/label/bot/values", {**window, "match[]": "hbot_gap"}),
        ("/api/v1/label/nope/values", window),
        ("/api/v1/labels", {**window, "match[]": "hbot_equity"}),
    ):
        real = (await pair.real.get(path, params=params)).json()
        assert (await pair.ours.get(path, params=params)).json() == real
    params = {**window, "match[]": '{__name__=~"hbot_(gap|edge)"}'}
    answers = [
        (await http.get("/api/v1/series", params=params)).json()["data"] for http in (pair.real, pair.ours)
    ]
    real_series, our_series = ([sorted(s.items()) for s in data] for data in answers)
    assert sorted(our_series) == sorted(real_series)
    assert len(our_series) == 7


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/v1/query", {"query": ""}),
        ("/api/v1/query", {"query": "sum("}),
        ("/api/v1/query", {"query": "rate(hbot_equity)"}),
        ("/api/v1/query", {"query": "nofunction(hbot_equity)"}),
        ("/api/v1/query", {"query": '{bot=~".*"}'}),
        ("/api/v1/query", {"query": "up", "time": "yesterday"}),
        ("/api/v1/query_range", {"query": "up", "start": "1", "end": "0", "step": "1"}),
        ("/api/v1/query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}),
        ("/api/v1/query_range", {"query": "up", "start": "0", "end": "1", "step": "x"}),
        ("/api/v1/query_range", {"query": "up", "start": "0", "end": "12000", "step": "1"}),
        ("/api/v1/query_range", {"query": "up", "start": "x", "end": "12000", "step": "1"}),
        ("/api/v1/series", {}),
        ("/api/v1/nothing", {}),
        ("/api/v1/label/a-b/values", {}),
    ],
)
async def test_bad_requests_are_refused_alike(pair: Pair, path: str, params: dict[str, str]) -> None:
    """Status, content type and, but for the parser's own words, the body."""
    real, ours = await pair.real.get(path, params=params), await pair.ours.get(path, params=params)
    assert ours.status_code == real.status_code
    assert ours.headers["content-type"].split(";")[0] == real.headers["content-type"].split(";")[0]
    if "parse error" in real.text:
        assert ours.json()["errorType"] == real.json()["errorType"]
        assert ours.json()["error"].startswith('invalid parameter "query": ')
    else:
        assert ours.text.strip() == real.text.strip()


async def test_what_cannot_be_matched_is_refused_alike(pair: Pair) -> None:
    """422 `execution`, with Prometheus' words up to the series it names."""
    for query in (
        "hbot_state * on (bot) hbot_state",
        "hbot_state * on (bot) hbot_rank",
        "hbot_rank + on () hbot_state",
    ):
        params = {"query": query, "time": str(BEGIN + 3000)}
        real = await pair.real.get("/api/v1/query", params=params)
        ours = await pair.ours.get("/api/v1/query", params=params)
        assert (
            (ours.status_code, ours.json()["errorType"])
            == (422, real.json()["errorType"])
            == (422, "execution")
        )
        assert ours.json()["error"].split("{")[0] == real.json()["error"].split("{")[0]
