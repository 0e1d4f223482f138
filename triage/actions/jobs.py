"""What the clock starts for actions: the degraded-mode reminder, known-good snapshots, expiry."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from loguru import logger

from triage.actions import proposals
from triage.actions.catalogue import action_title
from triage.actions.context import ActionServices
from triage.actions.degraded import degraded, redis_came_back
from triage.actions.snapshots import BAD, GOOD, facts_of_snapshots, keep_facts
from triage.clock_jumps import jumps, moved
from triage.concurrency import all_or_each, each
from triage.env_check import IMAGE_KEY
from triage.errors import DeskFailure, Refused, SourceError
from triage.incidents.documents import owe_answer
from triage.incidents.notifications import IN_CHANNEL, tell_line
from triage.memory.people import name_of
from triage.model import ActionProposal, TimelineEntry, TimelineKind
from triage.plans.plan import DESK
from triage.plans.record import ActionRecord, ActionStatus
from triage.ports.actions import Snapshot
from triage.ports.chat import AnswerButton, saying
from triage.ports.store import Tx
from triage.queries import promql
from triage.wording import clock_time, duration

REMIND_MINUTES = 30
REMIND_SECOND = timedelta(minutes=5)
"""A second person who has not come by then has probably not seen it."""
PROVEN = timedelta(hours=24)
"""A snapshot is known good when the bot was healthy for this long after it was taken."""
HEALTHY_SHARE = 0.9
"""Of the samples of those hours, at least this share must have been taken, and none in hard_stop."""
_SAMPLES = 24 * 60


async def remind_degraded(services: ActionServices) -> bool:
    """Say that degraded mode is on, once every 30 minutes, with the way out. True when it was said."""
    now = services.clock.now()

    def work(tx: Tx) -> bool:
        state = degraded(tx)
        if state is None:
            return False
        since = moved(state.since, jumps(tx), action=state.action_id)
        turn = int((now - since).total_seconds() // (REMIND_MINUTES * 60))
        if turn < 1 or not tx.notes.once("degraded_reminder", f"{state.action_id}/{turn}", now):
            return False
        record = tx.actions.get(state.action_id)
        exit_offer = ActionProposal("exit_degraded_mode", DESK, "the way out, once Redis is well again")
        offer = proposals.propose(
            tx,
            services.desk,
            exit_offer,
            by="schedule",
            now=now,
            parent_id=record.id if record else None,
            incident_id=record.incident_id if record else None,
        )
        for_how_long = duration((now - since).total_seconds())
        text = (
            f"Degraded mode is on for {for_how_long}: no external signals, local safeguards active. "
            f"{'Redis is well again: leave it now.' if redis_came_back(tx) else 'Leave it once Redis is well.'}"
        )
        button = AnswerButton("Exit degraded mode…", "action.exit_degraded_mode", offer.handle)
        answer = replace(saying(text), buttons=(button,))
        owe_answer(tx, "degraded_reminder", answer, now)
        return True

    return await services.store.write(work)


async def remind_waiting(services: ActionServices) -> bool:
    """Say once, in the channel, that an action still waits for its second person. True when something was said."""
    now = services.clock.now()

    def waiting(tx: Tx) -> list[ActionRecord]:
        return [one for one in tx.actions.with_status(ActionStatus.PROPOSED) if one.awaits_second]

    async def remind(these: Collection[int]) -> bool:
        def work(tx: Tx) -> list[bool]:
            return [_remind(tx, record, now) for record in waiting(tx) if record.id in these]

        return any(await services.store.write(work))

    ids = await services.store.read(lambda tx: [one.id for one in waiting(tx)])
    return any(await all_or_each(ids, remind)) if ids else False


def _remind(tx: Tx, record: ActionRecord, now: datetime) -> bool:
    since = record.confirmations[-1].at
    if now - since < REMIND_SECOND:
        return False
    if not tx.notes.once("second_person", f"{record.id}/{len(record.confirmations)}", now):
        return False
    by = name_of(tx, record.confirmations[-1].actor)
    waits = f"still waits for a second person: {by} confirmed {duration((now - since).total_seconds())} ago"
    text = (
        f"{action_title(record.kind, record.target)} {waits}, open until {clock_time(record.expires_at)} UTC"
    )
    if record.incident_id is None:  # its own message is in the channel
        button = AnswerButton("Confirm as second…", f"action.{record.kind}", record.handle)
        owe_answer(tx, "second_person", replace(saying(text), buttons=(button,)), now)
        return True
    entry = TimelineEntry(
        incident_id=record.incident_id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.ACTION,
        text=text,
        source="action",
        key=f"action/{record.id}/reminder",
        data={IN_CHANNEL: True},
    )
    tell_line(tx, entry, now)
    return True


async def expire_proposals(services: ActionServices) -> int:
    """Let proposals expire whose time, or whose incident, is over."""
    now = services.clock.now()

    async def expire(these: Collection[int]) -> int:
        return await services.store.write(lambda tx: proposals.expire_due(tx, now, these))

    ids = await services.store.read(proposals.open_ids)
    return sum(await all_or_each(ids, expire)) if ids else 0


async def take_snapshots(services: ActionServices) -> dict[str, str]:
    """Take a snapshot of every bot, judge older ones, keep the newest 30. Returns what happened, by bot."""
    names = [bot.name for bot in services.desk.bots]
    return dict(zip(names, await each(names, partial(_snapshot, services)), strict=True))


async def _snapshot(services: ActionServices, bot: str) -> str:
    try:
        kept = await services.access.agent.keep_snapshot(bot)
        image = (await services.access.env.read()).get(IMAGE_KEY, "")
        facts = {"image": image, "sha256": kept.sha256}
        await services.store.write(lambda tx: keep_facts(tx, kept.name, facts))
    except (DeskFailure, Refused) as error:
        logger.bind(bot=bot, error=str(error)).warning("no snapshot taken")
        return f"not taken: {error}"
    return f"{kept.name} taken, {len(kept.removed)} old ones removed"


async def judge_snapshots(services: ActionServices) -> int:
    """Judge the snapshots that are old enough by what the bot did after them; returns how many were judged."""
    known = await services.store.read(facts_of_snapshots)
    found = await each(services.desk.bots, lambda bot: _judge_due(services, bot.name, known))
    return sum(found)


async def _judge_due(services: ActionServices, bot: str, known: Mapping[str, Mapping[str, str]]) -> int:
    now = services.clock.now()
    due = [
        snapshot
        for snapshot in await _listed(services, bot)
        if snapshot.taken_at + PROVEN <= now
        and "known_good" not in known.get(snapshot.name, {})
        and "_pre_rollback_" not in snapshot.name
    ]
    return sum(await each(due, partial(_judge, services)))


async def _judge(services: ActionServices, snapshot: Snapshot) -> bool:
    verdict = await _healthy_after(services, snapshot)
    if verdict is None:
        return False
    facts = {"known_good": GOOD if verdict else BAD}
    await services.store.write(partial(keep_facts, name=snapshot.name, facts=facts))
    return True


async def _listed(services: ActionServices, bot: str) -> Sequence[Snapshot]:
    """Return a bot's snapshots. Where nobody can say which there are, none is judged now; the next hour looks again."""
    try:
        return await services.access.snapshots.list(bot)
    except (DeskFailure, Refused, SourceError) as error:
        logger.bind(bot=bot, error=str(error)).warning("no snapshot judged")
        return ()


async def _healthy_after(services: ActionServices, snapshot: Snapshot) -> bool | None:
    """Whether the bot was up and never in hard_stop for 24 h after a snapshot; None where nobody knows."""
    at = snapshot.taken_at + PROVEN
    window = f"[{int(PROVEN.total_seconds())}s:1m]"
    state = promql.selector("hbot_bot_state", any_of=(snapshot.bot,))
    stopped = promql.selector("hbot_bot_state", any_of=(snapshot.bot,), state="hard_stop")
    try:
        samples = await services.sources.metrics.query(
            f"count_over_time((max by (bot) ({state})){window})", at=at
        )
        stops = await services.sources.metrics.query(
            f"max_over_time((max by (bot) ({stopped})){window})", at=at
        )
    except SourceError as error:
        logger.bind(snapshot=snapshot.name, error=str(error)).info("snapshot not judged")
        return None
    if not samples.samples:
        return None  # no record of that time: neither good nor bad
    enough = samples.samples[0].value >= HEALTHY_SHARE * _SAMPLES
    never_stopped = bool(stops.samples) and all(sample.value == 0 for sample in stops.samples)
    return enough and never_stopped
