"""The port under silence and floods: real webhooks get through, and nobody holds a place by saying nothing."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bot.connections import (
    BURST,
    CONNECTIONS_MAX,
    HEADER_MAX,
    REQUEST_MAX,
    ConnectionLimits,
    allow_connections,
)
from bot.store import SqlStore
from bot.tuning import EndpointDispatcher
from bot.web import WebServer, listen
from handlers.alertmanager import BODY_MAX, WEBHOOK_PATH
from handlers.endpoint import Endpoint
from tests.handlers.posting import TOKEN, Doorway, webhook
from tests.servers.http import plain_client

pytestmark = pytest.mark.slow

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GONE = asyncio.Event()


async def big(_: Request) -> PlainTextResponse:
    """Answer more than the sockets' buffers hold many times over."""
    return PlainTextResponse("x" * 16_000_000)


async def slow(request: Request) -> PlainTextResponse:
    """Read what is sent, then take the processor for five milliseconds."""
    await request.body()
    until = time.monotonic() + 0.005
    while time.monotonic() < until:
        pass
    return PlainTextResponse("ok")


async def waits(request: Request) -> PlainTextResponse:
    """Wait until the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    GONE.set()
    return PlainTextResponse("nobody reads this")


OTHERS = [
    Endpoint(method="GET", path="/big", call=big, documented=dict),
    Endpoint(method="GET", path="/slow", call=slow, documented=dict),
    Endpoint(method="POST", path="/slow", call=slow, documented=dict),
    Endpoint(method="GET", path="/waits", call=waits, documented=dict),
]


@asynccontextmanager
async def served(store: SqlStore, limits: ConnectionLimits) -> AsyncIterator[int]:
    """Serve the webhook behind a limits; gives the port."""
    door = Doorway(store)
    limits.known = door.handler.known
    listener = listen(("127.0.0.1", 0))
    server = WebServer(EndpointDispatcher([*door.endpoints, *OTHERS], door.application), limits)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.stop()
        await serving
        listener.close()


async def post(port: int) -> httpx.Response:
    """Post a webhook as Alertmanager does."""
    async with plain_client() as client:
        return await client.post(
            f"http://127.0.0.1:{port}{WEBHOOK_PATH}",
            json=webhook(),
            headers={"Authorization": f"Bearer {TOKEN}"},
        )


async def closed(connection: Connection, within: float) -> float:
    """Wait until the server closes a connection; returns how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        with suppress(ConnectionError):
            while await connection[0].read(1000):
                pass
    return time.monotonic() - began


async def test_a_thousand_silent_connections_keep_no_webhook_out(sqlite_store: SqlStore) -> None:
    """Each more takes the place of the longest silent one; webhooks meanwhile are answered."""
    limits = ConnectionLimits(lambda _: False, connections_max=50, burst=10)
    async with served(sqlite_store, limits) as port, AsyncExitStack() as stack:
        for number in range(1000):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            if number % 100 == 99:
                began = time.monotonic()
                assert (await post(port)).status_code == 200
                assert time.monotonic() - began < 5
        assert limits.closed["silent"] >= 900


async def test_what_sends_no_header_and_no_body_in_its_time_is_closed(sqlite_store: SqlStore) -> None:
    """A byte now and then does not help."""
    limits = ConnectionLimits(lambda _: False, header_seconds=0.5, body_seconds=1.0)
    async with served(sqlite_store, limits) as port:
        silent = await asyncio.open_connection("127.0.0.1", port)
        slow = await asyncio.open_connection("127.0.0.1", port)
        slow[1].write(b"POST /webhooks/alertmanager HTTP/1.1\r\nX-A: ")
        stuck = await asyncio.open_connection("127.0.0.1", port)
        stuck[1].write(
            b"POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"Authorization: Bearer {TOKEN}\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        took = await asyncio.gather(closed(silent, 5), closed(slow, 5), closed(stuck, 5))
        assert all(seconds < 4 for seconds in took)
        assert limits.closed == {"no header": 2, "no body": 1}
        for _, writer in (silent, slow, stuck):
            writer.close()


async def test_half_a_header_in_the_piece_that_ends_the_request_before_has_its_time_too(
    sqlite_store: SqlStore,
) -> None:
    """It came before the first request's end was seen, and nothing follows."""
    limits = ConnectionLimits(lambda _: False, header_seconds=0.5, body_seconds=1.0)
    async with served(sqlite_store, limits) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /sl")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert await closed((reader, writer), 5) < 4
        assert limits.closed == {"no header": 1}
        writer.close()


async def test_a_second_request_that_does_not_come_whole_is_closed_as_a_first_one(
    sqlite_store: SqlStore,
) -> None:
    """Its time begins with its first byte, and a byte now and then does not prolong it."""
    limits = ConnectionLimits(lambda _: False, header_seconds=0.5, body_seconds=1.0)
    head = b"GET /slow HTTP/1.1\r\nHost: x\r\n"
    starts = {"no header": head, "no body": head.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n"}
    async with served(sqlite_store, limits) as port:
        for number, (why, start) in enumerate(starts.items(), 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + b"\r\n")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(1.2)  # longer than either: what is answered has no deadline
            assert sum(limits.closed.values()) == number - 1
            writer.write(start)
            for _ in range(8):
                await asyncio.sleep(0.2)
                with suppress(ConnectionError):
                    writer.write(b"a")
            assert limits.closed[why] == 1
            writer.close()


async def test_who_showed_the_token_keeps_its_connection(sqlite_store: SqlStore) -> None:
    """Alertmanager's connection lives on beside a flood that takes every other place."""
    limits = ConnectionLimits(lambda _: False, connections_max=20, burst=10)
    async with served(sqlite_store, limits) as port, plain_client() as client, AsyncExitStack() as stack:
        asked = {
            "url": f"http://127.0.0.1:{port}{WEBHOOK_PATH}",
            "json": webhook(),
            "headers": {"Authorization": f"Bearer {TOKEN}"},
        }
        first = await client.post(**asked)  # type: ignore[arg-type]
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            await asyncio.sleep(0)
        again = await client.post(**asked)  # type: ignore[arg-type]
        streams = [each.extensions["network_stream"] for each in (first, again)]
        assert [each.status_code for each in (first, again)] == [200, 200]
        assert streams[0].get_extra_info("client_addr") == streams[1].get_extra_info("client_addr")


async def test_a_header_without_end_is_cut_off(sqlite_store: SqlStore) -> None:
    """The parser keeps what it read: it must not be without end."""
    limits = ConnectionLimits(lambda _: False)
    async with served(sqlite_store, limits) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nX-A: " + b"a" * (HEADER_MAX + 1000))
        assert await closed((reader, writer), 5) < 5
        writer.close()


async def test_webhooks_in_their_time_are_never_closed(sqlite_store: SqlStore) -> None:
    """One after the other and side by side."""
    limits = ConnectionLimits(lambda _: False)
    async with served(sqlite_store, limits) as port:
        answers = [await post(port) for _ in range(3)]
        answers += await asyncio.gather(*(post(port) for _ in range(20)))
        assert {each.status_code for each in answers} == {200}
        assert not limits.closed


async def test_a_client_that_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(
    sqlite_store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    """No traceback: nobody is there to be answered."""
    async with served(sqlite_store, ConnectionLimits(lambda _: False)) as port:
        head = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        assert (await post(port)).status_code == 200
        await asyncio.sleep(0.1)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_body_without_end_is_cut_at_its_size_limit(sqlite_store: SqlStore) -> None:
    """The refusal can be read, and what comes after it is neither read nor waited for."""
    limits = ConnectionLimits(lambda _: False)
    head = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    async with served(sqlite_store, limits) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0

        async def flood() -> None:
            nonlocal sent
            with suppress(ConnectionError):
                while True:
                    writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                    await writer.drain()
                    sent += 0x10000

        flooding = asyncio.create_task(flood())
        began = time.monotonic()
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"\r\n\r\n")
            assert b" 413 " in answer.partition(b"\r\n")[0]
            await flooding
        assert time.monotonic() - began < 8
        assert sent < BODY_MAX + 16 * 1024 * 1024, "no more than what the sockets' buffers take"
        assert limits.closed == {"body after its answer": 1}
        assert (await post(port)).status_code == 200
        writer.close()


async def test_a_short_body_that_comes_after_its_refusal_costs_no_connection(sqlite_store: SqlStore) -> None:
    """A client with a wrong token may send its body later: it reads the answer, and may ask again."""
    limits = ConnectionLimits(lambda _: False)
    head = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n".encode()
    async with served(sqlite_store, limits) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(head)
            answer = await reader.readuntil(b"}")
            assert b" 401 " in answer.partition(b"\r\n")[0]
            writer.write(b"null")
        assert not limits.closed
        writer.close()


async def test_who_reads_no_answer_is_closed_and_holds_no_place(sqlite_store: SqlStore) -> None:
    """Its answer fills the sockets' buffers; then it has its time, and gives way before where there is no room."""
    limits = ConnectionLimits(lambda _: False, connections_max=3, burst=2, answer_seconds=1.0)
    async with served(sqlite_store, limits) as port, AsyncExitStack() as stack:
        for _ in range(5):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.connect(("127.0.0.1", port))
            sock.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.sleep(0.02)
        assert (await post(port)).status_code == 200
        async with asyncio.timeout(8):
            while sum(limits.closed.values()) < 5:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.05)
        assert set(limits.closed) == {"answer not read", "silent"}
        assert (await post(port)).status_code == 200


async def test_what_follows_a_body_without_end_is_cut_off(sqlite_store: SqlStore) -> None:
    """Trailers count: a body may have ended long ago and its request not."""
    limits = ConnectionLimits(lambda _: False)
    head = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    async with served(sqlite_store, limits) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        writer.write(b"2\r\n{}\r\n0\r\n")
        sent = 0
        with suppress(ConnectionError):
            async with asyncio.timeout(15):
                while True:
                    writer.write(b"X-More: " + b"a" * 60_000 + b"\r\n")
                    await writer.drain()
                    sent += 60_000
        assert sent < REQUEST_MAX + 16 * 1024 * 1024, "no more than what the sockets' buffers take"
        assert limits.closed == {"too much unanswered": 1}
        assert limits.held == 0
        assert (await post(port)).status_code == 200
        writer.close()


async def test_requests_behind_each_other_are_few_and_more_of_who_is_known(sqlite_store: SqlStore) -> None:
    """A read of 256 KiB may hold 14,000 of them, each of which takes kilobytes once it is parsed."""
    limits = ConnectionLimits(lambda _: False)
    async with served(sqlite_store, limits) as port:
        unknown = await asyncio.open_connection("127.0.0.1", port)
        unknown[1].write(b"GET /livez HTTP/1.1\r\n\r\n" * 10_000)
        assert await closed(unknown, 5) < 5
        assert limits.closed == {"too many at once": 1}
        body = json.dumps(webhook()).encode()
        one = (
            f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(one * 20)
        async with asyncio.timeout(10):
            for _ in range(20):
                assert b" 200 " in (await reader.readuntil(b"}")).partition(b"\r\n")[0]
        for each in (unknown[1], writer):
            each.close()


async def test_bodies_of_who_is_not_known_have_one_budget(sqlite_store: SqlStore) -> None:
    """Small ones are taken whatever the others hold, and so is a webhook."""
    limits = ConnectionLimits(lambda _: False, held_max=1024 * 1024)
    head = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n"
    async with served(sqlite_store, limits) as port:
        large = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        for _, writer in large:
            writer.write(head + b"a" * 390_000)
        async with asyncio.timeout(10):
            while limits.closed["too much unanswered"] < 2:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.02)
        assert limits.held <= 1024 * 1024 + 400_000
        assert (await post(port)).status_code == 200
        for _, writer in large:
            writer.close()
        async with asyncio.timeout(10):
            while limits.held:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.02)


async def test_a_webhook_within_a_burst_of_connections_is_not_taken_for_a_silent_one(
    sqlite_store: SqlStore,
) -> None:
    """Its request stands in the socket already when those that came after it want its place."""
    limits = ConnectionLimits(lambda _: False, connections_max=20, burst=200)
    async with served(sqlite_store, limits) as port, AsyncExitStack() as stack:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(150):  # no await: all of them wait to be accepted with it
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        body = json.dumps(webhook()).encode()
        writer.write(
            f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        async with asyncio.timeout(5):
            assert b" 200 " in (await reader.readuntil(b"}")).partition(b"\r\n")[0]
            while limits.closed["silent"] < 131:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.02)
        assert limits.closed == {"silent": 131}
        writer.close()


async def test_that_a_client_has_gone_is_known_with_requests_behind_each_other_too(
    sqlite_store: SqlStore,
) -> None:
    """The one that is being answered is not the one that the protocol holds for the current one: it would write on."""
    GONE.clear()
    async with served(sqlite_store, ConnectionLimits(lambda _: False)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.transport.abort()
        async with asyncio.timeout(5):
            await GONE.wait()


async def test_a_flood_of_who_is_not_known_is_answered_in_turn(sqlite_store: SqlStore) -> None:
    """A webhook that comes behind two hundred of them is not the last to be answered."""
    limits = ConnectionLimits(lambda _: False)
    async with served(sqlite_store, limits) as port:
        flood = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in flood:
            writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = [asyncio.create_task(reader.readuntil(b"\r\n")) for reader, _ in flood]
        assert (await post(port)).status_code == 200
        assert not all(answer.done() for answer in answers)
        async with asyncio.timeout(20):
            assert all(b" 200 " in line for line in await asyncio.gather(*answers))
        for _, writer in flood:
            writer.close()


def test_the_process_may_hold_a_descriptor_for_each_connection() -> None:
    """Where it began with the 1,024 that many systems give."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * (CONNECTIONS_MAX + BURST)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == (wanted if hard < 0 else min(wanted, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == max(soft, min(wanted, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_health_check_may_ask_for_no_body(sqlite_store: SqlStore) -> None:
    """HEAD is answered as GET is, without the body, and the connection goes on."""
    async with served(sqlite_store, ConnectionLimits(lambda _: False)) as port, plain_client() as client:
        for path in ("livez", "readyz", "metrics"):
            head, whole = [
                await client.request(method, f"http://127.0.0.1:{port}/{path}") for method in ("HEAD", "GET")
            ]
            assert (head.status_code, head.content) == (200, b"")
            del head.headers["date"], whole.headers["date"]  # another second may have begun
            assert head.headers == whole.headers
