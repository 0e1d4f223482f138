"""Every scenario of the demo from its start to its end, through all that runs in it, pressed as people press."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from demo.desk.scenarios import SCENARIOS
from demo.progress import Phase, judged
from tests.demo.running import DemoUnderTest, demo_under_test

ALL = os.environ.get("ALL_SCENARIOS") == "1"
"""Each scenario takes most of a minute of both cores: `make test` runs one of each kind, ALL_SCENARIOS=1 all.

That each one's verdict names its cause, and that its remedy cures it on the desk, is tested for all of them elsewhere;
one more is run in the browser (tests/demo/test_demo_page.py).
"""
PLAYED = tuple(SCENARIOS) if ALL else ("redis-dies", "bad-release", "oom-loop")

# One at a time: a desk at sixty times the speed needs a core, and what it asks for must be answered in time.
pytestmark = pytest.mark.xdist_group("demo")

Remedy = Callable[[DemoUnderTest], Awaitable[None]]


@pytest.fixture
async def tested(tmp_path: Path) -> AsyncIterator[DemoUnderTest]:
    """Open a demo."""
    async with demo_under_test(tmp_path) as one:
        yield one


def press(kind: str, target: str, **choice: str) -> Remedy:
    """Return the remedy that is one button."""

    async def remedy(tested: DemoUnderTest) -> None:
        await tested.press(kind, target, choice)

    return remedy


async def review(tested: DemoUnderTest) -> None:
    """Leave it stopped for half an hour, as its guard wants, then let it trade again."""
    for _ in range(4):
        tested.runner.skip()
    await tested.until(lambda: tested.demo.clock.now() > tested.runner.pace.skip_until, "half an hour", 120)
    await tested.press("resume", "bot1")


async def wait(tested: DemoUnderTest) -> None:
    """Do nothing, for long enough."""
    for _ in range(3):
        tested.runner.skip()


CURES = {
    "hard-stop": review,
    "redis-dies": press("degraded_mode", "desk"),
    "stale-bytecode": press("clear_cache", "bot1"),
    "bad-release": press("rollback", "bot1", what="image"),
    "bad-config": press("rollback", "bot1"),
    "fee-fallback": press("restart", "bot1"),
    "exchange-errors": press("soft_pause", "bot1"),
    "oom-loop": press("disable_internal_paper", "bot1"),
    "frozen-bot": press("restart", "bot1"),
    "disk-fills": press("recreate", "signal-service"),
    "alert-storm": wait,
    "metrics-blind": press("restart", "bot-metrics-exporter"),
}


async def triaged(tested: DemoUnderTest, name: str) -> None:
    """Start a scenario, and wait until Slack has the thread with the triage."""
    tested.runner.start(name)
    play = await tested.reaches(name, Phase.TRIAGED)
    incident = play.incident
    assert incident is not None
    await tested.until(
        lambda: any(reply.text.startswith("Triage") for reply in tested.thread(incident.id)),
        "the triage",
        25,
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", PLAYED)
async def test_a_scenario_is_named_and_cured(tested: DemoUnderTest, name: str) -> None:
    """The alert makes a thread, the verdict names the true cause, the right remedy closes it."""
    await triaged(tested, name)
    runs = tested.runner.runs
    if name == "oom-loop":  # one kill is no loop yet, and the verdict says so: let it come round again
        tested.runner.skip()
    await tested.until(lambda: judged(runs[name]).named, "the verdict to name the cause", 90)
    await CURES[name](tested)
    play = await tested.reaches(name, Phase.CURED, seconds=240)
    found = judged(play)
    assert found.named, tested.story()
    assert found.right, tested.story()
    assert play.truth_shown


@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("stale-bytecode", press("restart", "bot1")),
        *(
            (("fee-fallback", press("soft_pause", "bot1")), ("metrics-blind", press("restart", "bot1")))
            if ALL
            else ()
        ),
    ],
)
async def test_a_wrong_remedy_leaves_it_open_and_the_right_one_cures_it_still(
    tested: DemoUnderTest, name: str, remedy: Remedy
) -> None:
    """What does not fit the cause runs, and the incident stays."""
    await triaged(tested, name)
    await remedy(tested)
    runs = tested.runner.runs
    await tested.until(lambda: judged(runs[name]).used, "the action to run", 60)
    tested.runner.skip()
    await asyncio.sleep(12)
    assert runs[name].phase in {Phase.FIRED, Phase.TRIAGED}, tested.story()
    assert judged(runs[name]).right is False
    await CURES[name](tested)
    play = await tested.reaches(name, Phase.CURED, seconds=240)
    assert judged(play).right, tested.story()
