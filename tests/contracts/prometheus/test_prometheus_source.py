"""The Prometheus adapter and the checks that use it, against a real Prometheus."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sources.opening import open_sources
from demo.servers.local_server import LocalServer
from tests.fakes.sources import FakeSources
from tests.servers.fixtures import Require
from tests.servers.process import eventually
from tests.servers.prometheus import PrometheusServer
from tests.servers.prometheus_ahead import Ahead, prometheus_ahead
from triage.desk import Desk
from triage.diagnosis.checks import bot_state, fee_source, host, watchers
from triage.diagnosis.checks.base import CheckContext
from triage.errors import SourceRejected
from triage.model import FindingStatus
from triage.ports.sources import Metrics, Sources
from triage.queries.promql import family, selector
from triage.queries.quoting import quoted

RULE = {"alert": "BotHardStopActive", "expr": 'hbot_bot_state{state="hard_stop"} == 1'}
HOSTILE = 'bot"1}\\ or vector(1) #\n{x="y'


class Exporter(LocalServer):
    """Serves the desk's metrics as a test wrote them."""

    page = ""

    def routes(self) -> list[web.RouteDef]:
        """One page."""
        return [web.get("/metrics", self._metrics)]

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=self.page, content_type="text/plain")


def page(state: str = "hard_stop", *, age: float = 22, bot: str = "bot1") -> str:
    """Write one bot's metrics in the text format."""
    labels = f'bot="{escaped(bot)}",variant="a",exchange="bitget",pair="BTC-USDT",regime="calm"'
    now = datetime.now(UTC).timestamp()
    lines = [
        f'hbot_bot_state{{{labels},state="{each}"}} {int(each == state)}'
        for each in ("running", "soft_pause", "hard_stop")
    ]
    lines += [
        f"hbot_bot_net_edge_pct{{{labels}}} 0.0002",
        f"hbot_bot_drawdown_pct{{{labels}}} NaN",
        f"hbot_bot_snapshot_timestamp_seconds{{{labels}}} {now - age}",
        f'hbot_bot_fee_source_info{{{labels},source="project:/fees.json"}} 1',
        f"hbot_bot_maker_fee_pct{{{labels}}} 0.001",
        f"hbot_bot_taker_fee_pct{{{labels}}} 0.001",
        'node_memory_MemAvailable_bytes{instance_x="a"} 30',
        'node_memory_MemTotal_bytes{instance_x="a"} 100',
        'node_filesystem_avail_bytes{mountpoint="/",fstype="ext4"} 2',
        'node_filesystem_size_bytes{mountpoint="/",fstype="ext4"} 100',
        'node_filesystem_avail_bytes{mountpoint="/run",fstype="tmpfs"} 0',
        'node_filesystem_size_bytes{mountpoint="/run",fstype="tmpfs"} 100',
    ]
    return "\n".join(lines) + "\n"


def escaped(value: str) -> str:
    """Escape a label value for the text format."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


@pytest.fixture
async def ahead(require: Require) -> AsyncIterator[Ahead]:
    """Give a Prometheus that scrapes at once."""
    async with prometheus_ahead(require("prometheus"), [RULE]) as ahead:
        yield ahead


@pytest.fixture
async def exporter(ahead: Ahead) -> AsyncIterator[Exporter]:
    """Give the desk's exporter."""
    async with Exporter(ahead.target_port) as server:
        server.page = page()
        yield server


@pytest.fixture
async def metrics(ahead: Ahead, exporter: Exporter) -> AsyncIterator[Metrics]:
    """Give the adapter, on a Prometheus that scrapes the exporter and evaluates one rule."""
    del exporter
    await ahead.evaluate([RULE], "bot-metrics")
    await ahead.server.until("ALERTS")
    async with open_sources(prometheus_url=ahead.server.url) as sources:
        yield sources.metrics


def context(metrics: Metrics, *bots: str) -> CheckContext:
    """Ask for bots now; all other sources are fakes."""
    fakes = FakeSources()
    sources = Sources(
        metrics=metrics,
        logs=fakes.logs,
        alerts=fakes.alerts,
        containers=fakes.containers,
        streams=fakes.streams,
    )
    now = datetime.now(UTC)
    return CheckContext(
        desk=Desk(), sources=sources, now=now, since=now, bots=bots or ("bot1",), containers=("hbot-bot1",)
    )


async def test_the_answers_of_every_question_are_read(metrics: Metrics) -> None:
    """Query, scalar, range, rules, alerts and targets in their real shapes."""
    answer = await metrics.query('hbot_bot_state{state="hard_stop"}')
    assert [each.value for each in answer.samples] == [1.0]
    assert answer.samples[0].labels["bot"] == "bot1"
    assert (await metrics.query("scalar(vector(7))")).samples[0].value == 7.0
    assert (await metrics.query("nothing_of_that_name")).samples == ()
    now = datetime.now(UTC)
    past = await metrics.query_range(
        "hbot_bot_net_edge_pct", start=now - timedelta(seconds=10), end=now, step_seconds=1
    )
    (series,) = past.series
    assert series.points[-1][1] == 0.0002
    (rule,) = await metrics.rules()
    assert (rule.name, rule.state, rule.health) == ("BotHardStopActive", "firing", "ok")
    (alert,) = await metrics.alerts()
    assert (alert.labels["bot"], alert.state) == ("bot1", "firing")
    assert abs((alert.active_at - now).total_seconds()) < 60
    (target,) = await metrics.targets()
    assert (target.job, target.health) == ("bot-metrics", "up")
    assert target.last_scrape is not None


THOUSAND = selector("hbot_bot_net_edge_pct", any_of=[f"bot{n}" for n in range(1, 4000)])


async def test_a_query_about_thousands_of_bots_is_answered(metrics: Metrics) -> None:
    """It is posted: as an address it would be longer than most servers and proxies take."""
    assert len(THOUSAND) > 20_000
    assert [each.value for each in (await metrics.query(THOUSAND)).samples] == [0.0002]
    now = datetime.now(UTC)
    past = await metrics.query_range(THOUSAND, start=now - timedelta(seconds=5), end=now, step_seconds=1)
    (series,) = past.series
    assert series.points[-1][1] == 0.0002


class Proxy(LocalServer):
    """Stands before Prometheus: takes addresses of 8 KB at the most, and where ``posts`` is off no POST."""

    posts = True

    def routes(self) -> list[web.RouteDef]:
        """Return the one question."""
        return [web.get("/api/v1/query", self._query), web.post("/api/v1/query", self._query)]

    async def _query(self, request: web.Request) -> web.Response:
        if request.method == "POST" and not self.posts:
            return web.Response(status=405)
        asked = await request.post() if request.method == "POST" else request.query
        size = len(str(asked["query"]))
        data = {"resultType": "scalar", "result": [1, str(size)]}
        return web.json_response({"status": "success", "data": data})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("posts", "query", "methods"),
    [(True, "up", ["GET"]), (True, "u" * 9000, ["POST"]), (False, "u" * 3500, ["POST", "GET"])],
)
async def test_only_long_queries_are_posted(posts: bool, query: str, methods: list[str]) -> None:  # noqa: FBT001 - a case
    """Some proxies let nothing but GET pass: then a long one is asked so after all."""
    async with Proxy() as proxy, open_sources(prometheus_url=proxy.url) as sources:
        proxy.posts = posts
        assert (await sources.metrics.query(query)).samples[0].value == len(query)
        assert [request.partition(" ")[0] for request in proxy.requests] == methods


async def test_a_long_range_stays_below_prometheus_limit_of_points(metrics: Metrics) -> None:
    """The step grows instead of a refusal."""
    now = datetime.now(UTC)
    past = await metrics.query_range("vector(1)", start=now - timedelta(days=30), end=now, step_seconds=1)
    (series,) = past.series
    assert 10_000 < len(series.points) <= 11_000


async def test_a_query_that_does_not_parse_is_rejected_with_its_reason(metrics: Metrics) -> None:
    """The reason is Prometheus' own."""
    with pytest.raises(SourceRejected, match="400: bad_data: invalid parameter"):
        await metrics.query("sum(")


async def test_a_target_that_is_down_says_why(metrics: Metrics, exporter: Exporter, ahead: Ahead) -> None:
    """The watchers' check is critical then."""
    await exporter.stop()

    async def down() -> bool:
        return [target.health for target in await metrics.targets()] == ["down"]

    await eventually(down, "a scrape that found nobody")
    (target,) = await metrics.targets()
    assert "refused" in target.last_error
    finding = await watchers.run(context(metrics))
    assert finding.status is FindingStatus.CRITICAL
    assert finding.data["target_up"] is False
    await exporter.start()


async def test_bot_state_on_real_metrics(metrics: Metrics) -> None:
    """The queries are PromQL that Prometheus takes, and mean what they should."""

    async def measured() -> bool:
        bot = (await bot_state.run(context(metrics))).data["bots"]["bot1"]
        return bot["held_seconds"] is not None

    await eventually(measured, "a history")
    finding = await bot_state.run(context(metrics))
    bot = finding.data["bots"]["bot1"]
    assert finding.status is FindingStatus.CRITICAL
    assert bot["state"] == "hard_stop"
    assert 20 < bot["age_seconds"] < 60
    assert bot["net_edge"] == bot["net_edge_15m"] == 0.0002
    assert bot["drawdown"] is None


async def test_fee_source_and_host_on_real_metrics(metrics: Metrics) -> None:
    """A fallback is a warning; the fullest real disk counts, tmpfs does not."""
    fees = await fee_source.run(context(metrics))
    assert fees.status is FindingStatus.WARNING
    assert fees.headline == ("fallback project:/fees.json · maker 0.10 % taker 0.10 %, yesterday not known")
    machine = await host.run(context(metrics))
    assert machine.status is FindingStatus.CRITICAL
    (figures,) = machine.data["hosts"].values()
    assert (figures["disk"], figures["mount"]) == (0.98, "/")
    assert figures["memory"] == pytest.approx(0.7)
    assert "disk 98 % (/)" in machine.headline


async def test_a_hostile_bot_name_is_a_value_and_nothing_else(
    metrics: Metrics, exporter: Exporter, ahead: Ahead
) -> None:
    """Quotes, braces, backslashes and newlines find exactly their own series."""
    exporter.page = page("soft_pause", bot=HOSTILE)
    await ahead.server.until(selector("hbot_bot_state", bot=HOSTILE, state="soft_pause") + " == 1")
    found = await metrics.query(family(["hbot_bot_state"], any_of=[HOSTILE]))
    assert {each.labels["bot"] for each in found.samples} == {HOSTILE}
    finding = await bot_state.run(context(metrics, HOSTILE))
    assert finding.data["bots"][HOSTILE]["state"] == "soft_pause"


async def test_any_text_survives_prometheus_own_parser(prometheus_server: PrometheusServer) -> None:
    """A string literal is a query of its own: what comes back is what went in."""
    url = f"{prometheus_server.url}/api/v1/query"
    with httpx.Client(timeout=10, trust_env=False) as http:

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.text())
        def survives(text: str) -> None:
            answer = http.post(url, data={"query": quoted(text)}).json()
            assert answer["status"] == "success", (text, answer)
            assert answer["data"]["result"][1] == re.sub("[\ud800-\udfff]", "\ufffd", text)

        survives()
