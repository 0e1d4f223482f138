"""The Loki adapter against the stand-in that answers as Loki 2.9 does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.sources.opening import open_sources
from demo.clock import ManualClock
from demo.servers.loki import LokiServer
from demo.servers.loki_limits import LokiLimits
from tests.fakes.sources import NOW
from tests.servers.http import plain_client
from triage.errors import SourceBadAnswer, SourceDenied, SourceRejected
from triage.ports.sources import Logs
from triage.queries import logql

pytestmark = pytest.mark.slow

HOSTILE = 'bot"1} |= "x\\ \n{'
SELECTOR = logql.selector({"job": "bot_logs", "bot": "bot1"})
HOUR_AGO = NOW - timedelta(hours=1)


@pytest.fixture
async def loki() -> AsyncIterator[LokiServer]:
    """Give a Loki with sixty lines of bot1 in two streams, one a minute, every third an ERROR."""
    server = LokiServer(ManualClock(NOW.timestamp()))
    for n in range(60):
        level = "ERROR" if n % 3 == 0 else "INFO"
        labels = {"job": "bot_logs", "bot": "bot1", "filename": f"/logs/{n % 2}.log"}
        server.add(labels, f"line {n} - {level} - said", NOW.timestamp() - 60 * n - 1)
    server.add({"job": "bot_logs", "bot": HOSTILE}, HOSTILE, NOW.timestamp() - 5)
    async with server:
        yield server


@pytest.fixture
async def logs(loki: LokiServer) -> AsyncIterator[Logs]:
    """Give the adapter."""
    async with open_sources(loki_url=loki.url) as sources:
        yield sources.logs


async def test_lines_of_several_streams_come_merged_and_oldest_first(logs: Logs) -> None:
    """Loki gives each stream apart."""
    found = await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW)
    assert len(found.lines) == 60
    assert not found.truncated
    assert list(found.lines) == sorted(found.lines, key=lambda line: line.at)
    assert {line.labels["filename"] for line in found.lines} == {"/logs/0.log", "/logs/1.log"}


async def test_a_limit_keeps_the_newest_and_says_that_there_were_more(logs: Logs) -> None:
    """Exactly as many as there are is not truncated."""
    found = await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW, limit=10)
    assert [line.text.split(" - ")[0] for line in found.lines] == [f"line {n}" for n in range(9, -1, -1)]
    assert found.truncated
    assert not (await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW, limit=60)).truncated


async def test_filters_keep_and_drop(logs: Logs) -> None:
    """`contains` and the filters of a longer selector work together."""
    errors = await logs.lines(SELECTOR, contains=" - ERROR - ", start=HOUR_AGO, end=NOW)
    assert len(errors.lines) == 20
    others = await logs.lines(SELECTOR + logql.without(" - INFO - "), start=HOUR_AGO, end=NOW)
    assert others == errors


async def test_counts_tell_none_from_no_lines(logs: Logs) -> None:
    """0 is a count of streams that speak; silence is None."""
    assert await logs.count(SELECTOR, contains=" - ERROR - ", end=NOW, window_seconds=900) == 5
    assert await logs.count(SELECTOR, contains="nothing says this", end=NOW, window_seconds=900) == 0
    assert await logs.count(SELECTOR, end=NOW, window_seconds=900) == 15
    absent = logql.selector({"bot": "bot9"})
    assert await logs.count(absent, contains="x", end=NOW, window_seconds=900) is None


async def test_a_hostile_label_and_text_find_exactly_themselves(logs: Logs) -> None:
    """Quotes, braces, backslashes and newlines are a value."""
    selector = logql.from_template('{{job="bot_logs", bot="{bot}"}}', bot=HOSTILE)
    found = await logs.lines(selector, contains=HOSTILE, start=HOUR_AGO, end=NOW)
    assert [line.text for line in found.lines] == [HOSTILE]


async def test_a_query_that_does_not_parse_is_rejected_with_loki_s_text(logs: Logs) -> None:
    """Its errors are plain text."""
    with pytest.raises(SourceRejected, match="400: parse error"):
        await logs.lines("{", start=HOUR_AGO, end=NOW)


async def test_a_range_that_is_too_long_is_rejected(logs: Logs) -> None:
    """721 hours are Loki's own limit."""
    with pytest.raises(SourceRejected, match=r"400: .*exceeds the limit"):
        await logs.lines(SELECTOR, start=NOW - timedelta(days=40), end=NOW)


async def test_a_tenant_is_sent_where_one_is_asked_for() -> None:
    """Without it Loki answers 401, which is a denial with its mend."""
    async with LokiServer(ManualClock(NOW.timestamp()), auth=True) as server:
        server.store("desk").add({"bot": "bot1"}, "hello", round((NOW.timestamp() - 1) * 1e9))
        async with open_sources(loki_url=server.url, loki_tenant="desk") as sources:
            found = await sources.logs.lines('{bot="bot1"}', start=HOUR_AGO, end=NOW)
            assert [line.text for line in found.lines] == ["hello"]
        async with open_sources(loki_url=server.url) as sources:
            with pytest.raises(SourceDenied, match="401: no org id"):
                await sources.logs.lines('{bot="bot1"}', start=HOUR_AGO, end=NOW)


async def test_loki_is_not_ready_in_its_first_seconds() -> None:
    """503 with its text."""
    starting = LokiServer(ManualClock(NOW.timestamp()), ready_after=15)
    async with starting as server, open_sources(loki_url=server.url) as sources:
        with pytest.raises(SourceBadAnswer, match="503: Ingester not ready"):
            await sources.logs.ready()


@asynccontextmanager
async def limited(**limits: float) -> AsyncIterator[tuple[LokiServer, Logs]]:
    """Give a Loki with these limits that holds two days of a line a minute, and the adapter."""
    server = LokiServer(ManualClock(NOW.timestamp()), limits=LokiLimits(**limits))  # type: ignore[arg-type] # numbers
    for n in range(2 * 24 * 60):
        server.add({"job": "bot_logs", "bot": "bot1"}, f"line {n}", NOW.timestamp() - 60 * n - 1)
    async with server, open_sources(loki_url=server.url) as sources:
        yield server, sources.logs


async def test_questions_of_many_triages_stay_below_the_limit_of_outstanding_ones() -> None:
    """Twelve at once, half of them over a day (grafana/loki#5123): none is refused in the end."""
    async with limited(busy=0.05) as (server, logs):
        async with asyncio.TaskGroup() as group:
            for n in range(6):
                start = NOW - timedelta(minutes=15 + n)
                group.create_task(logs.lines(SELECTOR, start=start, end=NOW))
                end = NOW - timedelta(minutes=n)
                group.create_task(logs.counts(SELECTOR, by="bot", end=end, window_seconds=86_400))
        assert server.queue.refused == 0
        assert server.queue.most <= 96


async def test_a_question_that_found_no_room_is_asked_once_more() -> None:
    """Others use the tenant too."""
    async with limited() as (server, logs):
        server.queue.waiting = 90
        asyncio.get_running_loop().call_later(0.15, setattr, server.queue, "waiting", 0)
        found = await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW, limit=5)
        assert (len(found.lines), server.queue.refused) == (5, 1)
        server.queue.waiting = 90
        with pytest.raises(SourceRejected, match="429: too many outstanding requests"):
            await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW, limit=5)


async def test_a_smaller_limit_is_used_where_the_server_names_one() -> None:
    """And remembered (grafana/loki#2854)."""
    async with limited(max_entries=40) as (server, logs):
        found = await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW, limit=50)
        assert (len(found.lines), found.truncated) == (40, True)
        asked = len(server.requests)
        assert len((await logs.lines(SELECTOR, start=HOUR_AGO, end=NOW)).lines) == 40
        assert len(server.requests) == asked + 1


async def test_an_answer_is_kept_for_as_long_as_it_was_asked_for() -> None:
    """The baseline of a day is the same for the next triage."""
    async with limited() as (server, logs):
        for _ in range(3):
            await logs.counts(SELECTOR, by="bot", end=NOW, window_seconds=86_400, kept_seconds=60)
            await logs.lines(SELECTOR, start=NOW - timedelta(days=1), end=NOW, limit=100, kept_seconds=60)
        assert len(server.requests) == 2


async def test_structured_metadata_is_refused_before_3_and_makes_streams_after() -> None:
    """As the stand-in answers a push."""
    value = [str(round(NOW.timestamp() * 1e9) - 1), "hello", {"detected_level": "error"}]
    body = {"streams": [{"stream": {"bot": "bot1"}, "values": [value]}]}
    for allowed, status in ((False, 400), (True, 204)):
        async with LokiServer(
            ManualClock(NOW.timestamp()), limits=LokiLimits(structured_metadata=allowed)
        ) as server:
            async with plain_client() as http:
                answer = await http.post(f"{server.url}/loki/api/v1/push", json=body)
            assert answer.status_code == status
