"""Containers in the moment in which compose replaces them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.sources.docker.client import Docker
from bot.sources.docker.questions import by_name
from bot.sources.docker.shapes import from_event, from_list
from bot.sources.http import HttpSource
from tests.fakes.sources import container
from triage.errors import SourceRejected
from triage.ports.sources import ContainerState

LABELS = {"com.docker.compose.project": "hbot", "com.docker.compose.service": "bot1"}


def listed(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """An entry of the engine's list."""
    return {
        "Id": "c0ffee",
        "Names": [f"/{name}"],
        "State": "created",
        "Image": "bot:2",
        "Created": 1,
        "Labels": labels,
    }


@pytest.mark.parametrize(
    ("name", "labels", "known"),
    [
        ("0123456789ab_hbot-bot1", LABELS, "hbot-bot1"),
        ("hbot-bot1", LABELS, "hbot-bot1"),
        ("0123456789ab_mine", {}, "0123456789ab_mine"),
        ("0123456789_hbot-bot1", LABELS, "0123456789_hbot-bot1"),
    ],
)
def test_a_replacement_has_the_name_that_it_will_have(name: str, labels: dict[str, str], known: str) -> None:
    """In the list and in events; a name of somebody's own stays."""
    assert from_list(listed(name, labels)).name == known
    told = from_event(
        {
            "Type": "container",
            "Action": "create",
            "timeNano": 1,
            "Actor": {"ID": "c", "Attributes": {"name": name, **labels}},
        }
    )
    assert told is not None
    assert told.container == known


async def test_what_a_replacement_that_was_cut_short_leaves_is_found_by_its_own_name() -> None:
    """A container without the prefix is not there; a name that two would have is nobody's."""
    names = ["0123456789ab_hbot-bot1", "hbot-redis"]

    def told(status: int, body: object) -> httpx.Response:
        return httpx.Response(status, stream=httpx.ByteStream(json.dumps(body).encode()))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/containers/json":
            found = [{**listed(name, LABELS), "Id": name} for name in names]
            return told(200, found)
        name, what = request.url.path.split("/")[2:]
        if name not in names:
            return told(404, {"message": f"No such container: {name}"})
        if what == "logs":
            return httpx.Response(200, stream=httpx.ByteStream(b"2026-03-01T10:00:00Z started\n"))
        if what == "archive":
            return told(404, {"message": f"Could not find the file /conf in container {name}"})
        state = dict.fromkeys(("Status", "StartedAt", "FinishedAt"), "") | {"ExitCode": 0, "OOMKilled": False}
        inside = {"Name": f"/{name}", "Id": name, "Image": "sha", "Created": "", "State": state}
        return told(200, {**inside, "Config": {"Image": "bot:2", "Labels": LABELS}})

    docker = Docker(HttpSource.open("Docker", httpx.URL("http://d/"), transport=httpx.MockTransport(answer)))
    found = await docker.inspect("hbot-bot1")
    assert found is not None
    assert (found.name, found.id) == ("hbot-bot1", names[0])
    assert await docker.inspect("hbot-bot2") is None
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert [line.text for line in (await docker.last_lines("hbot-bot1", since=since)).lines] == ["started"]
    assert await docker.files("hbot-bot1", "/conf") == ()
    with pytest.raises(SourceRejected, match="No such container: hbot-bot2"):
        await docker.last_lines("hbot-bot2", since=since)
    names.append("ba9876543210_hbot-bot1")
    assert await docker.inspect("hbot-bot1") is None


async def test_a_half_made_replacement_is_found_by_the_name_that_it_will_have() -> None:
    """Service and agent ask so: by the name, then by the id of the one container that Compose means by it."""
    there = {"0a1b": container("hbot-bot1", status="exited")}

    async def inspect(name: str) -> ContainerState | None:
        return there.get(name)

    async def every() -> tuple[ContainerState, ...]:
        return tuple(replace(one, id=key) for key, one in there.items())

    assert await by_name("hbot-bot1", inspect, every) == there["0a1b"]
    assert await by_name("hbot-bot2", inspect, every) is None
    there["2c3d"] = container("hbot-bot1")
    assert await by_name("hbot-bot1", inspect, every) is None, "of two, nobody knows which is meant"
