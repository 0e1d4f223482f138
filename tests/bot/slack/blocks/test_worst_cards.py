"""Cards of large desks and odd names: the first screen keeps its order, its length and its figures."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.slack.blocks.card import incident_card
from tests.bot.slack.blocks.samples import NOW, OPENED, incident, names, view
from tests.bot.slack.blocks.test_blocks import assert_harmless, phone_lines
from triage.model import Subject, SubjectKind
from triage.signals.trading import BotTrading, Trading

NAMES: dict[str, Callable[[int], str]] = {
    "plain": lambda number: f"bot{number}",
    "long": lambda number: f"hummingbot-market-maker-binance-perpetual-eu-west-{number}",
    "not ASCII": lambda number: f"做市机器人-торговец-{number}",
    "markup": lambda number: f"<bot>&*{number}*_x_~y~`z`|@here:fire:",
}
REASONS = (("order_book_stale",), ("drawdown_hard_limit",), ("bus_outage", "edge_gate_blocked"))


@pytest.mark.parametrize("count", [1, 2, 3, 12, 40])
@pytest.mark.parametrize("kind", NAMES)
def test_a_card_of_many_bots_is_short_and_says_trading_and_what_to_do(kind: str, count: int) -> None:
    """Fewer bots are named; how many trade, the day and the time it was true stay, and nothing is cut."""
    bots = [
        BotTrading(
            NAMES[kind](number),
            state=("hard_stop", "soft_pause", "running")[number % 3],
            since=OPENED,
            reasons=REASONS[number % 3],
            seen_at=NOW - timedelta(seconds=30),
            orders=2.0,
            today=-0.012,
            base=0.3,
            pair="BTC-USDT",
        )
        for number in range(count)
    ]
    title = f"{bots[0].bot} hard_stop: drawdown limit" if count == 1 else "Several bots stopped"
    made = view(
        incident(title=title, subjects=tuple(Subject(SubjectKind.BOT, one.bot) for one in bots)),
        trading=Trading(NOW, tuple(bots)),
        daily_loss={one.bot: 0.015 for one in bots},
    )
    card = incident_card(made, NOW, names)
    assert_harmless(card)
    assert phone_lines(card) <= 14
    [words] = [block["elements"][0]["elements"] for block in card.blocks if block["type"] == "rich_text"]
    told = [leaf["text"] for leaf in words]
    trading = told[told.index("Trading: ") + 1]
    assert f"{count // 3} of {count} bot" in trading
    assert "today −1.2 % (limit −1.5 %)" in trading  # noqa: RUF001 - a minus
    assert trading.endswith("as of 03:15 UTC")
    assert "…" not in trading
    places = [
        card.text.find(words) for words in ("Sev-1", "Trading: ", "as of 03:15 UTC", "Do: Rollback on bot1…")
    ]
    assert -1 not in places
    assert places == sorted(places)
