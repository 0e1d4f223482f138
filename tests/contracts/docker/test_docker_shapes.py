"""What a list of containers says of how long each has been up, in the engine's own words."""

import pytest

from bot.sources.docker.shapes import from_list


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
