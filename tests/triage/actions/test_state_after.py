"""An action that did what it should is a recovery only when the desk trades again and what was broken works."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.fakes.sources import FakeSources, sample
from triage.action_kinds import STOP_TRADING
from triage.actions.catalogue import CATALOGUE
from triage.actions.completion import mitigates
from triage.actions.state_after import StateAfter, look_at_state, should_trade, weighed
from triage.desk import Desk
from triage.errors import SourceUnreachable
from triage.model import Incident, IncidentStatus, Severity, Subject, SubjectKind
from triage.plans.record import ActionRecord, ActionStatus
from triage.plans.verification import Compared, Verification, VerificationOutcome
from triage.plans.verification_words import verified_words
from triage.ports.sources import ContainerState
from triage.signals.trading import BotTrading, Trading

NOW = datetime(2026, 2, 20, 3, 16, tzinfo=UTC)
GOOD = Verification(VerificationOutcome.RECOVERED, NOW, ())
RUNS = BotTrading("bot1", "running", seen_at=NOW)
BUS = BotTrading("bot1", "soft_pause", reasons=("bus_outage",), seen_at=NOW)
EDGE = BotTrading("bot3", "soft_pause", reasons=("edge_gate_blocked",), seen_at=NOW)


def record(kind: str, target: str) -> ActionRecord:
    """Return an ended action."""
    return ActionRecord(
        kind=kind,
        target=target,
        why="why",
        proposed_by="verdict",
        proposed_at=NOW,
        expires_at=NOW,
        changed_at=NOW,
    )


def incident(*subjects: Subject) -> Incident:
    """Return an open incident about these."""
    return Incident(
        id=1,
        title="t",
        name="n",
        subjects=subjects,
        severity=Severity.SEV1,
        status=IncidentStatus.TRIGGERED,
        opened_at=NOW,
        changed_at=NOW,
    )


def after(kind: str, *bots: BotTrading, down: tuple[str, ...] = (), why: str = "") -> Verification:
    """Return what a good verification of an action becomes, with the bots in these states."""
    return weighed(GOOD, StateAfter(Trading(NOW, bots, why), down), CATALOGUE[kind])


def test_paused_bots_are_no_recovery_and_mitigate_nothing() -> None:
    """Degraded mode did all its steps: all bots stand as before, and the reader is told why and until when."""
    found = after("degraded_mode", BUS, replace(BUS, bot="bot3"))
    assert found.outcome is VerificationOutcome.EFFECTIVE
    assert found.why == (
        "bot1, bot3 still paused: bus outage, come back when Redis and the external services work again; "
        "the external services stay stopped until degraded mode is left"
    )
    assert not mitigates(found)


def test_trading_that_is_back_mitigates_though_the_external_services_are_stopped() -> None:
    """That is what degraded mode is for: not yet recovered, and no harm any more."""
    found = after("degraded_mode", RUNS, down=("hbot-bot1 is unhealthy",))
    assert (found.outcome, found.why) == (
        VerificationOutcome.EFFECTIVE,
        "bot1 trades; hbot-bot1 is unhealthy; the external services stay stopped until degraded mode is left",
    )
    assert mitigates(found)


def test_recovered_says_who_trades_and_again_only_of_what_stood() -> None:
    """A bot that traded all the time, or of which nothing was known, does not trade again."""
    found = after("clear_cache", RUNS)
    assert (found.outcome, found.why) == (VerificationOutcome.RECOVERED, "bot1 trades")
    assert mitigates(found)
    rows = tuple(
        Compared(f"Bot {bot}", before, "trades", good=True)
        for bot, before in (
            ("bot1", "paused (bus outage)"),
            ("bot3", "trades"),
            ("bot4", "state unknown: refused"),
        )
    )
    bots = (RUNS, replace(RUNS, bot="bot3"), replace(RUNS, bot="bot4"))
    found = weighed(replace(GOOD, rows=rows), StateAfter(Trading(NOW, bots)), CATALOGUE["restart"])
    assert found.why == "bot1 trades again; bot3, bot4 trade"


def test_a_bot_that_only_monitors_is_told_where_it_stood_and_runs_again() -> None:
    """Nobody who saw it paused on the card is left to guess; no trade is said of it."""
    rows = tuple(
        Compared(f"Bot {bot}", "paused (bus outage)", "trades", good=True) for bot in ("bot1", "bot2")
    )
    standing = StateAfter(Trading(NOW, (RUNS,)), monitors=(replace(RUNS, bot="bot2"),))
    found = weighed(replace(GOOD, rows=rows), standing, CATALOGUE["exit_degraded_mode"])
    assert found.why == "bot1 trades again; bot2 runs again"
    paused = StateAfter(Trading(NOW, (RUNS,)), monitors=(replace(BUS, bot="bot2"),))
    assert (
        weighed(replace(GOOD, rows=rows), paused, CATALOGUE["exit_degraded_mode"]).why == "bot1 trades again"
    )


def test_a_bot_that_stands_is_told_though_another_one_is_not_known() -> None:
    """What is known is not held back; of the other it is said that it is not."""
    found = after("restart", BUS, BotTrading("bot3"))
    assert (found.outcome, found.trades) == (VerificationOutcome.EFFECTIVE, False)
    assert found.why == (
        "bot1 still paused: bus outage, comes back when Redis and the external services work again; "
        "no state of bot3 since the action ended"
    )


def test_each_reason_has_its_own_way_back() -> None:
    """The market brings one of them back, somebody must bring the other."""
    stopped = BotTrading("bot1", "hard_stop", reasons=("drawdown_hard_limit",), seen_at=NOW)
    why = after("recreate", stopped, EDGE).why
    assert "bot1 still stopped: drawdown limit, comes back when a person has reviewed it" in why
    assert "bot3 still paused: edge gate, comes back by itself, with the market" in why


def test_what_is_asked_to_stand_stands_and_is_no_recovery() -> None:
    """A pause on purpose did what it should; a trader must not read: trading again."""
    found = after("soft_pause", replace(BUS, reasons=("external_intent",)))
    assert found.outcome is VerificationOutcome.EFFECTIVE
    assert found.why == "bot1 stands, as asked; it comes back only when a person asks for it"
    ended = replace(record("soft_pause", "bot1"), status=ActionStatus.SUCCEEDED, verification=found)
    assert verified_words(ended) == "did what it should, trading stands as asked"
    assert {kind for kind, action in CATALOGUE.items() if action.stops_trading} == STOP_TRADING
    assert not mitigates(found)


def test_a_state_that_is_not_known_is_no_recovery() -> None:
    """Neither a source that is away nor a bot without series."""
    assert after("restart", why="Prometheus: refused").outcome is VerificationOutcome.RECOVERED, (
        "no bot should trade"
    )
    found = after("restart", BotTrading("bot1"))
    assert (found.outcome, found.trades) == (VerificationOutcome.INCONCLUSIVE, None)
    assert found.why == "whether the bots trade is not known: no state of bot1 since the action ended"


def test_what_did_not_help_stays_so() -> None:
    """Trading bots do not make a failed remedy good."""
    bad = Verification(VerificationOutcome.PERSISTING, NOW, (), "bytecode: stale")
    found = weighed(bad, StateAfter(Trading(NOW, (RUNS,))), CATALOGUE["clear_cache"])
    assert (found.outcome, found.why, found.trades) == (
        VerificationOutcome.PERSISTING,
        "bytecode: stale",
        True,
    )


@pytest.mark.parametrize(
    ("target", "about", "bots"),
    [
        ("bot1", (Subject(SubjectKind.BOT, "bot1"),), {"bot1"}),
        ("desk", (Subject(SubjectKind.CONTAINER, "hbot-redis"),), {"bot1", "bot3"}),
        ("desk", (Subject(SubjectKind.BOT, "bot3"),), {"bot1", "bot3"}),
        ("redis", (Subject(SubjectKind.BOT, "bot3"),), {"bot3"}),
        ("bot2", (), set()),
        ("bot1", (), {"bot1"}),
    ],
)
def test_the_bots_that_should_trade(target: str, about: tuple[Subject, ...], bots: set[str]) -> None:
    """Those that are named; all where none is; never the one that only monitors."""
    wanted = should_trade(Desk(), record("restart", target), incident(*about) if about else None)
    assert wanted == bots


async def test_the_desk_is_looked_at_and_a_silent_source_is_said() -> None:
    """The containers of the incident, the bots' states; a source that is away is not taken for good."""
    fakes = FakeSources()
    fakes.metrics.answers = {
        "__name__": [sample(1.0, "hbot_bot_state", bot="bot1", state="soft_pause")],
        "time()": [sample(20, bot="bot1")],
    }
    about = incident(Subject(SubjectKind.CONTAINER, "hbot-redis"))
    fakes.containers.hold(_container(status="exited"))
    standing = await look_at_state(fakes.port, Desk(), record("exit_degraded_mode", "desk"), about, NOW)
    assert standing.down == ("hbot-redis is down",)
    own = await look_at_state(fakes.port, Desk(), record("degraded_mode", "desk"), about, NOW)
    assert own.down == (), "what it stopped itself is not called down"
    assert [(one.bot, one.state) for one in standing.trading.bots] == [("bot1", "soft_pause"), ("bot3", "")]
    fakes.metrics.error = SourceUnreachable("Prometheus", "refused")
    away = await look_at_state(fakes.port, Desk(), record("degraded_mode", "desk"), about, NOW)
    assert away.trading.why == "Prometheus: refused"
    assert [(one.bot, one.known) for one in away.trading.bots] == [("bot1", False), ("bot3", False)]
    blind = weighed(GOOD, replace(away, down=()), CATALOGUE["start_monitoring"])
    assert (blind.outcome, blind.why) == (
        VerificationOutcome.INCONCLUSIVE,
        "whether the bots trade is not known: Prometheus: refused",
    )
    down = weighed(GOOD, away, CATALOGUE["degraded_mode"])
    assert (down.outcome, down.trades) == (VerificationOutcome.EFFECTIVE, None)
    assert down.why == (
        "whether the bots trade is not known: Prometheus: refused; "
        "the external services stay stopped until degraded mode is left"
    )
    assert not mitigates(down)


def _container(**changes: object) -> ContainerState:
    state = ContainerState(
        name="hbot-redis",
        id="0a1b2c",
        status="running",
        image="redis:7.2",
        image_id="i",
        created_at=NOW,
        started_at=NOW,
        finished_at=None,
        restart_count=0,
        exit_code=0,
        oom_killed=False,
        health="",
    )
    return replace(state, **changes)  # type: ignore[arg-type]
