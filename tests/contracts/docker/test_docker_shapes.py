"""What a list of containers says of how long each has been up, in the engine's own words."""

import json
from typing import Any

import httpx
import pytest

from bot.sources.docker.client import Docker
from bot.sources.docker.shapes import from_list
from bot.sources.http import HttpSource, Reply
from triage.errors import SourceBadAnswer
from triage.ports.sources import every_container


@pytest.mark.parametrize(
    ("state", "status", "seconds"),
    [
        ("running", "Up 2 hours", 7200.0),
        ("running", "Up 47 hours (healthy)", 47 * 3600.0),
        ("running", "Up 3 days", 3 * 86_400.0),
        ("running", "Up 5 weeks (healthy)", 5 * 604_800.0),
        ("running", "Up About an hour", None),
        ("running", "Up 59 minutes", None),
        ("running", "Up Less than a second", None),
        ("running", "Up 3 hours (unhealthy)", None),
        ("running", "Up 3 hours (health: starting)", None),
        ("paused", "Up 3 hours (Paused)", None),
        ("restarting", "Restarting (1) 3 hours ago", None),
        ("exited", "Exited (137) 3 hours ago", None),
        ("running", "", None),
    ],
)
def test_only_what_has_long_been_up_and_well_needs_no_closer_look(
    state: str, status: str, seconds: float | None
) -> None:
    """Everything else is inspected."""
    entry = {
        "Id": "1" * 64,
        "Names": ["/hbot-bot1"],
        "State": state,
        "Status": status,
        "Image": "i",
        "Created": 1,
    }
    assert from_list(entry).long_up_seconds == seconds


class Listing(HttpSource):
    """An engine that has no container by any name, and a list of which one entry cannot be read."""

    def __init__(self, *entries: object) -> None:
        super().__init__("Docker", httpx.AsyncClient(base_url="http://docker/"))
        self.entries = entries

    async def ask(self, method: str, path: str, **_: Any) -> Reply:  # noqa: ANN401 - as HttpSource takes it
        """Answer as the engine does."""
        assert method == "GET"
        if path == "containers/json":
            return Reply(200, httpx.Headers(), json.dumps(self.entries).encode())
        return Reply(404, httpx.Headers(), b'{"message": "No such container: x"}')


ENTRY = {"Id": "1" * 64, "Names": ["/redis"], "State": "running", "Status": "Up", "Image": "i", "Created": 1}


async def test_an_entry_that_cannot_be_read_hides_none_of_the_others() -> None:
    """Its name is kept where that can be read, and a container is missing only where no such entry may be it."""
    nameless, named = {**ENTRY, "Names": 7}, {**ENTRY, "Names": ["/hbot-bot1"], "Created": None}
    docker = Docker(Listing(ENTRY, nameless, named, None))
    found = await docker.list()
    assert [(one.name, one.unread) for one in found] == [
        ("redis", False),
        ("", True),
        ("hbot-bot1", True),
        ("", True),
    ]
    with pytest.raises(SourceBadAnswer, match="3 of the 4 containers"):
        every_container(found)
    docker = Docker(Listing(ENTRY, named))
    assert await docker.inspect("hbot-bot2") is None
    with pytest.raises(SourceBadAnswer, match="whether there is hbot-bot1 is not known"):
        await docker.inspect("hbot-bot1")
    with pytest.raises(SourceBadAnswer, match="has not the shape"):
        await Docker(Listing(nameless)).list()
