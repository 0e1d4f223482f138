"""What the desk's incidents lead to: the cause, the actions that fit, and those that must not be offered."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.sources import NOW, FakeSources
from tests.triage.diagnosis.checks.context import context
from tests.triage.diagnosis.evidence import (
    alert,
    bot,
    bots,
    box,
    change,
    errors,
    fees,
    finding,
    kinds,
    machine,
    redis,
    unknown,
    verdict,
)
from triage.actions.remedies import conclude
from triage.diagnosis.merging import named
from triage.diagnosis.weights import CERTAIN
from triage.drill_alert import ALERTNAME as DRILL
from triage.model import Episode, Finding, Json, Verdict

STOPPED = {"state": "hard_stop"}
DISCONNECTED = "Order book stream disconnected: <*>"
KEYWORD = "TypeError: __init__() got an unexpected keyword argument <text>"
CANCEL = "Failed to cancel order <id>: HTTP status is <n>"

SCENARIOS: dict[str, tuple[str, tuple[Finding, ...], tuple[Episode, ...]]] = {
    "the guard names the drawdown": (
        "drawdown_limit",
        (bot(**STOPPED, reasons=["drawdown_hard_limit"], drawdown=0.026), box(), errors()),
        (alert("BotHardStopActive"), alert("BotDailyPnlDrawdown")),
    ),
    "an older desk shows only the figures": (
        "drawdown_limit",
        (bot(**STOPPED, drawdown=0.031), box()),
        (alert("BotHardStopActive"),),
    ),
    "the guard names the day's loss": (
        "daily_loss_limit",
        (bot(**STOPPED, reasons=["daily_loss_hard_limit"], daily_loss=0.02), box()),
        (alert("BotHardStopActive"),),
    ),
    "the day's turnover": ("turnover_limit", (bot(**STOPPED, reasons=["daily_turnover_hard_limit"]),), ()),
    "somebody pulled the kill switch": (
        "external_kill_switch",
        (bot(**STOPPED, reasons=["external_kill_switch"]),),
        (alert("kill_switch", event=True),),
    ),
    "Redis does not answer": (
        "redis_down",
        (redis(reachable=False), bot(state="soft_pause", reasons=["bus_outage"])),
        (alert("RedisClientDisconnected"),),
    ),
    "Redis is not configured, its container is down": (
        "redis_down",
        (unknown("streams", "not configured"), finding("changes", {"changes": [], "down": ["hbot-redis"]})),
        (alert("RedisClientDisconnected"),),
    ),
    "Redis became a replica": ("redis_unwell", (redis(role="slave"), bot()), (alert("RedisReadOnly"),)),
    "a controller was changed and its bytecode stayed": (
        "stale_bytecode",
        (
            errors((KEYWORD, 40, "new")),
            finding(
                "bytecode",
                {
                    "bots": {
                        "bot1": {
                            "controller_stale": True,
                            "newer_than_process": [],
                            "newer_than_bytecode": ["/c.py"],
                        }
                    }
                },
            ),
            bot(**STOPPED, reasons=["connector_not_ready"]),
        ),
        (alert("BotLogErrorSpike"),),
    ),
    "a new image, and cancels fail ever since": (
        "bad_release",
        (change("image", before=900), errors((CANCEL, 60, "new")), bot(**STOPPED, reasons=[]), box()),
        (alert("BotHardStopActive"),),
    ),
    "the fees come from a fallback": (
        "fee_fallback",
        (fees("resolved", "project:/fees.json", changed=True), bot(), errors()),
        (alert("BotFeeSourceFallback"),),
    ),
    "the fees have no source": (
        "fee_unresolved",
        (fees("unresolved", "manual:0.1"), bot(**STOPPED, reasons=["fee_unresolved"])),
        (alert("BotHardStopActive"),),
    ),
    "the exchange refuses": (
        "exchange_errors",
        (errors((DISCONNECTED, 120, "surging")), bot(), box()),
        (alert("BotLogErrorSpike"), alert("ExchangeOrderFailureSpike")),
    ),
    "out of memory in a loop": (
        "oom_restart_loop",
        (box(oom=True, oom_count=4, looping=True, restarts_hour=4), bot(frozen=True, age_seconds=400)),
        (alert("ContainerRestartLoop"), alert("ContainerOomKilled")),
    ),
    "it crashes in a loop": (
        "crash_restart_loop",
        (box(looping=True, exit_code=1, restarts_hour=6),),
        (alert("ContainerRestartLoop"),),
    ),
    "the bot froze": (
        "frozen_bot",
        (bot(frozen=True, age_seconds=700), box(), finding("error_logs", {"bots": {}})),
        (alert("BotFrozen"),),
    ),
    "the disk is full": (
        "disk_full",
        (
            machine(disk=0.998),
            errors(("cannot write minute.csv: [Errno <n>] No space left on device", 30, "new")),
            bot(frozen=True, age_seconds=400),
        ),
        (alert("DiskAlmostFull"), alert("BotFrozen")),
    ),
    "so much fires at once": (
        "alert_storm",
        (
            finding(
                "scope",
                {
                    "alerts": {f"Alert{n}": ["bot1", "bot2"] for n in range(9)},
                    "others_unwell": ["bot2", "bot3"],
                    "bots": {},
                },
            ),
        ),
        (),
    ),
    "the exporter is not scraped": (
        "metrics_blind",
        (finding("watchers", {"prometheus": "ok", "target_up": False}), unknown("bot_state", "no series")),
        (alert("PrometheusTargetDown"),),
    ),
    "the edge does not pay": (
        "edge_gate",
        (bot(state="soft_pause", reasons=["edge_gate_blocked"], net_edge_15m=-0.0004),),
        (alert("BotSoftPauseTooLong"),),
    ),
    "the market is wild": (
        "high_vol",
        (bot(state="soft_pause", reasons=["high_vol"]),),
        (alert("BotSoftPauseTooLong"),),
    ),
    "too much inventory": (
        "inventory_band",
        (bot(state="soft_pause", reasons=["base_pct_above_max"], base_pct=0.95),),
        (alert("BotSoftPauseTooLong"),),
    ),
    "the connector is not ready": (
        "connector_not_ready",
        (bot(state="soft_pause", reasons=["connector_not_ready"]), errors()),
        (),
    ),
    "cancels fail": (
        "cancel_failures",
        (bot(**STOPPED, reasons=["cancel_fail_hard_limit"]), errors((CANCEL, 9, "new"))),
        (),
    ),
    "the host has nothing left": (
        "host_saturated",
        (machine(cpu=0.99, memory=0.97, pressure_cpu=1.4), bot()),
        (alert("HighCpuUsage"),),
    ),
    "the container is down": (
        "container_down",
        (box(running=False, status="exited", exit_code=1),),
        (alert("ContainerDown"),),
    ),
}


@pytest.mark.parametrize(("cause", "findings", "alerts"), SCENARIOS.values(), ids=SCENARIOS.keys())
def test_the_true_cause_comes_first_and_is_believed(
    cause: str, findings: tuple[Finding, ...], alerts: tuple[Episode, ...]
) -> None:
    """With its evidence in words and its findings by name."""
    found = verdict(*findings, alerts=alerts)
    assert found.top is not None
    assert found.top.cause == cause, [(each.cause, each.confidence) for each in found.causes]
    assert found.top.confidence >= 0.5
    assert found.top.because
    assert found.top.headline
    assert found.top.advice
    known = {each.name for each in findings} | {"streams"}
    assert set(found.top.findings) <= known


def verdict_of(scenario: str, name: str = "SomethingElse") -> Verdict:
    """Diagnose a scenario of the table."""
    _, findings, alerts = SCENARIOS[scenario]
    return verdict(*findings, alerts=alerts, name=name)


@pytest.mark.parametrize(
    ("scenario", "kind", "target"),
    [
        ("Redis does not answer", "degraded_mode", "desk"),
        ("a controller was changed and its bytecode stayed", "clear_cache", "bot1"),
        ("a new image, and cancels fail ever since", "rollback", "bot1"),
        ("the bot froze", "restart", "bot1"),
        ("the container is down", "recreate", "bot1"),
        ("the exchange refuses", "soft_pause", "bot1"),
        ("the exporter is not scraped", "restart", "bot-metrics-exporter"),
    ],
)
def test_the_remedy_of_the_cause_is_proposed_first(scenario: str, kind: str, target: str) -> None:
    """By its kind in the catalogue, for the target it is about."""
    first = verdict_of(scenario).actions[0]
    assert (first.kind, first.target) == (kind, target)
    assert first.why


def test_a_rollback_of_a_new_image_opens_with_the_image() -> None:
    """What was changed is what is taken back: the first choice of a form is the one that is confirmed."""
    image = verdict_of("a new image, and cancels fail ever since").actions[0]
    assert (image.kind, dict(image.arguments)) == ("rollback", {"what": "image"})


def test_a_container_made_anew_as_it_was_is_no_release() -> None:
    """Nobody knows that it differs: then there is nothing to roll back to, and nothing to blame."""
    found = verdict(errors((KEYWORD, 40, "new")), change("created", before=600), bot())
    assert "rollback" not in kinds(found)
    assert found.top is not None
    assert found.top.cause == "code_error"


@pytest.mark.parametrize(
    ("scenario", "harmful"),
    [
        ("the guard names the drawdown", {"restart", "recreate", "resume"}),
        ("the guard names the day's loss", {"restart", "recreate", "resume"}),
        ("somebody pulled the kill switch", {"restart", "recreate", "resume"}),
        ("out of memory in a loop", {"restart", "recreate"}),
        ("the disk is full", {"restart", "recreate", "rollback", "clear_cache"}),
        ("the exporter is not scraped", {"restart", "recreate", "rollback", "kill_switch"}),
        ("a controller was changed and its bytecode stayed", {"restart"}),
    ],
)
@pytest.mark.parametrize("playbook", ["BotFrozen", "ContainerDown", "BotHardStopActive", "OrderBookStale"])
def test_what_would_do_harm_is_not_offered(scenario: str, harmful: set[str], playbook: str) -> None:
    """Not even where the playbook of the alert offers it."""
    offered = verdict_of(scenario, playbook).actions
    assert not {action.kind for action in offered if action.target == "bot1"} & harmful


def test_intents_are_not_offered_while_redis_does_not_answer() -> None:
    """A pause is sent through Redis: a button that cannot work is worse than none, and the verdict says why."""
    assert kinds(verdict_of("the exchange refuses")) == ["soft_pause"]
    _, findings, alerts = SCENARIOS["the exchange refuses"]
    found = verdict(*findings, redis(reachable=False), alerts=alerts)
    assert "soft_pause" not in kinds(found)
    assert (
        "Redis does not answer as a master" in {each.kind: each.why for each in found.withheld}["soft_pause"]
    )


def test_an_action_never_has_a_target_that_the_desk_does_not_know() -> None:
    """A bot's name comes in as a label of an alert."""
    stranger = "bot1; rm -rf /"
    found = verdict(
        bots(**{stranger: {"frozen": True, "age_seconds": 900.0}}), bots=(stranger,), name="BotFrozen"
    )
    assert found.top is not None
    assert found.top.cause == "frozen_bot"
    assert found.actions == ()


def test_unknown_findings_lower_the_confidence_and_are_listed() -> None:
    """The same evidence with a silent container check is worth less."""
    froze = bot(frozen=True, age_seconds=700)
    sure = verdict(froze, box(), alerts=(alert("BotFrozen"),))
    doubtful = verdict(froze, unknown("container"), alerts=(alert("BotFrozen"),))
    assert sure.top is not None
    assert doubtful.top is not None
    assert doubtful.top.confidence < sure.top.confidence
    assert doubtful.unknowns == ("container: no answer within 5 s",)
    assert sure.unknowns == ()


def test_a_quiet_desk_has_no_cause_and_says_so() -> None:
    """Not a guess out of nothing."""
    found = verdict(bot(), box(), errors(), machine())
    assert found.top is not None
    assert found.top.cause == "no_cause_found"
    assert found.top.confidence < 0.5


def test_nothing_known_is_said_as_such() -> None:
    """All checks without an answer: the confidence is next to nothing."""
    found = verdict(unknown("bot_state"), unknown("error_logs"), unknown("container"))
    assert found.top is not None
    assert found.top.cause == "no_cause_found"
    assert found.top.confidence <= 0.15
    assert "no answer from bot state, error logs, container" in found.top.because
    assert found.unknowns == ("bot state, error logs, container: no answer within 5 s",)


def test_of_checks_without_an_answer_none_is_said_to_be_well() -> None:
    """As "0 of 2 checks found nothing wrong" it reads as two that found something."""
    found = verdict(unknown("bot_state"), unknown("streams"))
    assert found.top is not None
    assert list(found.top.because) == ["no answer from bot state, streams"]


def test_redis_that_answers_now_is_not_down() -> None:
    """An alert may be late."""
    found = verdict(redis(), bot(), alerts=(alert("RedisClientDisconnected"),))
    assert found.top is not None
    assert found.top.cause != "redis_down"


def test_a_bot_that_shows_nothing_and_logs_on_is_not_started_anew() -> None:
    """Lines that nobody understands are lines: its process does something, and may be what a restart would lose."""
    said = {"text": "Could not append", "count": 30, "kind": "new", "usual": 0.0, "last_at": NOW.isoformat()}
    lines = finding("error_logs", {"bots": {"bot1": {"count": 30, "usual": 0.0, "templates": [said]}}})
    found = verdict(bot(frozen=True, age_seconds=700), box(), lines, alerts=(alert("BotFrozen"),))
    assert "restart" not in kinds(found)
    quiet = verdict(bot(frozen=True, age_seconds=700), box(), errors(), alerts=(alert("BotFrozen"),))
    assert "restart" in kinds(quiet)


def test_a_frozen_bot_s_old_reasons_do_not_count() -> None:
    """Its metrics are from before it froze."""
    found = verdict(bot(frozen=True, age_seconds=900, reasons=["high_vol"]), box())
    assert "high_vol" not in {each.cause for each in found.causes}


def test_a_fallback_that_is_usual_explains_nothing_else() -> None:
    """On this desk the paper bots always use `project:`."""
    found = verdict(
        fees("resolved", "project:/fees.json"), bot(**STOPPED), alerts=(alert("BotHardStopActive"),)
    )
    assert found.top is not None
    assert found.top.cause == "no_cause_found"


def test_code_that_is_the_code_on_disk_is_not_stale() -> None:
    """The same error without a stale file points elsewhere."""
    fresh = finding(
        "bytecode",
        {"bots": {"bot1": {"controller_stale": False, "newer_than_process": [], "newer_than_bytecode": []}}},
    )
    found = verdict(fresh, errors((KEYWORD, 40, "new")), change("image", before=600), bot())
    assert found.top is not None
    assert found.top.cause == "bad_release"


@pytest.mark.parametrize(("last_error", "offered"), [(-2, True), (3, False)])
def test_nothing_is_rolled_back_where_our_own_action_ended_the_errors(
    last_error: float, *, offered: bool
) -> None:
    """They began with the release. Since the cache was cleared none came: the release is not taken back for them."""
    acted = NOW - timedelta(minutes=3)
    line = {
        "text": KEYWORD, "count": 40, "kind": "new", "usual": 0.0,
        "first_at": (NOW - timedelta(minutes=9)).isoformat(),
        "last_at": (acted - timedelta(minutes=last_error)).isoformat(),
    }  # fmt: skip
    logs = finding("error_logs", {"bots": {"bot1": {"count": 40, "usual": 1.0, "templates": [line]}}})
    box_of = {"container": "hbot-bot1", "image": "bot:2", "ours": True}
    release = {
        **box_of,
        "what": "image",
        "seconds_before": 600.0,
        "at": (NOW - timedelta(minutes=14)).isoformat(),
    }
    cleared = {
        **box_of,
        "what": "created",
        "seconds_before": -60.0,
        "at": acted.isoformat(),
        "by": "Clear cache on bot1",
    }
    changes = finding("changes", {"changes": [release, cleared], "down": []})
    found = verdict(logs, changes, box(), bot(), alerts=(alert("BotLogErrorSpike"),))
    assert ("rollback" in kinds(found)) is offered
    assert found.top is not None
    assert (found.top.cause == "bad_release") is offered


@given(
    st.lists(st.sampled_from([each for _, found, _ in SCENARIOS.values() for each in found]), max_size=8),
    st.lists(st.sampled_from([each for _, _, found in SCENARIOS.values() for each in found]), max_size=5),
)
def test_any_mix_of_findings_gives_a_sound_verdict(findings: list[Finding], alerts: list[Episode]) -> None:
    """Ranked, within bounds, never empty, the same for the same input."""
    ctx = context(FakeSources())
    found = conclude(findings, ctx, alerts)
    assert found == conclude(findings, ctx, alerts)
    assert found.causes
    confidences = [cause.confidence for cause in found.causes]
    ranked = [min(each, CERTAIN) for each in confidences]  # of those that are certain the earlier leads
    assert ranked == sorted(ranked, reverse=True)
    assert all(0 < each <= 0.97 for each in confidences)
    assert len({cause.cause for cause in found.causes}) == len(found.causes)
    assert {action.target for action in found.actions} <= {"desk", "bot1", "bot-metrics-exporter"}


@pytest.mark.parametrize(
    ("sentence", "names", "said"),
    [
        ("{who} runs old code.", ["bot1"], "bot1 runs old code."),
        ("{who} runs old code.", ["bot1", "bot2", "bot3"], "Each of bot1, bot2, bot3 runs old code."),
        ("It was pulled: {who} stops.", ["bot1", "bot2"], "It was pulled: each of bot1, bot2 stops."),
        ("{who}'s cancels fail.", ["bot1", "bot2"], "bot1, bot2's cancels fail."),
        (
            "Somebody paused {who} on purpose.",
            [f"bot{number}" for number in range(1, 41)],
            "Somebody paused bot1, bot2, bot3 and 37 more on purpose.",
        ),
    ],
)
def test_a_cause_of_several_is_one_grammatical_sentence(sentence: str, names: list[str], said: str) -> None:
    """The verb fits their number, and forty names are three and a count."""
    assert named(sentence, names) == said


@pytest.mark.parametrize(
    ("reason", "figures", "cause"),
    [
        ("drawdown_hard_limit", ({"drawdown": 0.031}, {"drawdown": 0.044}), "drawdown_limit"),
        ("daily_loss_hard_limit", ({"daily_loss": 0.019}, {"daily_loss": 0.027}), "daily_loss_limit"),
        ("daily_turnover_hard_limit", ({"turnover": 9.0}, {"turnover": 31.0}), "turnover_limit"),
        ("base_pct_above_max", ({"base_pct": 0.93}, {"base_pct": 0.88}), "inventory_band"),
    ],
)
def test_a_limit_that_several_bots_reached_names_them_all_and_no_ones_figure(
    reason: str, figures: tuple[dict[str, Json], dict[str, Json]], cause: str
) -> None:
    """One bot's figure beside two names would be false; what was measured on each stands in the evidence."""
    names = ("mm-eth", "Grid.3")
    stopped = {
        name: {"state": "hard_stop", "reasons": [reason], **figure}
        for name, figure in zip(names, figures, strict=True)
    }
    told = tuple(alert("BotHardStopActive", name) for name in names)
    found = verdict(bots(**stopped), alerts=told, bots=names).top
    alone = verdict(bots(**{names[0]: stopped[names[0]]}), alerts=told[:1], bots=names[:1]).top
    assert found is not None
    assert alone is not None
    assert (found.cause, alone.cause) == (cause, cause)
    assert re.search(r"\bmm-eth, Grid\.3\b", found.headline)
    assert not re.search(r"\d(?:\.\d+)? ?(?:%|x)", re.sub(r"limit [\d.]+ %", "", found.headline))
    assert re.search(r"\d ?%|\dx", alone.headline)
    assert "{" not in found.headline + alone.headline


def test_a_drill_is_no_riddle() -> None:
    """What its alert is about is known."""
    top = verdict(finding("watchers", {}), alerts=(alert(DRILL),)).top
    assert top is not None
    assert (top.cause, top.headline) == ("nothing_is_wrong", "A drill fired this alert: nothing is wrong.")
