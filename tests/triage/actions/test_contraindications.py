"""Each condition of each action: evidence under which it speaks, and like evidence under which it is silent."""

from datetime import timedelta

import pytest

from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from tests.triage.diagnosis.evidence import alert, bot, box, errors, finding, machine, redis, unknown
from triage.actions import fitness as conditions
from triage.actions.catalogue import CATALOGUE
from triage.actions.fitness import FitnessCondition
from triage.diagnosis.causes import NAMES
from triage.diagnosis.facts import Facts
from triage.diagnosis.verdict import facts_of
from triage.model import Episode, Finding

REDIS_LINE = "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused."
FULL_LINE = "OSError: [Errno 28] No space left on device"
LIMIT_LINE = "Kill switch threshold reached. Stopping the bot..."
STOPPED = {"container": "hbot-bot1", "what": "stopped", "seconds_before": 60.0, "image": "x", "ours": True}
IMAGE = {"container": "hbot-bot1", "what": "image", "seconds_before": 300.0, "image": "x:2", "ours": True}


def changes(*found: dict[str, object], **more: object) -> Finding:
    """What the changes check finds."""
    return finding("changes", {"changes": list(found), "down": [], **more})


def code(**facts: bool) -> Finding:
    """What the bytecode check finds of bot1."""
    usual = {"controller_stale": False, "newer_than_bytecode": False, "newer_than_process": False}
    return finding("bytecode", {"bots": {"bot1": {**usual, **facts}}})


def facts(*found: Finding, alerts: tuple[Episode, ...] = ()) -> Facts:
    """What the conditions look at."""
    return facts_of(found, context(FakeSources(), "bot1"), alerts)


# For each condition: evidence under which it is true, and evidence next to it under which it is not.
Case = tuple[tuple[Finding, ...], tuple[Episode, ...]]
TABLE: dict[str, tuple[list[Case], list[Case]]] = {
    "NO_ROOM": (
        [((machine(disk=0.985),), ()), ((errors((FULL_LINE, 3, "new")),), ())],
        [((machine(disk=0.9),), ()), ((errors((FULL_LINE, 3, "known")),), ()), ((), ())],
    ),
    "GUARDED": (
        [
            ((bot(state="hard_stop", reasons=[reason]),), ())
            for reason in (
                "drawdown_hard_limit",
                "daily_loss_hard_limit",
                "daily_turnover_hard_limit",
                "external_kill_switch",
                "cancel_fail_hard_limit",
                "fee_unresolved",
            )
        ],
        [((bot(state="soft_pause", reasons=["edge_gate_blocked"]),), ()), ((bot(),), ()), ((), ())],
    ),
    "KILLED": (
        [
            ((bot(),), (alert("kill_switch", event=True),)),
            ((errors((LIMIT_LINE, 1, "new")),), ()),
        ],
        [((bot(),), (alert("kill_switch", "bot3", event=True),)), ((errors((LIMIT_LINE, 1, "known")),), ())],
    ),
    "PAUSED": ([((box(status="paused", running=False),), ())], [((box(),), ()), ((), ())]),
    "LOOPING": ([((box(looping=True),), ())], [((box(restarts_hour=1),), ()), ((), ())]),
    "OUT_OF_SIGHT": (
        [
            ((finding("watchers", {"target_up": False, "prometheus": "ok"}),), ()),
            ((finding("watchers", {"target_up": None, "prometheus": "down"}),), ()),
        ],
        [((finding("watchers", {"target_up": True, "prometheus": "ok"}),), ()), ((), ())],
    ),
    "STOPPED_BY_HAND": (
        [((changes(STOPPED), box(running=False, status="exited")), ())],
        [((changes(STOPPED), box()), ()), ((changes(), box(running=False, status="exited")), ())],
    ),
    "STATE_UNKNOWN": (
        [((box(by="metrics"),), ()), ((unknown("container"),), ())],
        [
            ((box(by="docker"),), ()),
            ((box(by="metrics"), changes(down_as={})), ()),
            ((bot(),), ()),
        ],
    ),
    "IS_UP": ([((box(),), ()), ((), ())], [((box(running=False),), ())]),
    "REDIS_SERVES": (
        [((redis(),), ())],
        [((redis(role="slave"),), ()), ((redis(reachable=False),), ()), ((), ())],
    ),
    "REDIS_GONE": (
        [
            ((redis(reachable=False), bot(reasons=["bus_outage"], state="soft_pause")), ()),
            ((redis(reachable=False), errors((REDIS_LINE, 8, "new"))), ()),
            ((box("hbot-redis", running=False), redis(reachable=False)), ()),
        ],
        [
            ((redis(), bot(reasons=["bus_outage"], state="soft_pause")), ()),
            ((redis(reachable=False), bot()), ()),
            ((), ()),
        ],
    ),
    "DIFFERS": (
        [((changes(IMAGE),), ()), ((changes({**IMAGE, "what": "config"}),), ())],
        [
            ((changes({**IMAGE, "what": "created", "same": True}),), ()),
            ((changes({**IMAGE, "seconds_before": -60.0}),), ()),
            ((changes({**IMAGE, "container": "hbot-bot3"}),), ()),
            ((), ()),
        ],
    ),
    "TRADES": (
        [((bot(),), ())],
        [((bot(state="soft_pause"),), ()), ((bot(frozen=True),), ()), ((), ())],
    ),
    "OLD_CODE": (
        [((code(controller_stale=True),), ()), ((code(newer_than_bytecode=True),), ())],
        [((code(),), ()), ((), ())],
    ),
    "NEVER": ([], [((bot(), box(), redis()), ()), ((), ())]),
}


def holding(name: str, case: Case) -> bool:
    """Say whether a condition holds for bot1 under this evidence."""
    condition: FitnessCondition = getattr(conditions, name)
    found, alerts = case
    return condition.look(facts(*found, alerts=alerts), "bot1")


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (yes, _) in TABLE.items() for number in range(len(yes))]
)
def test_a_condition_holds_where_it_was_seen(name: str, number: int) -> None:
    """The evidence of the left column."""
    assert holding(name, TABLE[name][0][number])


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (_, no) in TABLE.items() for number in range(len(no))]
)
def test_a_condition_does_not_hold_beside_it(name: str, number: int) -> None:
    """Evidence that is like it and says something else, and no evidence at all."""
    assert not holding(name, TABLE[name][1][number])


def test_the_table_has_every_condition() -> None:
    """One that is added is added here, with both sides."""
    known = {name for name, value in vars(conditions).items() if isinstance(value, FitnessCondition)}
    assert known == set(TABLE)


# What each action must know, and what it must never be offered under.
NEEDS = {
    "restart": {
        "GUARDED",
        "KILLED",
        "PAUSED",
        "LOOPING",
        "NO_ROOM",
        "OUT_OF_SIGHT",
        "STOPPED_BY_HAND",
        "STATE_UNKNOWN",
    },
    "recreate": {
        "GUARDED",
        "KILLED",
        "PAUSED",
        "LOOPING",
        "NO_ROOM",
        "OUT_OF_SIGHT",
        "STOPPED_BY_HAND",
        "STATE_UNKNOWN",
    },
    "clear_cache": {"OLD_CODE", "GUARDED", "KILLED", "PAUSED", "NO_ROOM", "OUT_OF_SIGHT", "STATE_UNKNOWN"},
    "disable_internal_paper": {"PAUSED", "NO_ROOM", "STATE_UNKNOWN"},
    "rollback": {"DIFFERS", "KILLED", "PAUSED", "NO_ROOM", "OUT_OF_SIGHT"},
    "degraded_mode": {"REDIS_GONE", "NO_ROOM"},
    "soft_pause": {"REDIS_SERVES", "TRADES"},
    "kill_switch": {"NEVER"},
    "resume": {"NEVER"},
    "start_desk": {"NEVER"},
    "stop_desk": {"NEVER"},
    "start_monitoring": {"NEVER"},
    "exit_degraded_mode": {"NEVER"},
}


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_each_action_has_the_conditions_that_its_harm_asks_for(kind: str) -> None:
    """A condition that is lost from an action's file is noticed."""
    fitness = CATALOGUE[kind].fitness
    whys = {each.why for each in (*fitness.requires, *fitness.against)}
    assert {getattr(conditions, name).why for name in NEEDS[kind]} <= whys


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_each_condition_of_each_action_decides(kind: str) -> None:
    """Under its evidence the action has that objection; under what is next to it, it has not."""
    by_why = {getattr(conditions, name).why: name for name in TABLE}
    fitness = CATALOGUE[kind].fitness
    for condition in (*fitness.requires, *fitness.against):
        name = by_why.get(condition.why)
        if name is None:
            continue
        speaks, silent = TABLE[name] if condition in fitness.against else reversed(TABLE[name])
        for found, alerts in speaks:
            assert condition.why in set(fitness.objections(facts(*found, alerts=alerts), "bot1")), name
        for found, alerts in silent:
            assert condition.why not in set(fitness.objections(facts(*found, alerts=alerts), "bot1")), name


@pytest.mark.parametrize(
    "reason",
    ["drawdown_hard_limit", "daily_loss_hard_limit", "daily_turnover_hard_limit", "external_kill_switch"],
)
def test_a_rollback_is_not_for_a_bot_that_was_stopped_on_purpose(reason: str) -> None:
    """It would start it again."""
    fitness = CATALOGUE["rollback"].fitness
    assert any(
        "on purpose" in why or "start it again" in why
        for why in fitness.contraindications(facts(bot(state="hard_stop", reasons=[reason])), "bot1")
    )
    assert not list(
        fitness.contraindications(facts(bot(state="hard_stop", reasons=["connector_not_ready"])), "bot1")
    )


def test_causes_that_forbid_an_action_exist() -> None:
    """A cause that was renamed forbids nothing."""
    for action in CATALOGUE.values():
        assert set(action.fitness.not_while) <= set(NAMES), action.kind


def test_no_evidence_at_all_allows_no_action_that_needs_some() -> None:
    """What must be known is not known: the objection is there."""
    nothing = facts()
    for kind in ("rollback", "clear_cache", "degraded_mode", "soft_pause"):
        assert list(CATALOGUE[kind].fitness.objections(nothing, "bot1")), kind


def test_what_happened_long_ago_is_no_change_before_the_trouble() -> None:
    """Three hours before it is another day's work."""
    old = changes({**IMAGE, "seconds_before": timedelta(hours=3).total_seconds()})
    assert not holding("DIFFERS", ((old,), ()))
    assert facts().now == NOW
