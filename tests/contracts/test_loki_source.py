"""The Loki adapter against the stand-in that answers as Loki 2.9 does."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.sources import open_sources
from demo.servers.clock import ManualClock
from demo.servers.loki import LokiServer
from tests.fakes.sources import NOW
from triage.errors import SourceBadAnswer, SourceDenied, SourceRejected
from triage.ports.sources import Logs
from triage.queries import logql

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
