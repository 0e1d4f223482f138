"""Every source over HTTP, when it is down, slow, wrong, empty or huge: an error in our words, and soon."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from aiohttp import web

from bot.sources.opening import open_sources
from demo.servers.local_server import Fault, LocalServer
from tests.fakes.sources import NOW
from tests.servers.process import free_port
from tests.servers.tcp import tcp_server
from triage.errors import (
    SourceBadAnswer,
    SourceDenied,
    SourceError,
    SourceNotConfigured,
    SourceRejected,
    SourceTimeout,
    SourceTooLarge,
    SourceUnreachable,
)
from triage.ports.sources import Matcher, Silences, Sources

pytestmark = pytest.mark.slow

SECONDS = 0.5
HOUR_AGO = NOW - timedelta(hours=1)
Question = Callable[[Sources], Awaitable[object]]

QUESTIONS: dict[str, Question] = {
    "prometheus query": lambda s: s.metrics.query("up"),
    "prometheus range": lambda s: s.metrics.query_range("up", start=HOUR_AGO, end=NOW, step_seconds=60),
    "prometheus rules": lambda s: s.metrics.rules(),
    "prometheus alerts": lambda s: s.metrics.alerts(),
    "prometheus targets": lambda s: s.metrics.targets(),
    "loki lines": lambda s: s.logs.lines('{a="b"}', start=HOUR_AGO, end=NOW),
    "loki count": lambda s: s.logs.count('{a="b"}', contains="x", end=NOW, window_seconds=60),
    "alertmanager alerts": lambda s: s.alerts.alerts(),
    "alertmanager silences": lambda s: s.alerts.silences(),
    "alertmanager silence": lambda s: s.alerts.silence(
        [Matcher("a", "b")], start=NOW, end=NOW, created_by="ana", comment="c"
    ),
    "docker inspect": lambda s: s.containers.inspect("hbot-bot1"),
    "docker list": lambda s: s.containers.list(),
    "docker files": lambda s: s.containers.files("hbot-bot1", "/code"),
    "docker history": lambda s: s.containers.history(since=HOUR_AGO, until=NOW),
}
READY: dict[str, Question] = {
    "loki ready": lambda s: s.logs.ready(),
    "alertmanager ready": lambda s: s.alerts.ready(),
    "docker ready": lambda s: s.containers.ready(),
}
every_question = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


class Anything(LocalServer):
    """A server on which every request meets the fault of the test."""

    def routes(self) -> list[web.RouteDef]:
        """None: all there is are faults."""
        return []


@pytest.fixture
async def server() -> AsyncIterator[Anything]:
    """Give a server that fails as told."""
    async with Anything() as anything:
        yield anything


@pytest.fixture
async def sources(server: Anything) -> AsyncIterator[Sources]:
    """Give all sources, every one at that server."""
    async with sources_at(server.url) as found:
        yield found


def sources_at(url: str) -> AbstractAsyncContextManager[Sources]:
    """Open every source over HTTP at one address."""
    return open_sources(
        prometheus_url=url, loki_url=url, alertmanager_url=url, docker_host=url, total_seconds=SECONDS
    )


@every_question
async def test_a_source_that_is_down_is_unreachable(question: Question) -> None:
    """Nothing listens: the error names the address."""
    port = free_port()
    async with sources_at(f"http://127.0.0.1:{port}") as sources:
        with pytest.raises(SourceUnreachable, match=f"127.0.0.1:{port}"):
            await question(sources)


@every_question
async def test_a_source_that_hangs_times_out(server: Anything, sources: Sources, question: Question) -> None:
    """The limit is the whole answer's, and it is kept."""
    server.faults.add(Fault("hang"))
    started = time.monotonic()
    with pytest.raises(SourceTimeout, match=r"0\.5 s"):
        await question(sources)
    assert time.monotonic() - started < SECONDS + 0.4


@every_question
async def test_a_connection_that_breaks_is_unreachable(
    server: Anything, sources: Sources, question: Question
) -> None:
    """Closed without an answer."""
    server.faults.add(Fault("reset"))
    with pytest.raises(SourceUnreachable):
        await question(sources)


@every_question
async def test_garbage_is_a_bad_answer(server: Anything, sources: Sources, question: Question) -> None:
    """200 and no JSON."""
    server.faults.add(Fault("garbage"))
    with pytest.raises(SourceBadAnswer):
        await question(sources)


@every_question
async def test_an_empty_body_is_a_bad_answer(server: Anything, sources: Sources, question: Question) -> None:
    """An engine without events answers with nothing; nobody else does."""
    server.faults.add(Fault("empty"))
    if question is QUESTIONS["docker history"]:
        assert await question(sources) == ()
        return
    with pytest.raises(SourceBadAnswer):
        await question(sources)


@every_question
async def test_a_huge_answer_is_refused_before_it_fills_the_memory(
    server: Anything, sources: Sources, question: Question
) -> None:
    """64 MiB are sent, 8 MiB are read."""
    server.faults.add(Fault("huge"))
    tracemalloc.start()
    try:
        with pytest.raises((SourceRejected, SourceTimeout), match=r"8 MiB|no answer"):
            await question(sources)
        assert tracemalloc.get_traced_memory()[1] < 24 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        "{}",
        '"x"',
        "[1]",
        "7",
        '{"status":"success"}',
        '{"status":"success","data":{}}',
        "[" * 9000,
    ],
)
@every_question
async def test_json_of_another_shape_is_a_bad_answer(
    server: Anything, sources: Sources, question: Question, body: str
) -> None:
    """Never a KeyError, and an empty list is a list."""
    server.faults.add(Fault("status", status=200, body=body))
    try:
        answer = await question(sources)
    except SourceBadAnswer:
        return
    assert answer in ((), Silences(())), body


NOT_FOUND = {
    "nginx": '<html><head><title>404 Not Found</title></head><body class="container">nginx</body></html>',
    "a proxy's JSON": '{"error": "container route not found"}',
    "a wrong path": '{"message": "page not found"}',
    "half an answer": '{"message": "No such container: hb',
    "nothing": "",
}


@pytest.mark.parametrize("body", NOT_FOUND.values(), ids=NOT_FOUND.keys())
async def test_a_404_that_is_not_the_engines_does_not_say_that_a_container_is_gone(
    server: Anything, sources: Sources, body: str
) -> None:
    """A proxy's page may hold any word."""
    server.faults.add(Fault("status", status=404, body=body))
    for question in ("docker inspect", "docker files"):
        with pytest.raises(SourceRejected):
            await QUESTIONS[question](sources)


async def test_a_404_of_the_engine_says_that_a_container_is_gone(server: Anything, sources: Sources) -> None:
    """In its own words; Podman's have them too."""
    for body in (
        '{"message": "No such container: hbot-bot1"}',
        '{"cause": "no such container", "message": "no container with that name found: no such container"}',
    ):
        server.faults.clear()
        server.faults.add(Fault("status", path="/containers/hbot-bot1/", status=404, body=body))
        server.faults.add(
            Fault("status", status=200, body="[]")
        )  # nor has it a half-made replacement of that name
        assert await sources.containers.inspect("hbot-bot1") is None


@pytest.mark.parametrize("empty", ["{}", '""', "0", "false"])
@pytest.mark.parametrize(
    ("question", "wrapped"),
    [
        ("docker list", "%s"),
        ("alertmanager alerts", "%s"),
        ("alertmanager silences", "%s"),
        ("prometheus rules", '{"status":"success","data":{"groups":%s}}'),
        ("prometheus alerts", '{"status":"success","data":{"alerts":%s}}'),
        ("prometheus targets", '{"status":"success","data":{"activeTargets":%s}}'),
        ("prometheus query", '{"status":"success","data":{"resultType":"vector","result":%s}}'),
        ("prometheus range", '{"status":"success","data":{"resultType":"matrix","result":%s}}'),
        ("loki lines", '{"status":"success","data":{"resultType":"streams","result":%s}}'),
        ("loki count", '{"status":"success","data":{"resultType":"vector","result":%s}}'),
    ],
)
async def test_what_is_empty_and_no_list_is_not_read_as_none(
    server: Anything, sources: Sources, question: str, wrapped: str, empty: str
) -> None:
    """It would say that nothing fires, that no rule is loaded, that nothing runs."""
    server.faults.add(Fault("status", status=200, body=wrapped % empty))
    with pytest.raises(SourceBadAnswer):
        await QUESTIONS[question](sources)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SourceRejected),
        (401, SourceDenied),
        (403, SourceDenied),
        (404, SourceRejected),
        (429, SourceRejected),
        (500, SourceBadAnswer),
        (502, SourceBadAnswer),
        (504, SourceTimeout),
    ],
)
@every_question
async def test_a_refusal_tells_the_source_s_own_words(
    server: Anything, sources: Sources, question: Question, status: int, kind: type[SourceError]
) -> None:
    """Status and the first line of the body are in the reason."""
    server.faults.add(Fault("status", status=status, body="\n  too many outstanding requests\nmore"))
    with pytest.raises(kind, match=f"{status}: too many outstanding requests"):
        await question(sources)


@every_question
async def test_a_redirect_is_not_followed_and_the_mend_is_named(question: Question) -> None:
    """Following it could send a query, and a token, anywhere."""

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://elsewhere.example{request.path}")

    class Redirecting(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", redirect)]

    async with Redirecting() as server, sources_at(server.url) as sources:
        with pytest.raises(
            SourceBadAnswer, match=r"redirects to http://elsewhere\.example.*set that address"
        ):
            await question(sources)


@pytest.mark.parametrize("question", READY.values(), ids=READY.keys())
async def test_readiness_is_the_status(server: Anything, sources: Sources, question: Question) -> None:
    """200 is ready, 503 is not and says why."""
    server.faults.add(Fault("status", status=503, body="Ingester not ready", times=1))
    with pytest.raises(SourceBadAnswer, match="503: Ingester not ready"):
        await question(sources)
    server.faults.add(Fault("status", status=200, body="ok"))
    await question(sources)


async def test_a_compressed_answer_is_refused() -> None:
    """A small packed body can unpack to any size."""

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b junk", headers={"Content-Encoding": "gzip"})

    class Packing(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", packed)]

    async with Packing() as server, sources_at(server.url) as sources:
        with pytest.raises(SourceBadAnswer, match="compressed"):
            await sources.metrics.query("up")


async def test_a_trickle_of_bytes_does_not_outlive_the_limit() -> None:
    """Every piece is in time, the whole is not."""

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    class Trickling(Anything):
        def routes(self) -> list[web.RouteDef]:
            return [web.route("*", "/{any:.*}", trickle)]

    async with Trickling() as server, sources_at(server.url) as sources:
        with pytest.raises(SourceTimeout):
            await sources.metrics.query("up")


async def test_an_answer_of_too_many_small_things_is_refused_before_it_is_made_of_objects(
    server: Anything, sources: Sources
) -> None:
    """Less than 8 MiB of text, two million objects: 180 MB of them."""
    many = ",".join(["{}"] * 2_500_000)
    server.faults.add(
        Fault(
            "status",
            status=200,
            body=f'{{"status":"success","data":{{"resultType":"vector","result":[{many}]}}}}',
        )
    )
    with pytest.raises(SourceTooLarge, match="more than 96 MiB when read"):
        await sources.metrics.query("up")


async def test_what_was_read_until_the_time_was_over_is_held_no_longer() -> None:
    """An error is kept for a while, and with it each frame that it came through."""
    half = 4 * 1024 * 1024

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * half) + b" " * half)
        await writer.drain()
        await asyncio.sleep(10)

    async with tcp_server(stall) as port, sources_at(f"http://127.0.0.1:{port}") as sources:
        tracemalloc.start()
        try:
            with pytest.raises(SourceTimeout) as raised:
                await sources.metrics.query("up")
            held, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert raised.value.__cause__ is not None
    assert most > half
    assert held < half / 4


async def test_a_server_that_does_not_speak_http_is_a_bad_answer() -> None:
    """Somebody pointed the setting at Redis, say."""

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR unknown command 'GET'\r\n\r\n")
        await writer.drain()

    async with tcp_server(speak) as port, sources_at(f"http://127.0.0.1:{port}") as sources:
        with pytest.raises(SourceBadAnswer, match="does not speak HTTP"):
            await sources.metrics.query("up")


async def _health(sources: Sources) -> object:
    return await sources.streams.health()


async def test_what_is_not_configured_says_so() -> None:
    """Every question of every port, events included."""
    async with open_sources() as sources:
        for question in [*QUESTIONS.values(), *READY.values(), _health]:
            with pytest.raises(SourceNotConfigured, match="not configured"):
                await question(sources)
        with pytest.raises(SourceNotConfigured, match="Docker: not configured"):
            async for _ in sources.containers.events(since=NOW):
                pass


async def test_a_password_in_an_address_is_not_in_the_error() -> None:
    """Errors are shown in Slack."""
    async with sources_at(f"http://ana:hunter2@127.0.0.1:{free_port()}") as sources:
        with pytest.raises(SourceUnreachable) as raised:
            await sources.metrics.query("up")
    assert "hunter2" not in str(raised.value)
