"""Each await on a network has a timeout: what opens, reads and writes a connection is found in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("bot", "handlers", "schedules", "triage")
CLIENTS = frozenset(
    {"AsyncClient", "Client", "ClientSession", "AsyncWebClient", "WebClient", "SMTP", "urlopen"}
)
"""What makes a client of httpx, aiohttp, slack_sdk and aiosmtplib: it is given a ``timeout``."""
WAITS = frozenset(
    {
        *(
            "open_connection",
            "open_unix_connection",
            "create_connection",
            "create_unix_connection",
            "start_tls",
        ),
        *("readline", "readexactly", "readuntil", "drain", "wait_closed", "communicate", "getaddrinfo"),
        *(
            "sock_connect",
            "sock_recv",
            "sock_sendall",
            "receive",
            "receive_json",
            "receive_str",
            "ws_connect",
            "send_message",
        ),
    }
)
"""Calls that wait for another process or machine."""
STREAMS = frozenset({"_reader", "reader", "stderr", "_stderr", "stdout"})
"""Names of what a ``read`` waits for; others' ``read`` is the store's or a source's own."""
BOUNDED_BY_THEIR_CALLERS = {
    "bot/agent/engine_http.py: pieces": "EngineHttp.ask, Engine.exec; of events: the server's EVENTS_SECONDS",
    "bot/agent/engine_http.py: stream": "as above",
    "bot/agent/engine_http.py: _head": "as above",
    "bot/agent/protocol.py: read_frame": "Wire.frames",
    "bot/agent/server.py: _tell": "Server._events",
    "bot/charts/process.py: _drawn": "ChartProcess.draw",
    "bot/desk/commands.py: _read_out": "HostCommands.run, HostCommands.ask",
    "bot/fallback/email/channel.py: send": "the timeout that its SMTP client is made with",
    "bot/sources/minute_csv/child_process.py: lines": "the digest's limit; of pictures the deadline of their process",
    "bot/sources/minute_csv/child_process.py: listen": "the child's end, which is killed in time",
    "bot/sources/minute_csv/digest.py: _ask": "the digest's limit",
    "bot/sources/minute_csv/picture_process.py: _send": "the deadline of its process",
    "bot/sources/transport.py: ClientSession": "each request brings its own",
    "handlers/streams.py: _once": "the reader's client, which is opened with a limit",
    "handlers/streams.py: _read_on": "as above",
}
"""File and function, and what bounds it."""


def is_limit(item: ast.withitem) -> bool:
    """Whether a ``with`` is a limit of time: ``asyncio.timeout(…)`` and its like."""
    call = item.context_expr
    return isinstance(call, ast.Call) and _name(call.func) in {"timeout", "timeout_at"}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def waits(call: ast.Call) -> bool:
    """Whether a call waits for a network or another process."""
    if _name(call.func) in WAITS:
        return True
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    return _name(call.func) == "read" and of is not None and _name(of) in STREAMS


def unbounded(node: ast.AST, function: str = "") -> Iterator[str]:
    """Yield the functions that await such a call and the makers of clients, without a limit around or within."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if isinstance(node, ast.AsyncWith) and any(is_limit(item) for item in node.items):
        return
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and waits(node.value):
        yield function
    if isinstance(node, ast.Call) and _name(node.func) in CLIENTS:
        limits = [word.value for word in node.keywords if word.arg == "timeout"]
        if not limits or ast.unparse(limits[0]) == "None":
            yield _name(node.func)
    for each in ast.iter_child_nodes(node):
        yield from unbounded(each, function)


def test_what_waits_for_a_network_has_a_limit() -> None:
    """A limit stands around the await, or in the one function that is named here as calling it."""
    found = {
        f"{file.relative_to(ROOT)}: {name}"
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for name in unbounded(ast.parse(file.read_text()))
    }
    assert found == BOUNDED_BY_THEIR_CALLERS.keys()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("async def f(reader):\n    await reader.read(1)", ["f"]),
        ("async def f(reader):\n    async with asyncio.timeout(1):\n        await reader.read(1)", []),
        (
            "async def f(reader):\n    async with lock, asyncio.timeout(1):\n        await reader.readexactly(1)",
            [],
        ),
        (
            "async def f(timeouts, writer):\n    async with timeouts.lock:\n        await writer.drain()",
            ["f"],
        ),
        ("async def f():\n    await asyncio.open_connection('h', 1)", ["f"]),
        ("http = httpx.AsyncClient()", ["AsyncClient"]),
        ("http = httpx.AsyncClient(timeout=None)", ["AsyncClient"]),
        ("http = httpx.AsyncClient(timeout=5)", []),
        ("async def f(store):\n    await store.read(1)", []),
    ],
)
def test_the_search_finds_what_it_looks_for(code: str, found: list[str]) -> None:
    """What has no limit, and nothing else."""
    assert list(unbounded(ast.parse(code))) == found
