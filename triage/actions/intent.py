"""What soft_pause, resume and kill_switch share: an execution intent, followed until it is a fact or is not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from triage.actions.base import Action, ActionContext, TargetKind
from triage.actions.inspection import bot_row, redis_serves
from triage.model import Finding, Json
from triage.plans.operations import FollowIntent, PublishIntent
from triage.plans.plan import Plan, Precondition, Step
from triage.plans.verification import Row
from triage.ports.sources import StreamEntry

EXPIRES_SECONDS = 60.0
FOLLOW_SECONDS = EXPIRES_SECONDS + 15
PRODUCER = "hbot-triage"


class IntentAction(Action):
    """Publish an intent for a bot; its state metric says in the end whether it holds."""

    target_kind = TargetKind.BOT
    checks = ("bot_state", "streams")
    aside = frozenset({"bot_state"})  # a kill switch that holds is a hard stop: the row of the bot decides
    intent: ClassVar[Literal["soft_pause", "resume", "kill_switch"]]
    title: ClassVar[str]
    wanted_states: ClassVar[tuple[str, ...]]
    side_effects: ClassVar[tuple[str, ...]]
    wont: ClassVar[tuple[str, ...]]

    async def preconditions(self, ctx: ActionContext) -> tuple[Precondition, ...]:
        """Redis takes intents; without it the bot would never get this one."""
        return (await redis_serves(ctx),)

    async def plan(self, ctx: ActionContext) -> Plan:
        """Publish, then follow."""
        bot = ctx.desk.bot(ctx.target)
        names, event_id = ctx.desk.streams, str(uuid.uuid4())
        publish = PublishIntent(
            stream=names.execution_intent,
            bot=ctx.target,
            controller=bot.controller if bot is not None else "epp_v2_4",
            action=self.intent,
            event_id=event_id,
            expires_seconds=EXPIRES_SECONDS,
        )
        return Plan(
            kind=self.kind,
            target=ctx.target,
            title=f"{self.title} {ctx.target}",
            steps=(
                Step("publish the intent", publish, 10),
                Step(
                    "follow it until the bot answers",
                    FollowIntent(names.audit, names.dead_letter, event_id),
                    FOLLOW_SECONDS,
                    cancelable=False,
                ),
            ),
            side_effects=self.side_effects,
            wont=self.wont,
            checks=self.checks,
        )

    async def rows(self, ctx: ActionContext, findings: Mapping[str, Finding]) -> tuple[Row, ...]:
        """The bot's state metric."""
        return (bot_row(findings, ctx.target, good=self.wanted_states),)


def envelope(op: PublishIntent, now: datetime, *, actor: str, reason: str) -> str:
    """Return the payload of an intent, by the desk's envelope (version 1.0)."""
    milliseconds = int(now.timestamp() * 1000)
    expires = now + timedelta(seconds=op.expires_seconds)
    return json.dumps(
        {
            "schema_version": "1.0",
            "event_type": "execution_intent",
            "event_id": op.event_id,
            "correlation_id": None,
            "producer": PRODUCER,
            "timestamp_ms": milliseconds,
            "instance_name": op.bot,
            "controller_id": op.controller,
            "action": op.action,
            "target_base_pct": None,
            "expires_at_ms": int(expires.timestamp() * 1000),
            "metadata": {"requested_by": actor, "reason": reason[:500]},
        }
    )


def answer_to(
    event_id: str, audit: Iterable[StreamEntry], dead: Iterable[StreamEntry]
) -> tuple[bool, str] | None:
    """Return whether an intent was applied, and in which words; None while nobody has answered."""
    for entry in audit:
        event = _event(entry)
        metadata = event.get("metadata")
        named = metadata if isinstance(metadata, dict) else {}
        if event_id not in {event.get("correlation_id"), named.get("event_id"), named.get("intent_id")}:
            continue
        if event.get("category") == "intent_applied":
            return True, str(event.get("message") or "intent_applied")
        if event.get("category") == "intent_rejected":
            return False, f"rejected: {event.get('message') or 'no reason given'}"
    for entry in dead:
        letter = _event(entry)
        payload = letter.get("payload")
        if letter.get("event_id") == event_id or (isinstance(payload, str) and event_id in payload):
            return False, f"dead letter: {letter.get('reason') or 'no reason given'}"
    return None


def _event(entry: StreamEntry) -> Mapping[str, Json]:
    try:
        event = json.loads(entry.fields.get("payload", ""))
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
