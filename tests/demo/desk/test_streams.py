import asyncio
import json
import shutil
import socket
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from demo.clock import SimClock
from demo.desk.desk import DeskOptions, SimulatedDesk
from demo.desk.redis_server import Kind, server
from demo.ports import HOST, free_port
from tests.demo.desk.operators import START, Operator

ENVELOPE = {"schema_version", "event_type", "event_id", "correlation_id", "producer", "timestamp_ms"}


async def _audit(operator: Operator, event_id: str) -> list[dict[str, object]]:
    return [one for one in await operator.newest("hb.audit.v1") if one["correlation_id"] == event_id]


async def test_every_stream_carries_the_envelope_in_one_field(operator: Operator) -> None:
    """Market data, signals, decisions and audit events have the desk's envelope and unique ids."""
    await operator.desk.step(180)
    for stream in (
        "hb.market_data.v1",
        "hb.signal.v1",
        "hb.ml_signal.v1",
        "hb.risk_decision.v1",
        "hb.audit.v1",
    ):
        events = await operator.newest(stream)
        assert events, stream
        assert all(set(one) >= ENVELOPE for one in events)
        assert len({one["event_id"] for one in events}) == len(events)
    newest = (await operator.newest("hb.market_data.v1", 1))[0]
    assert operator.world.clock.now() - float(str(newest["timestamp_ms"])) / 1000 < 90


async def test_entry_ids_carry_the_desks_time(operator: Operator) -> None:
    """A reader that takes a range of ids finds what the desk did in that time."""
    await operator.desk.step(120)
    async with Redis.from_url(operator.desk.redis_url, decode_responses=True) as redis:
        [[entry_id, _]] = await redis.xrevrange("hb.market_data.v1", count=1) or []
    assert abs(int(str(entry_id).partition("-")[0]) / 1000 - operator.world.clock.now()) < 90


async def test_soft_pause_and_resume_are_applied_and_told(operator: Operator) -> None:
    """An intent becomes an intent_applied audit event with its id as correlation, then the state."""
    paused = await operator.intent("bot1", "soft_pause")
    await operator.desk.step(90)
    assert operator.world.bots["bot1"].state == "soft_pause"
    [told] = await _audit(operator, paused)
    assert (told["category"], told["severity"], told["instance_name"]) == ("intent_applied", "info", "bot1")
    resumed = await operator.intent("bot1", "resume")
    await operator.desk.step(90)
    assert "external_intent" not in operator.world.bots["bot1"].reasons
    assert (await _audit(operator, resumed))[0]["category"] == "intent_applied"


async def test_a_kill_switch_stops_hard_until_a_resume(operator: Operator) -> None:
    """It is on the audit stream as an error, on the metrics as a hard stop, and ends with a resume."""
    killed = await operator.intent("bot1", "kill_switch")
    await operator.desk.step(90)
    bot = operator.world.bots["bot1"]
    assert bot.state == "hard_stop"
    assert "external_kill_switch" in bot.reasons
    assert {"kill_switch", "intent_applied"} <= {one["category"] for one in await _audit(operator, killed)}
    await operator.intent("bot1", "resume")
    await operator.desk.step(60)
    assert bot.state != "hard_stop"


async def test_a_target_moves_the_bots_wish(operator: Operator) -> None:
    """set_target_base_pct inside the band is taken over into the minute rows."""
    await operator.intent("bot1", "set_target_base_pct", target_base_pct=0.4)
    await operator.desk.step(65)
    row = operator.world.bots["bot1"].row
    assert row is not None
    assert row.target_base_pct == 0.4


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"action": "dance"}, "schema_validation"),
        ({"controller_id": "other"}, "schema_validation"),
        ({"expires_at_ms": int(START * 1000) - 1}, "expired_intent"),
        ({"action": "set_target_base_pct"}, "local_authority_reject:target_base_pct_missing"),
        (
            {"action": "set_target_base_pct", "target_base_pct": 0.99},
            "local_authority_reject:target_base_pct_out_of_band",
        ),
    ],
)
async def test_what_cannot_be_applied_is_a_dead_letter(
    operator: Operator, more: dict[str, object], reason: str
) -> None:
    """Each way to fail has its reason on the dead letter stream, and the bot's state does not move."""
    await operator.intent("bot1", **{"action": "soft_pause", **more})  # type: ignore[arg-type]
    await operator.desk.step(10)
    letters = await operator.newest("hb.dead_letter.v1")
    assert letters[0]["reason"] == reason
    assert "entry_id" in letters[0]
    assert "external_intent" not in operator.world.bots["bot1"].reasons


async def test_text_that_is_no_event_is_a_dead_letter(operator: Operator) -> None:
    """Not JSON at all: parked with its text."""
    await operator.add("hb.execution_intent.v1", "}{ not json")
    await operator.desk.step(10)
    assert (await operator.newest("hb.dead_letter.v1"))[0]["payload"] == "}{ not json"


async def test_a_repeated_intent_is_applied_once(operator: Operator) -> None:
    """The same event_id within five minutes is dropped in silence."""
    event_id = await operator.intent("bot1", "kill_switch")
    await operator.intent("bot1", "kill_switch", event_id=event_id)
    await operator.desk.step(30)
    assert operator.world.bots["bot1"].kill_switches == 1


async def test_a_resume_is_refused_while_the_guards_say_no(operator: Operator) -> None:
    """Right after a drawdown stop: intent_rejected, a dead letter, and the bot stays stopped."""
    bot = operator.world.bots["bot1"]
    bot.account.latched["drawdown_hard_limit"] = operator.world.clock.now()
    await operator.desk.step(5)
    event_id = await operator.intent("bot1", "resume")
    await operator.desk.step(10)
    assert [one["category"] for one in await _audit(operator, event_id)] == ["intent_rejected"]
    assert (await operator.newest("hb.dead_letter.v1"))[0][
        "reason"
    ] == "local_authority_reject:drawdown_hard_limit"
    assert bot.state == "hard_stop"


async def test_the_desks_group_has_no_lag(operator: Operator) -> None:
    """The services' shared consumer group reads and acknowledges what is there."""
    await operator.desk.step(120)
    async with Redis.from_url(operator.desk.redis_url, decode_responses=True) as redis:
        for stream in ("hb.execution_intent.v1", "hb.market_data.v1"):
            [group] = await redis.xinfo_groups(stream)
            assert group["name"] == "hb_group_v1"
            assert group["pending"] == 0


async def test_degraded_mode_ends_when_redis_has_rested(operator: Operator) -> None:
    """Left alone for three minutes the volume heals: Redis starts, its streams are there and flow again."""
    before = await operator.newest("hb.audit.v1", 1)
    operator.world.redis.volume_broken = True
    await operator.desk.step(60)
    await operator.compose(
        "--profile", "external", "stop", "signal-service", "risk-service", "coordination-service", "redis"
    )
    await operator.desk.step(200)
    assert (await operator.compose("--profile", "external", "up", "-d"))[0] == 0
    await operator.desk.step(120)
    assert (await operator.docker("exec", "hbot-redis", "redis-cli", "ping"))[1] == "PONG\n"
    assert before[0] in await operator.newest("hb.audit.v1", 2_000)
    newest = (await operator.newest("hb.market_data.v1", 1))[0]
    assert operator.world.clock.now() * 1000 - float(str(newest["timestamp_ms"])) < 90_000
    assert operator.world.bots["bot1"].state != "hard_stop"


@pytest.mark.parametrize("kind", ["real", "fake"])
async def test_a_stopped_server_closes_its_port_and_keeps_its_data(kind: Kind) -> None:
    """Both kinds: connections break, new ones are refused, and after a start on the same port the keys are back."""
    try:
        one = server(kind)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    await one.start()
    try:
        async with Redis(port=one.port, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as redis:
            await redis.xadd("s", {"payload": "{}"})
            await one.stop()
            with pytest.raises((RedisConnectionError, OSError)):
                await redis.ping()
            await one.start()
            assert await redis.xlen("s") == 1
    finally:
        await one.close()


async def test_a_desk_on_fakeredis_takes_intents_too(tmp_path: Path) -> None:
    """The stand-in carries groups and streams well enough for the whole way of an intent."""
    async with SimulatedDesk(
        tmp_path, SimClock(0, START), (), DeskOptions(past_hours=0.2, redis="fake")
    ) as desk:
        operator = Operator(desk, [])
        await desk.step(60)
        event_id = await operator.intent("bot1", "soft_pause")
        await desk.step(30)
        assert desk.world.bots["bot1"].state == "soft_pause"
        assert [one["category"] for one in await _audit(operator, event_id)] == ["intent_applied"]


async def test_a_running_clock_drives_the_desk(tmp_path: Path) -> None:
    """At 120 times the speed half a second is a minute: rows appear by themselves, and speed can change."""
    clock = SimClock(120, START)
    async with SimulatedDesk(tmp_path, clock, (), DeskOptions(past_hours=0.2)) as desk:
        before = desk.world.bots["bot1"].row
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(desk.run())
            while desk.world.clock.now() < START + 130:  # noqa: ASYNC110 - time is all that is waited for
                await asyncio.sleep(0.05)
            clock.speed = 1
            running.cancel()
        after = desk.world.bots["bot1"].row
        assert before is not None
        assert after is not None
        assert after.at - before.at >= 60
        assert clock.now() - desk.world.clock.now() < 60


async def test_an_audit_entry_is_json_in_the_field_payload(operator: Operator) -> None:
    """One field, ``payload``, as the desk's producers write it."""
    await operator.intent("bot1", "soft_pause")
    await operator.desk.step(10)
    async with Redis.from_url(operator.desk.redis_url, decode_responses=True) as redis:
        [[_, fields]] = await redis.xrevrange("hb.audit.v1", count=1) or []
    assert list(fields or {}) == ["payload"]
    metadata = json.loads(str((fields or {})["payload"]))["metadata"]
    assert all(isinstance(value, str) for value in metadata.values())


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="it is about the real server")
async def test_a_redis_whose_port_is_taken_says_so_at_once() -> None:
    """It does not take the silence of whoever has the port for a slow start."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        redis = server("real", other.getsockname()[1])
        try:
            with pytest.raises(OSError, match="taken"):
                await redis.start()
        finally:
            await redis.close()


def test_a_redis_gets_no_port_that_the_system_gives_to_clients() -> None:
    """While it is down a connection of anything on this machine could take it."""
    assert all(1024 < free_port() < 32_768 for _ in range(20))
