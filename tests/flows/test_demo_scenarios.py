"""Every scenario of the demo from its start to the verdict in Slack, through all that runs in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.desk.scenarios import SCENARIOS
from demo.progress import Phase, judged
from tests.demo.stage import Theatre, open_theatre


@pytest.fixture
async def theatre(tmp_path: Path) -> AsyncIterator[Theatre]:
    """Set a stage."""
    async with open_theatre(tmp_path) as one:
        yield one


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_fires_its_alert_and_the_verdict_names_its_cause(
    theatre: Theatre, name: str
) -> None:
    """The alert makes a thread, the thread holds the triage, and its likeliest cause is the true one."""
    theatre.director.start(name)
    await theatre.reaches(name, Phase.TRIAGED)
    await theatre.until(
        lambda: judged(theatre.director.plays[name]).named, "the verdict to name the cause", 25
    )
    incident = theatre.director.plays[name].incident
    assert incident is not None
    await theatre.until(
        lambda: any(reply.text.startswith("Triage") for reply in theatre.thread(incident.id)),
        "the triage",
        25,
    )
