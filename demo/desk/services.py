"""Redis and the services on it: how they run, fail and recover, and what they publish each minute."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from demo.clock import NEVER
from demo.desk.bot_model import Bot, Row
from demo.desk.container import Container
from demo.desk.events import INTENT_LIFE, ML_SIGNAL, RISK_DECISION, SIGNAL
from demo.desk.logbook import stamp

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

EXTERNAL = ("signal-service", "risk-service", "coordination-service")
REDIS_LOADS, SERVICE_GIVES_UP = 2.0, 15.0
VOLUME_NEEDS_REST = 180.0
DEBUG_BYTES_PER_SECOND = 110_000_000.0
LOG_BYTES_PER_SECOND = 900.0
ML_EVERY = 5
SMALL_EDGE = 0.0003


def step(world: "WorldState", seconds: float) -> None:
    """Let ``seconds`` pass for Redis, the services on it and every container's log."""
    _redis(world)
    for service in EXTERNAL:
        container = world.engine.of_service(service)
        if container is not None and container.running:
            _external(world, container)
    for container in world.engine.containers.values():
        if container.running:
            loud = container.id in world.debug_logging
            container.log_bytes += seconds * (DEBUG_BYTES_PER_SECOND if loud else LOG_BYTES_PER_SECOND)


def _redis(world: "WorldState") -> None:
    now, redis, engine = world.clock.now(), world.redis, world.engine
    container = engine.of_service("redis")
    served = redis.serving
    up = container is not None and container.working and container.uptime(now) >= REDIS_LOADS
    if up and container is not None and redis.volume_broken:
        _say(
            world,
            container,
            "1:M * Can't open or create append-only dir appendonlydir: Read-only file system",
        )
        engine.crash(container, 1)
        up = False
    redis.serving = up
    if container is not None and container.running and container.spec.healthcheck and up:
        engine.set_health(container, "healthy")
    resting = container is None or (container.status in {"exited", "created"} and container.stopped_by_hand)
    redis.idle_since = min(redis.idle_since, now) if resting else NEVER
    if now - redis.idle_since >= VOLUME_NEEDS_REST:
        redis.volume_broken = False
    if (served and not up) or (not up and not resting):
        redis.churned_at = now


def _external(world: "WorldState", container: Container) -> None:
    if world.redis.serving or container.uptime(world.clock.now()) < SERVICE_GIVES_UP:
        return
    known = world.engine.of_service("redis")
    why = "Error 111 connecting to redis:6379. Connection refused."
    if known is None or not known.running:
        why = "Error -2 connecting to redis:6379. Name or service not known."
    _say(world, container, f"CRITICAL {container.spec.name}: redis.exceptions.ConnectionError: {why}")
    world.engine.crash(container, 1)


def _say(world: "WorldState", container: Container, text: str) -> None:
    now = world.clock.now()
    container.output.append((now, f"{stamp(now)} {text}"))


def publish_minute(world: "WorldState", bot: Bot, row: Row) -> None:
    """Publish what a minute of a bot brings: its snapshot, and what the services make of it."""
    if not world.redis.takes_writes:
        return
    make, dice, at = world.envelopes, world.service_dice, row.at
    snapshot = make.snapshot(bot, row)
    world.publish(snapshot)
    if not world.works("signal-service"):
        return
    cause = snapshot.payload["event_id"]
    body = {
        "instance_name": bot.name,
        "signal_name": "inventory_bias",
        "signal_value": round(dice.uniform(-1, 1), 3),
    }
    signal = make.event(SIGNAL, "strategy_signal", "signal-service", body, at=at, cause=cause)
    world.publish(signal)
    minute = int(at // 60)
    if minute % ML_EVERY == 0:
        body = {"instance_name": bot.name, "model": "regime-1", "prediction": row.regime, "confidence": 0.7}
        world.publish(make.event(ML_SIGNAL, "ml_signal", "signal-service", body, at=at, cause=cause))
    if world.works("risk-service"):
        _decide(world, bot, row, str(signal.payload["event_id"]), dice)


def _decide(world: "WorldState", bot: Bot, row: Row, cause: str, dice: random.Random) -> None:
    make, at = world.envelopes, row.at
    refused = row.net_edge_pct < SMALL_EDGE and row.state == "running" and dice.random() < 0.3  # noqa: PLR2004 - a share
    reason = "net_edge_below_minimum" if refused else ""
    body = {"instance_name": bot.name, "approved": not refused, "reason": reason}
    decision = make.event(RISK_DECISION, "risk_decision", "risk-service", body, at=at, cause=cause)
    world.publish(decision)
    cause = str(decision.payload["event_id"])
    if refused:
        text = f"Signal rejected: {reason}"
        world.publish(
            make.audit(bot.name, "info", "risk_decision", text, at=at, cause=cause, producer="risk-service")
        )
    elif (
        bot.trades and int(at // 60) % world.habits.intent_every == 0 and world.works("coordination-service")
    ):
        late = world.habits.intent_flaw == "late"
        intent = make.intent(bot.name, round(dice.uniform(0.46, 0.54), 3), at - INTENT_LIFE * 2 * late, cause)
        if world.habits.intent_flaw == "shape":
            body = {name: value for name, value in intent.payload.items() if name != "controller_id"}
            intent = replace(intent, payload={**body, "controller": "epp_v2_5"})
        world.publish(replace(intent, at=at))
