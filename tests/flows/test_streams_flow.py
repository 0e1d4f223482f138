"""What the desk says by itself, through the running service to Slack: real Redis, real Docker, the service as a process."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.flows.harness import Harness, running_harness, shown
from tests.handlers.listening import AUDIT, audit_event
from tests.servers.desk import Desk
from tests.servers.redis import RedisServer

Require = Callable[..., Path]


async def publish(server: RedisServer, **event: object) -> None:
    """Publish one audit event."""
    category = str(event.pop("category", "intent_applied"))
    async with server.client() as client:
        await client.xadd(AUDIT, {"payload": json.dumps(audit_event(category, **event))})


async def test_a_kill_switch_on_the_audit_stream_is_a_triaged_thread(
    require: Require, tmp_path: Path, redis_server: RedisServer
) -> None:
    """Nobody wrote a rule for it; the thread tells what happened before, in order."""
    async with running_harness(require, tmp_path, environment={"REDIS_URL": redis_server.url}) as harness:
        await publish(redis_server, category="risk_decision", message="Signal rejected: drawdown_near_limit")
        await publish(
            redis_server, category="kill_switch", severity="error", message="Kill switch: drawdown 2.6 %"
        )
        card = await harness.card(lambda card: "kill switch" in card.text, what="the card of the kill switch")
        assert card.text.startswith("🔴 Sev-1 · bot1")
        await harness.until(
            lambda: any(
                "kill switch pulled · 1 error · risk decision" in line for line in harness.thread(card)
            ),
            "the audit trail in the triage",
        )
        page = (await harness.bot.get("/metrics")).text
        assert f'triage_stream_events_total{{outcome="stored",stream="{AUDIT}"}} 2.0' in page
        assert "triage_heartbeat_timestamp_seconds" in page


async def test_redis_down_is_told_with_degraded_mode_within_ten_seconds_and_resolves(
    require: Require, tmp_path: Path, redis_server: RedisServer
) -> None:
    """Detection, post, triage and proposal take less than ten seconds; Redis comes back, the thread closes."""
    async with running_harness(require, tmp_path, environment={"REDIS_URL": redis_server.url}) as harness:
        for bot in ("bot1", "bot2", "bot3"):  # what shows that it is Redis, and not only our way to it
            harness.exporter.set(bot, risk_reasons="bus_outage")
        await harness.prometheus.until(
            'count(count by (bot) (hbot_bot_risk_reasons_info{reasons="bus_outage"})) == 3'
        )
        redis_server.kill()
        died = time.monotonic()
        card = await harness.card(
            lambda card: "redis down" in card.text, what="the card of Redis", seconds=10
        )
        assert card.text.startswith("🔴 Sev-1")
        await harness.until(
            lambda: any("egraded" in shown(card) for card in harness.cards()), "the proposal", seconds=10
        )
        assert time.monotonic() - died < 10
        await publish_again(redis_server)
        await harness.until(lambda: harness.cards()[0].text.startswith("✅"), "the end of it", seconds=20)
        assert len(harness.cards()) == 1, "our own unread stream is no incident beside it"


async def publish_again(server: RedisServer) -> None:
    """Bring Redis back, with an info event that opens nothing."""
    await server.start()
    await publish(server)


async def test_error_death_and_alert_are_one_incident(
    require: Require, tmp_path: Path, desk: Desk, redis_server: RedisServer
) -> None:
    """The audit error, the container's crash loop and the alert that follows share a thread, in true order."""
    await desk.up("bot1", "bot2", profiles=("multi",))
    environment = {"REDIS_URL": redis_server.url, "DOCKER_HOST": desk.engine.host}
    async with running_harness(require, tmp_path, environment=environment) as harness:
        await publish(
            redis_server, category="order_failed", severity="error", message="Order refused: no margin"
        )
        card = await harness.card(what="the card of the error")
        desk.trouble("bot1", "crash")
        await harness.until(lambda: told(harness, "ContainerDied"), "the death", seconds=30)
        await harness.until(
            lambda: told(harness, "ContainerRestartLoop"), "the loop at its third turn", seconds=30
        )
        await harness.prometheus.until('hbot_bot_state{bot="bot1",state="running"} == 1')
        harness.exporter.set("bot1", state="hard_stop", risk_reasons="drawdown_hard_limit", orders=0)
        await harness.until(lambda: told(harness, "BotHardStopActive"), "the alert", seconds=30)
        assert len(harness.cards()) == 1
        lines = [line for line in harness.thread(card) if " joined" in line]
        order = [name for line in lines for name in ("Died", "RestartLoop", "HardStop") if name in line]
        assert list(dict.fromkeys(order)) == ["Died", "RestartLoop", "HardStop"]


def told(harness: Harness, name: str) -> bool:
    """Say whether a thread tells that something joined."""
    return any(f"{name} on bot1 joined" in line for card in harness.cards() for line in harness.thread(card))


async def test_the_service_works_on_without_its_redis_and_its_engine(
    require: Require, tmp_path: Path
) -> None:
    """Addresses where nothing answers: ready all the same, and it says what it cannot receive."""
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1/0", "DOCKER_HOST": "tcp://127.0.0.1:1"}
    async with running_harness(require, tmp_path, environment=nowhere) as harness:
        await harness.card(lambda card: "redis down" in card.text, what="the card of Redis", seconds=15)
        answer = await harness.bot.get("/readyz")
        assert answer.status_code == 200
        dependencies = answer.json()["dependencies"]
        assert not dependencies[AUDIT]["ok"]
        assert not dependencies["containers"]["ok"]
