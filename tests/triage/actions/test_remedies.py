"""Which remedies of a verdict are offered, and why the others are held back."""

from dataclasses import replace

import pytest

from tests.fakes.sources import FakeSources
from tests.triage.diagnosis.checks.context import context
from tests.triage.diagnosis.evidence import (
    alert,
    bot,
    box,
    change,
    errors,
    finding,
    kinds,
    machine,
    redis,
    verdict,
)
from triage.actions.catalogue import CATALOGUE
from triage.actions.remedies import conclude
from triage.diagnosis.verdict import facts_of
from triage.model import Finding, FindingStatus, Verdict
from triage.playbooks.lookup import playbook_for

KEYWORD = "TypeError: __init__() got an unexpected keyword argument <text>"
FROZEN = (bot(frozen=True, age_seconds=700), finding("error_logs", {"bots": {}}))
RELEASE = (change("image", before=300), errors((KEYWORD, 40, "new")))
STUCK = (alert("BotFrozen"),)


def why(found: Verdict, kind: str) -> str:
    """Return why a kind is held back."""
    return next(each.why for each in found.withheld if each.kind == kind)


def test_every_action_says_when_it_may_be_offered() -> None:
    """Beside the action, with a threshold."""
    assert all(0 < action.fitness.threshold <= 1 for action in CATALOGUE.values())


@pytest.mark.parametrize("kind", ["kill_switch", "resume", "start_desk", "stop_desk", "exit_degraded_mode"])
def test_what_only_a_person_decides_is_never_offered(kind: str) -> None:
    """No evidence is enough for it."""
    ctx = context(FakeSources())
    facts = facts_of((bot(), box(), redis()), ctx)
    assert list(CATALOGUE[kind].fitness.objections(facts, "bot1"))


def test_a_frozen_bot_in_a_running_container_may_be_restarted() -> None:
    """The process is up and does nothing."""
    assert kinds(verdict(*FROZEN, box(), alerts=STUCK)) == ["restart"]


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ((box(), machine(disk=0.99)), "the disk is full"),
        ((box(status="paused", running=False),), "paused"),
        ((box(looping=True, exit_code=1),), "again and again"),
    ],
)
def test_evidence_that_speaks_against_a_restart_takes_it_away(
    evidence: tuple[Finding, ...], reason: str
) -> None:
    """Whatever the alert is."""
    found = verdict(*FROZEN, *evidence, alerts=STUCK)
    assert "restart" not in kinds(found), reason


def test_a_rollback_needs_a_change_that_differs() -> None:
    """An image that is another one is known to differ; a container made anew is not."""
    assert kinds(verdict(*RELEASE, bot(), alerts=(alert("BotLogErrorSpike"),))) == ["rollback"]
    anew = (change("created", before=300), errors((KEYWORD, 40, "new")))
    assert "rollback" not in kinds(verdict(*anew, bot(), alerts=(alert("BotLogErrorSpike"),)))


def test_a_rollback_would_start_what_a_limit_stopped() -> None:
    """Even beside a release that is broken."""
    stopped = bot(state="hard_stop", reasons=["drawdown_hard_limit"], drawdown=0.03)
    found = verdict(*RELEASE, stopped, alerts=(alert("BotHardStopActive"),))
    assert "rollback" not in kinds(found)


def test_errors_that_began_long_after_a_deploy_are_not_its_fault() -> None:
    """Forty minutes later something else broke."""
    found = verdict(
        change("image", before=2400), errors((KEYWORD, 40, "new")), bot(), alerts=(alert("BotLogErrorSpike"),)
    )
    assert found.top is not None
    assert found.top.cause != "bad_release"
    assert kinds(found) == []


def test_redis_that_only_we_do_not_reach_is_no_degraded_mode() -> None:
    """The way from here to it may be what fails: the desk is asked for a second sign."""
    alone = verdict(redis(reachable=False, why="no answer within 4 s"), bot(), alerts=(alert("RedisDown"),))
    assert "degraded_mode" not in kinds(alone)
    missed = verdict(
        redis(reachable=False), bot(state="soft_pause", reasons=["bus_outage"]), alerts=(alert("RedisDown"),)
    )
    assert kinds(missed) == ["degraded_mode"]


def test_a_playbook_only_narrows() -> None:
    """It takes away what fits, and adds nothing that does not."""
    ctx = context(FakeSources(), name="BotFrozen")
    shipped = playbook_for(ctx.desk, "BotFrozen")
    nothing = replace(shipped, actions=("soft_pause",), only_actions=True)
    found = conclude((*FROZEN, box(), redis()), ctx, STUCK, nothing)
    assert found.actions == ()
    assert why(found, "restart") == "the desk's playbook does not offer it"


def test_without_the_log_nothing_is_restarted() -> None:
    """A limit of its own may have stopped it: the log would say so."""
    silent = Finding("error_logs", FindingStatus.UNKNOWN, "no answer", "Loki", why="no answer within 4 s")
    found = verdict(bot(frozen=True, age_seconds=700), box(), silent, alerts=STUCK)
    assert kinds(found) == []
    assert "not sure enough" in why(found, "restart")
