"""What the running service does not carry: each of these weighs megabytes for nobody."""

import asyncio
import subprocess
import sys
import time

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.tuning import EndpointDispatcher, _UnusedModule

pytestmark = pytest.mark.slow

SELDOM_USED = (
    "rich",
    "pygments",
    "sqlalchemy.dialects.postgresql",
    "alembic",
    "matplotlib",
    "fastapi",
    "typer",
    "click",
    "aiohttp.web_app",
)
_STARTED = """
import json, sys
from bot.tuning import startup_imports
with startup_imports():
    import bot.app, bot.cli, bot.service
print(json.dumps([name for name in {names!r} if name in sys.modules]))
"""


def test_what_the_service_is_made_of_is_never_looked_at_again() -> None:
    """All that is there is frozen, and the collector waits for more than Python's own 700 new objects."""
    program = (
        "import gc; from bot.tuning import collect_seldom; collect_seldom();"
        "print(gc.get_freeze_count() > 1000, gc.get_threshold())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split(maxsplit=1)[0] == "True"
    assert done.stdout.strip().endswith("(10000, 20, 20)")


def test_a_service_on_sqlite_imports_nothing_that_it_does_not_use() -> None:
    """No command line of another library, no server of aiohttp's, no dialect that is not configured, no documentation."""
    done = subprocess.run(
        [sys.executable, "-c", _STARTED.format(names=SELDOM_USED)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_module_that_is_only_imported_gives_whatever_name_is_taken_of_it() -> None:
    """Libraries import names of it and ask for its attributes in hints; what Python itself asks for is not there."""
    unused = _UnusedModule("aiohttp.web")
    assert isinstance(unused.Request, type)
    assert unused.Request.__name__ == "Request"
    assert not hasattr(unused, "__path__")


async def test_the_application_is_made_once_however_many_ask_for_it_first() -> None:
    """A flood of unknown paths at a service that never made it would make it hundreds of times."""
    made = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("of the application")(scope, receive, send)

    def make() -> ASGIApp:
        made.append(1)
        time.sleep(0.1)
        return application

    transport = httpx.ASGITransport(EndpointDispatcher([], make))
    async with httpx.AsyncClient(transport=transport, base_url="http://triage") as http:
        answers = await asyncio.gather(*(http.get(f"/{number}") for number in range(20)))
    assert {answer.text for answer in answers} == {"of the application"}
    assert made == [1]
