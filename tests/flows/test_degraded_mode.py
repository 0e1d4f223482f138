"""Degraded mode on real containers while the bots stay paused: no recovery, and no way out before Redis is well."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from demo.slack import Message
from demo.slack.blockkit import walk
from tests.flows.doing import PLAN, confirm, left, messages, modal
from tests.flows.harness import SOFT_PAUSE, Harness, running_harness, shown
from tests.servers.desk import Desk

Require = Callable[..., Path]
BOTS = ("bot1", "bot2")
WAY_OUT = "Exit degraded mode…"


@pytest.fixture
async def harness(require: Require, desk: Desk, tmp_path: Path) -> AsyncIterator[Harness]:
    """Run the harness beside a whole desk that is well; a verification takes a second."""
    await desk.up()
    settings: dict[str, Any] = {
        "bots": [{"name": bot} for bot in BOTS],
        "paths": {
            "compose": str(desk.compose_folder),
            "env": str(desk.env_file),
            "data": str(desk.data),
            "backups": str(desk.backups),
        },
        "compose": {"command": desk.compose_command},
        "triage": {"verify_after_seconds": 1, "health_watch_seconds": 12, "deadline_seconds": 2},
    }
    environment = {"DOCKER_HOST": desk.engine.host, "REDIS_URL": desk.redis_url}
    async with running_harness(
        require, tmp_path / "harness", bots=BOTS, rules=(SOFT_PAUSE,), desk=settings, environment=environment
    ) as harness:
        yield harness


@pytest.mark.timeout(300)
async def test_paused_bots_are_no_recovery_and_the_incident_stays_open_until_it_is_left(
    harness: Harness, desk: Desk
) -> None:
    """Bots that stand after it are told; the way out is the first button once Redis answers; its end resolves."""
    for bot in BOTS:
        harness.exporter.set(bot, state="soft_pause", risk_reasons="bus_outage", age=0.0)
    await desk.engine.docker("stop", "-t", "1", "hbot-redis")
    card = await harness.card(
        lambda one: "hbot-redis" in one.text and "action.degraded_mode" in _buttons(one), what="the remedy"
    )
    await harness.slack.member("ana").click(card, "action.degraded_mode")
    await modal(harness, "ana", PLAN)
    await confirm(harness, "ana", "Redis is down")

    await harness.until(
        lambda: any("Verified" in shown(one) for one in _done(harness)), "verified", seconds=90
    )
    said = shown(_done(harness)[-1])
    assert "recovered" not in said
    assert "did what it should, trading is not back" in said
    assert "bot1, bot2 still paused: bus outage, come back when Redis and the external services" in said
    assert "hbot-redis is down" not in said, "it stopped it itself"
    await harness.until(lambda: "Degraded mode is on since" in shown(_now(harness, card)), "the banner")
    await harness.until(lambda: WAY_OUT in _menu(_now(harness, card)), "the way out in the menu")
    for one in harness.cards():
        assert "action.exit_degraded_mode" not in _buttons(one)
        assert "Nothing to do" not in shown(one)
    held = shown(_now(harness, card))  # the bots' own alerts are another incident, which ends with them
    assert not any(word in held for word in ("mitigated", "Resolved")), held

    await desk.engine.docker("start", "hbot-redis")
    await harness.until(
        lambda: _buttons(_now(harness, card))[:1] == ["action.exit_degraded_mode"], "the way out"
    )
    after = _now(harness, card)
    assert f"Do: {WAY_OUT}" in shown(after)
    assert WAY_OUT not in _menu(after)
    await harness.until(
        lambda: "Degraded mode still on · was Sev-1" in shown(_now(harness, card)), "not resolved"
    )
    assert not any("✅" in line for line in harness.thread(card))
    await harness.until(lambda: "0 of 2 bots" in shown(_now(harness, card)), "what trades")

    await harness.slack.member("ana").click(after, "action.exit_degraded_mode")
    await modal(harness, "ana", PLAN)
    await confirm(harness, "ana", "Redis is well again")
    for bot in BOTS:
        harness.exporter.set(bot, state="running", risk_reasons="", age=0.0)
    await left(harness, desk, "Succeeded", "Verified: recovered")
    await harness.until(lambda: "✅ Resolved" in shown(_now(harness, card)), "resolved once it is left")
    over = shown(_now(harness, card))
    assert "Degraded mode is on" not in over
    assert "Exit degraded mode by @ana: succeeded, recovered" in over
    assert "its alerts are over and degraded mode was left" in "".join(harness.thread(card))


def _done(harness: Harness) -> list[Message]:
    return [one for one in messages(harness, "Degraded mode") if "by @ana" in shown(one)]


def _now(harness: Harness, card: Message) -> Message:
    return next(one for one in harness.cards() if one.ts == card.ts)


def _buttons(card: Message) -> list[str]:
    return [str(one.get("action_id")) for _, _, one in walk(card.blocks) if one.get("type") == "button"]


def _options(card: Message) -> list[dict[str, Any]]:
    return [option for _, _, one in walk(card.blocks) for option in one.get("options", ())]


def _menu(card: Message) -> list[str]:
    return [option["text"]["text"] for option in _options(card)]
