"""Two findings of one triage agree: a bot is in its state no longer than its container is up."""

from dataclasses import asdict

import pytest

from triage.desk import Desk
from triage.diagnosis.agreement import agreed
from triage.diagnosis.checks.bot_now import BotNow
from triage.diagnosis.checks.bot_state import state_finding
from triage.model import Finding, FindingStatus


def findings(held: float, *, age: float, up: float | None) -> tuple[Finding, Finding]:
    """Return the two findings of bot1: so long in its state, its snapshot so old, its container up so long (seconds)."""
    now = BotNow(state="running", age_seconds=age, held_seconds=held, held_at_least=True)
    box = {"containers": {"hbot-bot1": {"up_seconds": up}}}
    return state_finding({"bot1": now}), Finding("container", FindingStatus.WARNING, "up", "Docker", data=box)


@pytest.mark.parametrize(
    ("held", "age", "up", "said"),
    [
        (2280, 20, 74, "running for 74 s (snapshot 20 s old)"),
        (2280, 90, 74, "running (snapshot 90 s old)"),
        (2280, 20, 9000, "running for at least 38 min (snapshot 20 s old)"),
        (2280, 20, None, "running for at least 38 min (snapshot 20 s old)"),
    ],
)
def test_a_bot_runs_no_longer_than_its_container(
    held: float, age: float, up: float | None, said: str
) -> None:
    """Prometheus holds the state of the container before it, too."""
    state, box = findings(held, age=age, up=up)
    after = agreed((state, box), Desk())[0]
    assert after.headline.startswith(said)
    assert after.status is state.status


def test_without_the_containers_finding_nothing_changes() -> None:
    """Nothing is known that denies it."""
    state, _ = findings(2280, age=20, up=74)
    assert agreed((state,), Desk()) == (state,)
    assert asdict(state) == asdict(agreed((state,), Desk())[0])
