"""Containers in the moment in which compose replaces them."""

from typing import Any

import pytest

from bot.sources.docker.shapes import from_event, from_list

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
