"""How a scenario's phases, its end and its judgement follow from what is seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from demo.desk.scenarios import SCENARIOS
from demo.progress import BUSY, FAST, REAL, BotIncident, Observed, Phase, ScenarioRun, advanced, judged, pace
from triage.model import Cause, IncidentStatus
from triage.plans.record import ActionRecord, ActionStatus

NOW = datetime(2026, 2, 20, 15, tzinfo=UTC)


def told(*names: str, cause: str = "", firing: bool = True, triaged: bool = True) -> BotIncident:
    """Return an incident."""
    causes = (Cause(cause, cause, 0.9, ()),) if cause else ()
    fires = frozenset(names) if firing else frozenset[str]()
    return BotIncident(
        id=1,
        title="t",
        status=IncidentStatus.TRIGGERED,
        names=frozenset(names),
        firing=fires,
        triaged=triaged,
        causes=causes,
    )


def done(kind: str, target: str = "bot1", at: datetime = NOW) -> ActionRecord:
    """Return an action that ran."""
    return ActionRecord(
        kind=kind,
        target=target,
        why="",
        proposed_by="ana",
        proposed_at=at,
        expires_at=at + timedelta(minutes=30),
        changed_at=at,
        id=1,
        status=ActionStatus.SUCCEEDED,
        finished_at=at,
    )


def run(name: str = "frozen-bot") -> ScenarioRun:
    """Return a scenario that has just begun."""
    return ScenarioRun(SCENARIOS[name], NOW)


def test_it_goes_from_pending_to_cured_as_the_bot_and_the_world_go() -> None:
    """Alert, verdict, cause gone, alerts ended: one phase after the other."""
    one = advanced(run(), Observed())
    assert one.phase is Phase.PENDING
    one = advanced(one, Observed((told("BotFrozen", triaged=False),)))
    assert one.phase is Phase.FIRED
    one = advanced(one, Observed((told("BotFrozen", cause="frozen_bot"),)))
    assert one.phase is Phase.TRIAGED
    one = advanced(one, Observed((told("BotFrozen", cause="frozen_bot"),), well_for=60.0))
    assert one.phase is Phase.HEALING
    assert not one.truth_shown
    one = advanced(one, Observed((told("BotFrozen", cause="frozen_bot", firing=False),), well_for=60.0))
    assert one.phase is Phase.CURED
    assert one.truth_shown


def test_other_incidents_do_not_end_the_pending_phase() -> None:
    """Only the scenario's first alert does; what comes before it slows the time down."""
    one = advanced(run(), Observed((told("ContainerDied"), told("MinutePipelineStale"))))
    assert one.phase is Phase.PENDING
    assert pace(one, NOW) == BUSY


def test_a_further_alert_is_waited_for_but_not_for_ever() -> None:
    """A loss of the day is told until the day ends; the first alert alone decides after half an hour."""
    lasting = BotIncident(
        id=1,
        title="t",
        status=IncidentStatus.TRIGGERED,
        names=frozenset(SCENARIOS["hard-stop"].alerts),
        firing=frozenset({"BotDailyPnlDrawdown"}),
        triaged=True,
    )
    assert advanced(run("hard-stop"), Observed((lasting,), well_for=60.0)).phase is Phase.HEALING
    assert advanced(run("hard-stop"), Observed((lasting,), well_for=1_900.0)).phase is Phase.CURED


def test_what_looked_cured_and_was_not_is_a_persons_turn_again() -> None:
    """Healing can be taken back; cured cannot."""
    seen = Observed((told("BotFrozen", cause="frozen_bot"),), well_for=60.0)
    one = advanced(advanced(run(), seen), Observed(seen.incidents))
    assert one.phase is Phase.TRIAGED


@pytest.mark.parametrize(
    ("name", "actions", "well", "right"),
    [
        ("frozen-bot", (), False, None),
        ("frozen-bot", (done("restart"),), True, True),
        ("frozen-bot", (done("restart", "bot2"),), False, False),
        ("frozen-bot", (done("soft_pause"), done("restart")), True, True),
        ("hard-stop", (), True, True),
        ("hard-stop", (done("resume"),), True, True),
        ("hard-stop", (done("rollback"),), True, False),
        ("hard-stop", (done("rollback"),), False, None),
    ],
)
def test_actions_are_judged_by_the_remedies(
    *, name: str, actions: tuple[ActionRecord, ...], well: bool, right: bool | None
) -> None:
    """Kind and target must be right; where patience cures, only a resume may be pressed."""
    alert = SCENARIOS[name].alerts[0]
    seen = Observed((told(alert, cause="x", firing=False),), actions, 60.0 if well else None)
    assert judged(advanced(run(name), seen)).right is right


def test_the_verdict_is_judged_by_the_true_cause() -> None:
    """Named, not named, and no verdict yet are three things."""
    assert judged(run()).named is None
    assert judged(advanced(run(), Observed((told("BotFrozen", cause="frozen_bot"),)))).named is True
    assert judged(advanced(run(), Observed((told("BotFrozen", cause="redis_down"),)))).named is False


def test_what_triage_says_after_the_cure_takes_no_verdict_back() -> None:
    """A triage of the cured desk says that all is well; one that is the first to name the cause counts all the same."""
    named = advanced(run(), Observed((told("BotFrozen", cause="frozen_bot"),)))
    after = Observed((told("BotFrozen", cause="nothing_wrong"),), well_for=60.0)
    assert judged(advanced(named, after)).named is True
    assert judged(advanced(advanced(named, after), after)).named is True
    assert judged(advanced(named, replace(after, well_for=None))).named is False
    first = Observed((told("BotFrozen", cause="frozen_bot"),), well_for=60.0)
    assert judged(advanced(run(), first)).named is True


def test_time_runs_fast_where_nothing_is_to_be_done() -> None:
    """While its alert is pending, after an action, while it heals; and in real time while it is a person's turn."""
    assert pace(None, NOW) == REAL
    assert pace(run(), NOW) == FAST
    turn = advanced(run(), Observed((told("BotFrozen", cause="frozen_bot"),)))
    assert pace(turn, NOW) == REAL
    acted = advanced(turn, Observed(turn.seen.incidents, (done("soft_pause"),)))
    assert pace(acted, NOW + timedelta(minutes=1)) == FAST
    assert pace(acted, NOW + timedelta(hours=1)) == REAL
