"""The Loki stand-in, asked over HTTP as any client asks it."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from demo.clock import ManualClock
from demo.servers.local_server import Fault
from demo.servers.logql import NO_EQUALITY_MATCHER
from demo.servers.loki import TOO_MANY_REQUESTS, LokiServer
from tests.servers.http import plain_client

START = 1_700_000_000.0
NANOS = 1_000_000_000
API = "/loki/api/v1"


@pytest.fixture
async def loki() -> AsyncIterator[LokiServer]:
    """Give a Loki with ten lines of two bots, one a minute, every other an ERROR."""
    server = LokiServer(ManualClock(START))
    for n in range(10):
        bot = "bot1" if n % 3 else "bot2"
        level = "ERROR" if n % 2 else "INFO"
        server.add({"job": "bot_logs", "bot": bot}, f'n={n} - {level} - said "hi" at C:\\x', START - 60 * n)
    async with server:
        yield server


@pytest.fixture
async def http(loki: LokiServer) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of that Loki."""
    async with plain_client(loki.url, timeout=5) as client:
        yield client


async def lines(http: httpx.AsyncClient, query: str, **params: str | int) -> list[tuple[str, str, str]]:
    """(bot, ns, line) of a stream query, in the order of the answer."""
    answer = await http.get(f"{API}/query_range", params={"query": query, **params})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["resultType"] == "streams"
    return [(s["stream"]["bot"], ns, line) for s in data["result"] for ns, line in s["values"]]


async def vector(http: httpx.AsyncClient, query: str, **params: str | int) -> dict[str, str]:
    """`bot` → value of an instant metric query."""
    answer = await http.get(f"{API}/query", params={"query": query, **params})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["resultType"] == "vector"
    return {r["metric"].get("bot", ""): r["value"][1] for r in data["result"]}


async def test_a_stream_query_gives_nanosecond_strings_newest_first_per_stream(
    http: httpx.AsyncClient,
) -> None:
    """Backward is the default; the end of the window does not belong to it."""
    found = await lines(http, '{bot="bot2"}')
    assert [ns for _, ns, _ in found] == [str(int((START - 60 * n) * NANOS)) for n in (3, 6, 9)]
    forward = await lines(http, '{bot="bot2"}', direction="forward")
    assert forward == list(reversed(found))


async def test_the_limit_counts_over_all_streams(http: httpx.AsyncClient) -> None:
    """The three newest lines of the window, whichever stream they are in."""
    found = await lines(http, '{job="bot_logs"}', limit=3)
    assert {line[:3] for _, _, line in found} == {"n=1", "n=2", "n=3"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('{job="bot_logs"} |= "ERROR"', {1, 3, 5, 7, 9}),
        ('{job="bot_logs"} != "ERROR"', {2, 4, 6, 8}),
        ('{job="bot_logs"} |~ "n=[1-4] "', {1, 2, 3, 4}),
        ('{job="bot_logs"} |= "ERROR" !~ "n=(1|9)" != "n=3"', {5, 7}),
        ('{bot=~"bot[12]", job!="x"} |= "said \\"hi\\""', set(range(1, 10))),
        ('{bot=~"bot.+", bot!~".*2"} |= "C:\\\\x"', {1, 2, 4, 5, 7, 8}),
        ("{job=`bot_logs`} |= `C:\\x` |= `n=4`", {4}),
        ('{job="bot_logs"} |= "\\u006e=4"', {4}),
        ('{job="bot_logs"} |= "nowhere"', set()),
    ],
)
async def test_selectors_and_line_filters_choose_lines(
    http: httpx.AsyncClient, query: str, expected: set[int]
) -> None:
    """Filters apply one after the other; quoting is Go's."""
    assert {int(line[2]) for _, _, line in await lines(http, query)} == expected


async def test_counting_needs_no_lines(http: httpx.AsyncClient) -> None:
    """count_over_time per stream, summed in all and by a label; the window is open on the left."""
    errors = 'count_over_time({job="bot_logs"} |= "ERROR" [15m])'
    assert await vector(http, errors) == {"bot1": "3", "bot2": "2"}
    assert await vector(http, f"sum({errors})") == {"": "5"}
    assert await vector(http, f"sum by (bot) ({errors})") == {"bot1": "3", "bot2": "2"}
    assert await vector(http, f"sum({errors}) by (bot) > 2") == {"bot1": "3"}
    assert await vector(http, 'count_over_time({bot="bot1"}[60s])') == {}
    assert await vector(http, 'sum(rate({job="bot_logs"}[100s]))') == {"": "0.02"}
    assert await vector(http, 'topk(1, count_over_time({job="bot_logs"}[1h]))') == {"bot1": "6"}
    assert await vector(http, 'sum(count_over_time({bot="nobody"}[15m]))') == {}
    assert await vector(http, 'sum(count_over_time({job="bot_logs"} [5m] offset 5m))') == {"": "5"}


async def test_a_metric_range_query_gives_a_matrix_on_the_steps(http: httpx.AsyncClient) -> None:
    """One point a step, seconds and a string; steps without lines are absent."""
    params = {
        "query": 'sum(count_over_time({job="bot_logs"} |= "ERROR" [1m]))',
        "start": str(int((START - 200) * NANOS)),
        "end": str(int(START * NANOS)),
        "step": "60",
    }
    data = (await http.get(f"{API}/query_range", params=params)).json()["data"]
    assert data["resultType"] == "matrix"
    assert [r["metric"] for r in data["result"]] == [{}]
    assert all(v == "1" and at % 60 == 0 for at, v in data["result"][0]["values"])


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", "parse error : syntax error: unexpected $end\n"),
        ('{foo="bar}', "parse error at line 1, col 6: literal not terminated\n"),
        ('{foo="bar"', "parse error at line 1, col 11: syntax error: unexpected $end, expecting } or ,\n"),
        (
            '{foo="bar"} |~',
            "parse error at line 1, col 15: syntax error: unexpected $end, expecting STRING or ip\n",
        ),
        ('{foo="bar"} "foo"', "parse error at line 1, col 13: syntax error: unexpected STRING\n"),
        ('{foo="bar"} foo', "parse error at line 1, col 13: syntax error: unexpected IDENTIFIER\n"),
        ("unk({foo=`bar`}[5m])", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER\n"),
        (
            '{a.b="x"}',
            "parse error at line 1, col 3: syntax error: unexpected ., expecting = or =~ or !~ or !=\n",
        ),
        ('{.a="x"}', "parse error at line 1, col 2: syntax error: unexpected ., expecting IDENTIFIER or }\n"),
        (
            'rate({ foo = "bar" }[5minutes])',
            'parse error at line 0, col 21: not a valid duration string: "5minutes"\n',
        ),
        ('rate({ foo = "bar" }[5)', "parse error at line 0, col 21: missing closing ']' in duration\n"),
        ('min({ foo = "bar" }[5m])', "parse error at line 0, col 20: syntax error: unexpected RANGE\n"),
        ('{foo=~"("}', "parse error : error parsing regexp: missing closing ): `(`\n"),
        (
            '{foo=~"(?=x)"}',
            "parse error : error parsing regexp: invalid or unsupported Perl syntax: `(?=`\n",
        ),
        (
            '{foo=~".*"}',
            f"parse error : {NO_EQUALITY_MATCHER}\n",
        ),
    ],
)
async def test_a_bad_query_is_refused_in_lokis_words(http: httpx.AsyncClient, query: str, body: str) -> None:
    """400, text/plain, the wording and the places of Loki's own parser tests."""
    answer = await http.get(f"{API}/query_range", params={"query": query})
    assert (answer.status_code, answer.text) == (400, body)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("params", "body"),
    [
        (
            {"limit": "5001"},
            "max entries limit per query exceeded, limit > max_entries_limit (5001 > 5000)",
        ),
        ({"limit": "0"}, "limit must be a positive value"),
        ({"limit": "x"}, 'strconv.Atoi: parsing "x": invalid syntax'),
        ({"direction": "up"}, "invalid direction 'up'"),
        (
            {"start": "1600000000", "end": "1602599400"},
            "the query time range exceeds the limit (query length: 722h3m20s, limit: 30d1h)",
        ),
        ({"start": "200", "end": "100"}, "end timestamp must not be before or equal to start time"),
        (
            {"start": "1600000000", "end": "1600036000", "step": "1"},
            (
                "exceeded maximum resolution of 11,000 points per time series. "
                "Try increasing the value of the step parameter"
            ),
        ),
    ],
)
async def test_a_bad_parameter_is_refused_in_lokis_words(
    http: httpx.AsyncClient, params: dict[str, str], body: str
) -> None:
    """Limits are Loki's defaults."""
    if "step" in params:
        params = {**params, "end": str(1_600_000_000 + 12_000)}
    answer = await http.get(f"{API}/query_range", params={"query": '{job="bot_logs"}', **params})
    assert (answer.status_code, answer.text) == (400, body + "\n")


async def test_an_instant_query_for_lines_is_refused(http: httpx.AsyncClient) -> None:
    """Loki sends such a query to query_range."""
    answer = await http.get(f"{API}/query", params={"query": '{job="bot_logs"}'})
    assert answer.status_code == 400
    assert answer.text.startswith("log queries are not supported as an instant query type")


async def test_what_the_stand_in_does_not_know_is_said_and_not_guessed(http: httpx.AsyncClient) -> None:
    """A parser stage is good LogQL, so the answer is 501."""
    answer = await http.get(f"{API}/query_range", params={"query": '{job="bot_logs"} | json'})
    assert (answer.status_code, answer.text) == (
        501,
        "the Loki stand-in does not know a pipeline stage after |\n",
    )


async def test_labels_values_and_series_leave_data_out_when_there_is_none(http: httpx.AsyncClient) -> None:
    """An unknown label answers only a status."""
    assert (await http.get(f"{API}/labels")).json() == {"status": "success", "data": ["bot", "job"]}
    assert (await http.get(f"{API}/label/bot/values")).json()["data"] == ["bot1", "bot2"]
    assert (await http.get(f"{API}/label/nope/values")).json() == {"status": "success"}
    assert (await http.get(f"{API}/labels", params={"start": "1", "end": "2"})).json() == {
        "status": "success"
    }
    series = await http.get(f"{API}/series", params={"match[]": '{bot="bot1"}'})
    assert series.json()["data"] == [{"bot": "bot1", "job": "bot_logs"}]
    assert (await http.get(f"{API}/series")).status_code == 400


async def test_pushed_lines_can_be_read_and_doubles_are_kept_once(http: httpx.AsyncClient) -> None:
    """A push answers 204; the same line at the same time is one line."""
    at = str(int((START - 5) * NANOS))
    stream = {"stream": {"bot": "bot9"}, "values": [[at, "b"], [at, "a"], [at, "b"]]}
    for _ in range(2):
        pushed = await http.post(f"{API}/push", json={"streams": [stream]})
        assert pushed.status_code == 204
    assert [line for _, _, line in await lines(http, '{bot="bot9"}', direction="forward")] == ["a", "b"]
    assert (await http.post(f"{API}/push", json={"streams": [{"stream": {}}]})).status_code == 400


async def test_with_auth_on_a_tenant_must_be_named_and_sees_its_own_lines() -> None:
    """401 `no org id`, as multi-tenant Loki says it."""
    server = LokiServer(ManualClock(START), auth=True)
    server.add({"bot": "bot1"}, "secret", START - 1, tenant="desk")
    async with server, plain_client(server.url) as http:
        query = {"query": '{bot="bot1"}'}
        refused = await http.get(f"{API}/query_range", params=query)
        assert (refused.status_code, refused.text) == (401, "no org id\n")
        for tenant, count in (("desk", 1), ("other", 0)):
            answer = await http.get(f"{API}/query_range", params=query, headers={"X-Scope-OrgID": tenant})
            assert len(answer.json()["data"]["result"]) == count


async def test_it_is_not_ready_for_a_while_after_its_start() -> None:
    """503 with the ingester's words, then `ready`."""
    clock = ManualClock(START)
    async with LokiServer(clock, ready_after=15) as server, plain_client(server.url) as http:
        early = await http.get("/ready")
        assert (early.status_code, early.text) == (
            503,
            "Ingester not ready: waiting for 15s after being ready\n",
        )
        clock.advance(15)
        late = await http.get("/ready")
        assert (late.status_code, late.text) == (200, "ready\n")


async def test_patterns_is_off(http: httpx.AsyncClient) -> None:
    """As in a default Loki."""
    answer = await http.get(f"{API}/patterns", params={"query": '{job="bot_logs"}'})
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


async def test_faults_hit_the_requests_they_were_made_for(loki: LokiServer, http: httpx.AsyncClient) -> None:
    """Each kind of failure, for as many requests as asked, on its path alone."""
    path = f"{API}/labels"
    loki.faults.add(Fault("status", path, status=429, body=TOO_MANY_REQUESTS, times=1))
    assert (await http.get("/ready")).status_code == 200
    limited = await http.get(path)
    assert (limited.status_code, limited.text) == (429, "too many outstanding requests\n")
    assert (await http.get(path)).status_code == 200
    loki.faults.add(Fault("garbage", path, times=1))
    assert (await http.get(path)).text.startswith("<html>")
    loki.faults.add(Fault("empty", path, times=1))
    assert (await http.get(path)).content == b""
    loki.faults.add(Fault("reset", path, times=1))
    with pytest.raises(httpx.TransportError):
        await http.get(path)
    loki.faults.add(Fault("hang", path, times=1))
    with pytest.raises(httpx.ReadTimeout):
        await http.get(path, timeout=0.1)
    loki.faults.add(Fault("delay", path, seconds=0.05, times=1))
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await http.get(path)).status_code == 200
    assert loop.time() - before >= 0.05


async def test_a_huge_answer_comes_in_pieces(loki: LokiServer, http: httpx.AsyncClient) -> None:
    """A client that looks at the size can stop early."""
    loki.faults.add(Fault("huge", "/"))
    async with http.stream("GET", f"{API}/labels") as answer:
        read = 0
        async for piece in answer.aiter_bytes():
            read += len(piece)
            if read > 1_000_000:
                break
    assert 1_000_000 < read < 20_000_000


async def test_it_comes_back_on_the_same_port(loki: LokiServer, http: httpx.AsyncClient) -> None:
    """Stopped, nothing listens; started again, the address still holds."""
    url = loki.url
    await loki.stop()
    with pytest.raises(httpx.ConnectError):
        await http.get("/ready")
    await loki.start()
    assert loki.url == url
    assert (await http.get("/ready")).status_code == 200
