"""The line that says whether the desk trades: counts, reasons, times, and what is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.bot.slack.blocks.samples import NOW, OPENED, TRADING
from triage.signals.guard_reasons import comes_back
from triage.signals.trading import BotTrading, Trading, trading_line

LIMITS = {"bot1": 0.015, "bot2": 0.015}
PAUSED = BotTrading(
    bot="bot1",
    state="soft_pause",
    since=OPENED,
    reasons=("bus_outage",),
    seen_at=NOW - timedelta(seconds=30),
    orders=2.0,
)


def line(*bots: BotTrading, about: tuple[str, ...] = ()) -> str:
    """Return the line of these bots."""
    return trading_line(Trading(NOW, bots), about, LIMITS, NOW)


def test_all_bots_out_for_one_reason_are_said_in_three_words() -> None:
    """Nobody reads forty names; the reason that all give is the one that counts."""
    more = [replace(PAUSED, bot=f"bot{n}", reasons=("bus_outage", "edge_gate_blocked")) for n in range(2, 41)]
    said = line(PAUSED, *more)
    assert said.startswith("0 of 40 bots · all paused (bus outage) since 03:12 · 80 open orders")
    assert said.endswith("as of 03:15 UTC")


def test_a_bot_whose_snapshot_is_old_does_not_trade_and_is_named_silent() -> None:
    """A frozen bot keeps its last state on show; that is no state."""
    old = BotTrading("bot2", "running", seen_at=NOW - timedelta(minutes=9), silent=True, orders=3.0)
    said = line(BotTrading("bot1", "running", seen_at=NOW, orders=4.0), old)
    assert said.startswith("1 of 2 bots · bot2 silent since 03:07 · 4 open orders")
    figures = replace(old, today=-0.02, pnl=-20.0, base=0.5)
    assert line(figures) == "not known · bot2 silent since 03:07", "its figures are as old as its state"


def test_where_only_those_run_that_never_trade_it_is_said() -> None:
    """Nobody takes a bot that only monitors for one that trades, at three in the morning."""
    stopped = replace(PAUSED, state="hard_stop", reasons=("drawdown_hard_limit",))
    watcher = BotTrading("bot2", "running", seen_at=NOW, monitors=True)
    said = line(stopped, watcher)
    assert said.startswith("1 of 2 bots, which only monitors · bot1 stopped (drawdown limit)")
    both = line(stopped, watcher, replace(watcher, bot="bot3"))
    assert both.startswith("2 of 3 bots, which only monitor · bot1 stopped")
    assert line(stopped, watcher, BotTrading("bot3", "running", seen_at=NOW)).startswith("2 of 3 bots · ")
    assert line(stopped, replace(watcher, state="soft_pause")).startswith("0 of 2 bots · ")


def test_since_is_when_it_was_true_of_all_of_them() -> None:
    """bot2 stands for longer than bot1: both of them stand only since bot1 does."""
    longer = replace(PAUSED, bot="bot2", since=OPENED - timedelta(hours=2))
    running = BotTrading("bot3", "running", seen_at=NOW)
    assert "bot1, bot2 paused (bus outage) since 03:12" in line(PAUSED, longer, running)


@pytest.mark.parametrize(
    ("trading", "words"),
    [
        (None, "not known yet, asking"),
        (Trading(NOW, why="Prometheus: not configured"), "not known: Prometheus: not configured"),
        (replace(TRADING, looked_at=NOW - timedelta(hours=1)), "not known since 02:16 UTC"),
        (Trading(NOW, (BotTrading("bot1"), BotTrading("bot2"))), "not known: no bot shows a state"),
    ],
)
def test_what_is_not_known_is_said(trading: Trading | None, words: str) -> None:
    """No look, no source, an old look, no series: never a number."""
    assert trading_line(trading, (), LIMITS, NOW).startswith(words)


def test_figures_are_of_the_bots_that_the_incident_is_about() -> None:
    """One bot: its result against its own limit; several: the worst of them by name."""
    two = (replace(PAUSED, today=-0.011), BotTrading("bot2", "running", today=0.002, seen_at=NOW))
    assert "today bot1 −1.1 % (limit −1.5 %)" in line(*two)  # noqa: RUF001 - a minus
    idle = (replace(PAUSED, today=0.004), BotTrading("bot2", "running", today=0.0, seen_at=NOW))
    assert "today bot1 +0.4 %" in line(*idle), "who never trades is not named"
    hardly = (replace(PAUSED, today=0.004), BotTrading("bot2", "running", today=0.0002, seen_at=NOW))
    assert "today bot1 +0.4 %" in line(*hardly), "nor who shows as 0.0 %"
    assert "today +0.2 % (limit −1.5 %)" in line(*two, about=("bot2",))  # noqa: RUF001 - a minus


def test_figures_that_move_all_the_time_ask_for_no_edit() -> None:
    """Orders and results change every minute; states and reasons are what a card follows at once."""
    assert replace(TRADING, looked_at=NOW + timedelta(minutes=1)).key == TRADING.key
    moved = replace(TRADING.bots[1], orders=9.0, today=-0.01)
    assert replace(TRADING, bots=(TRADING.bots[0], moved, TRADING.bots[2])).key == TRADING.key
    paused = replace(TRADING.bots[1], state="soft_pause")
    assert replace(TRADING, bots=(TRADING.bots[0], paused, TRADING.bots[2])).key != TRADING.key


@pytest.mark.parametrize(
    ("state", "reasons", "words"),
    [
        ("soft_pause", ("edge_gate_blocked",), "by itself, with the market"),
        ("soft_pause", ("bus_outage",), "when Redis and the external services work again"),
        ("hard_stop", ("drawdown_hard_limit",), "when a person has reviewed it and starts it again"),
        ("hard_stop", (), "when a person has reviewed it and starts it again"),
        ("soft_pause", ("a_new_reason",), ""),
    ],
)
def test_what_brings_a_bot_back_depends_on_its_reason(
    state: str, reasons: tuple[str, ...], words: str
) -> None:
    """A reason that nobody wrote down promises nothing."""
    assert comes_back(state, reasons) == words
