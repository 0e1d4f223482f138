"""The main job: a metric flips, a real rule fires, one thread tells what is wrong; it flips back, the thread closes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from demo.slack import Message
from tests.flows.harness import FROZEN, HARD_STOP, Harness, running_harness, shown
from tests.servers.desk import Desk

Require = Callable[..., Path]


@pytest.fixture
async def harness(require: Require, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness."""
    async with running_harness(require, tmp_path) as running:
        yield running


def error_line(text: str, level: str = "ERROR") -> str:
    """Return a line as the bots log it."""
    return f"2026-02-20 16:33:00,312 - 12345 - hummingbot.connector.exchange.bitget - {level} - {text}"


def titled(title: str, card: Message) -> bool:
    """Say whether a card is of that title."""
    return title in card.text


async def test_a_hard_stop_becomes_a_triaged_thread_that_closes_when_it_is_over(
    require: Require, tmp_path: Path, desk: Desk
) -> None:
    """The story of the product, on real Prometheus, Alertmanager and Docker, with every check answered."""
    await desk.up("bot1", "bot2", profiles=("multi",))
    desk_settings = {"bots": [{"name": "bot1"}, {"name": "bot2"}]}
    environment = {"DOCKER_HOST": desk.engine.host}
    async with running_harness(
        require, tmp_path, bots=("bot1", "bot2"), desk=desk_settings, environment=environment
    ) as harness:
        for number in range(12):
            harness.loki.add(
                {"job": "bot_logs", "bot": "bot1"}, error_line(f"Order book stream disconnected: E{number}")
            )
        await harness.prometheus.until('hbot_bot_state{bot="bot1",state="running"} == 1')
        harness.exporter.set("bot1", state="hard_stop", risk_reasons="drawdown_hard_limit", orders=0)

        card = await harness.card(
            lambda card: "drawdown" in shown(card).lower(), what="a card that names the drawdown"
        )
        assert len(harness.cards()) == 1
        assert card.text.startswith("🔴 Sev-1 · bot1 in hard stop")
        await harness.until(
            lambda: any("Triage" in line for line in harness.thread(card)), "the triage summary"
        )
        [triage] = [line for line in harness.thread(card) if line.startswith("Triage")]
        assert "Bot state" in triage
        assert "stopped" in triage
        summary = next(one for one in harness.slack.thread(card) if one.text.startswith("Triage"))
        vik = harness.slack.member("vik")  # who may only read, may read all of it
        assert (await vik.click(summary, "incident.report")).acked
        report = str((await vik.sees_modal("triage_report", 15)).body)
        for check in (
            "Bot state",
            "Fee source",
            "Error logs",
            "Container",
            "Host",
            "Scope",
            "Watchers",
            "Streams",
        ):
            assert check in report
        assert "Order book stream disconnected" in report
        assert "not configured" in report, "Redis, whose address nobody gave"

        harness.exporter.set("bot1", state="running", risk_reasons="")
        await harness.until(lambda: harness.cards()[0].text.startswith("✅"), "the card to say resolved")
        await harness.until(
            lambda: any("resolved" in line.lower() for line in harness.thread(card)), "the line"
        )
        assert len(harness.cards()) == 1
        assert "BotHardStopActive" in shown(harness.cards()[0]), "the firing facts are kept"


async def test_the_card_follows_the_states_of_the_bots_while_it_is_open(harness: Harness) -> None:
    """Whether the desk trades is on it, and changes with the bots: no alert comes for that."""
    harness.exporter.set("bot1", state="hard_stop", risk_reasons="drawdown_hard_limit")
    await harness.card(lambda card: "Trading: 2 of 3 bots · bot1 stopped (drawdown limit)" in card.text)
    harness.exporter.set("bot3", state="soft_pause", risk_reasons="bus_outage")
    await harness.prometheus.until('hbot_bot_state{bot="bot3",state="soft_pause"} == 1')
    await harness.until(
        lambda: "Trading: 1 of 3 bots" in harness.cards()[0].text,
        "the card to follow within seconds",
        seconds=12,
    )
    card = next(one for one in harness.cards() if "hard stop" in one.text)
    assert "bot3 paused (bus outage)" in shown(card)
    harness.exporter.set("bot3", state="running", risk_reasons="")
    await harness.until(
        lambda: any("Trading: 2 of 3 bots" in one.text for one in harness.cards()), "and back", seconds=20
    )
    edits = [
        call.at for call in harness.slack.calls.of("chat.update", ok=True) if call.args.get("ts") == card.ts
    ]
    apart = [later - earlier for earlier, later in pairwise(sorted(edits))]
    assert min(apart) > 2, "at most one edit in 3 s, as far as what arrives late lets us see"


async def test_two_bots_frozen_together_are_one_thread_that_names_both(harness: Harness) -> None:
    """One cause, one message: Alertmanager groups by alert name, and so do we."""
    for bot in ("bot1", "bot2"):
        harness.exporter.set(bot, age=900.0)
    card = await harness.card(
        lambda card: "bot1" in shown(card) and "bot2" in shown(card), what="a card with both"
    )
    assert len(harness.cards()) == 1
    assert "Several bots" in card.text


async def test_what_fired_and_resolved_while_we_were_away_is_not_missed(harness: Harness) -> None:
    """Down at the wrong moment: what fires is found at start; what ended meanwhile is closed at start."""
    harness.exporter.set("bot1", state="hard_stop")
    await harness.card(lambda card: "bot1 in hard stop" in card.text)
    harness.bot.kill()
    harness.exporter.set("bot1", state="running")
    harness.exporter.set("bot2", age=900.0)
    await harness.prometheus.until('ALERTS{alertname="BotFrozen",alertstate="firing"}')
    await harness.prometheus.until('absent(ALERTS{alertname="BotHardStopActive"})')
    await harness.bot.start()
    await harness.card(lambda card: "bot2 frozen" in card.text, what="the card of what fired meanwhile")
    await harness.until(
        lambda: harness.cards()[0].text.startswith("✅"), "the card of what ended meanwhile to close"
    )
    assert len(harness.cards()) == 2


async def test_absence_is_not_taken_for_resolved(harness: Harness) -> None:
    """Alertmanager restarts and has forgotten; the rule still fires: the incident stays open."""
    harness.exporter.set("bot1", state="hard_stop")
    card = await harness.card(lambda card: "bot1 in hard stop" in card.text)
    for _ in range(5):
        begun = time.monotonic()
        harness.alertmanager.process.kill()
        await harness.alertmanager.start()
        ready = await harness.bot.get("/readyz")
        assert ready.status_code == 200
        await harness.prometheus.until('ALERTS{alertname="BotHardStopActive",alertstate="firing"}')
        if await _was_seen_throughout(harness, time.monotonic() - begun):
            break
        # On a busy machine Prometheus itself takes the alert for over, where a scrape took it too long.
        await harness.until(lambda: not harness.cards()[0].text.startswith("✅"), "the card to fire again")
    assert not harness.cards()[0].text.startswith("✅")
    assert card.ts == harness.cards()[0].ts
    assert len(harness.cards()) == 1


async def _was_seen_throughout(harness: Harness, seconds: float) -> bool:
    """Whether Prometheus read the exporter without a break: else it let go of the alert, and said so."""
    return not await harness.prometheus.query(f"min_over_time(up[{max(1, round(seconds))}s]) == 0")


async def test_a_kill_between_webhook_and_post_loses_nothing_and_doubles_nothing(harness: Harness) -> None:
    """Killed again and again while alerts come in: each incident has exactly one message."""
    changes: dict[str, dict[str, object]] = {
        "bot1": {"state": "hard_stop"},
        "bot2": {"age": 900.0},
        "bot3": {"state": "soft_pause"},
    }
    for bot, change in changes.items():
        harness.exporter.set(bot, **change)
        await asyncio.sleep(0.3)  # somewhere between the scrape, the webhook and the post
        harness.bot.kill()
        await harness.bot.start()
    for title in ("bot1 in hard stop", "bot2 frozen", "bot3 paused for too long"):
        await harness.card(partial(titled, title), what=title)
    await harness.until(
        lambda: all(len(harness.thread(card)) >= 1 for card in harness.cards()), "each thread's triage"
    )
    assert len(harness.cards()) == 3
    assert max(harness.slack.deliveries().values()) == 1


async def test_shutdown_ends_within_ten_seconds_and_loses_nothing(harness: Harness) -> None:
    """SIGTERM right after a webhook: what was accepted is told, now or by the next start."""
    harness.exporter.set("bot1", state="hard_stop")
    await harness.card()
    await harness.bot.stop()
    assert not harness.bot.process.running
    assert "stopped" in harness.bot.log()
    await harness.bot.start()
    assert len(harness.cards()) == 1


@pytest.mark.parametrize("rule", [HARD_STOP, FROZEN], ids=lambda rule: rule["alert"])
def test_the_rules_of_these_flows_are_the_desks_own(rule: dict[str, str]) -> None:
    """The flows fire what deploy/ ships, only without the waiting."""
    shipped = (Path(__file__).parents[2] / "deploy/prometheus/desk-rules.yml").read_text()
    assert rule["alert"] in shipped
    assert rule["expr"].split("(hbot")[1].split("{")[0].split(")")[0] in shipped
