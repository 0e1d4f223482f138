"""How a bot takes execution intents: validate, drop repeats, refuse what is late or unsafe, apply and say so."""

import time
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from demo.desk import bot_tick
from demo.desk.bot_model import Bot, Process
from demo.desk.events import DEAD_LETTER, Published
from demo.desk.intent import Intent

if TYPE_CHECKING:
    from demo.desk.world_state import WorldState

REMEMBERED = 300.0


def take(world: "WorldState", bot: Bot, process: Process, entry_id: str, payload: str) -> None:
    """Let a bot's consumer handle one entry."""
    try:
        intent = Intent.model_validate_json(payload)
    except ValidationError:
        _dead(world, {"reason": "schema_validation", "entry_id": entry_id, "payload": payload})
        return
    now = world.clock.now()
    for event_id, seen_at in list(process.seen_intents.items()):
        if now - seen_at > REMEMBERED:
            del process.seen_intents[event_id]
    if intent.event_id in process.seen_intents:
        return
    process.seen_intents[intent.event_id] = now
    if expired(intent, now):
        _dead(world, {"reason": "expired_intent", "entry_id": entry_id, "event_id": intent.event_id})
        return
    refused = _apply(world, bot, process, intent)
    if refused is None:
        _tell(world, bot, intent, ("info", "intent_applied"), f"Intent applied: {intent.action}")
        return
    reason = f"local_authority_reject:{refused}"
    _tell(world, bot, intent, ("warning", "intent_rejected"), f"Intent rejected: {intent.action}: {reason}")
    _dead(world, {"reason": reason, "entry_id": entry_id, "event_id": intent.event_id})


def expired(intent: Intent, now: float) -> bool:
    """Whether an intent is too late. A sender on the machine's time is judged by it where the desk's runs ahead."""
    return intent.expires_at_ms is not None and intent.expires_at_ms < min(now, time.time()) * 1000


def _apply(world: "WorldState", bot: Bot, process: Process, intent: Intent) -> str | None:
    """Do what it asks. Returns why not, when the bot's own authority refuses."""
    match intent.action:
        case "soft_pause":
            process.paused_by_intent = True
        case "resume":
            return bot_tick.resume(world, bot, process)
        case "kill_switch":
            process.killed = True
            bot.kill_switches += 1
            _tell(world, bot, intent, ("error", "kill_switch"), "Kill switch applied: all orders cancelled")
        case "set_target_base_pct":
            target, limits = intent.target_base_pct, process.limits
            if target is None:
                return "target_base_pct_missing"
            if not limits.min_base_pct <= target <= limits.max_base_pct:
                return "target_base_pct_out_of_band"
            process.target_base_pct = target
    return None


def _tell(world: "WorldState", bot: Bot, intent: Intent, said: tuple[str, str], message: str) -> None:
    """Publish an audit event; ``said`` is its severity and category."""
    severity, category = said
    metadata = {"action": intent.action, "event_id": intent.event_id, **intent.metadata}
    world.publish(
        world.envelopes.audit(
            bot.name,
            severity,
            category,
            message,
            at=world.clock.now(),
            metadata=metadata,
            cause=intent.event_id,
        )
    )


def _dead(world: "WorldState", letter: dict[str, Any]) -> None:
    world.publish(Published(DEAD_LETTER, letter, world.clock.now()))
