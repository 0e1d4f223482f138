"""Whether what an incident is about works again, and whether the bots that should trade do: asked after an action.

An action that did what it should is not yet a recovery: degraded mode stops what is broken, and the bots may
stand as before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from triage.actions.base import Action
from triage.actions.catalogue import CATALOGUE
from triage.actions.inspection import bot_row_name
from triage.actions.verification import NOT_SEEN
from triage.concurrency import all_of
from triage.desk import Desk
from triage.diagnosis.desk_state import filled_from_files, look_at_bots, with_beginnings
from triage.errors import SourceError
from triage.model import Incident, SubjectKind
from triage.plans.plan import DESK
from triage.plans.record import ActionRecord
from triage.plans.verification import Verification, VerificationOutcome
from triage.ports.minutes import Minutes
from triage.ports.sources import Sources
from triage.signals.guard_reasons import comes_back, in_words, state_in_words
from triage.signals.trading import BotTrading, Trading
from triage.wording import listed

ANSWER_SECONDS = 5.0
CONTAINERS = 5
"""So many of an incident's containers are looked at."""
NAMED = 3
_NOT_KNOWN_TO_STAND = ("trades", "state unknown", NOT_SEEN)


@dataclass(frozen=True, slots=True)
class StateAfter:
    """The state after an action: ``trading`` of the bots that should trade, ``down`` what does not work.

    ``monitors``: the bots that only monitor, which no trade is expected of.
    """

    trading: Trading
    down: tuple[str, ...] = ()
    monitors: tuple[BotTrading, ...] = ()


async def look_at_state(
    sources: Sources,
    desk: Desk,
    record: ActionRecord,
    incident: Incident | None,
    now: datetime,
    *,
    minutes: Minutes | None = None,
) -> StateAfter:
    """Ask for the state of the bots that should trade and of the containers that the incident is about.

    A snapshot from before the action's end says nothing of how a bot stands after it. ``minutes``: the bots' own
    files, for what Prometheus does not know; a minute from before the action's end is none either.
    """
    own = CATALOGUE[record.kind].stopped(desk)
    trading, down = await asyncio.gather(_trading(sources, desk, now), _down(sources, incident, own))
    bots = trading.bots or tuple(BotTrading(bot.name, monitors=bot.monitors) for bot in desk.bots)
    trading = replace(trading, bots=tuple(_not_from_before(one, record.finished_at) for one in bots))
    if minutes is not None:
        stale = desk.triage.snapshot_stale_seconds
        trading = await filled_from_files(trading, minutes, stale, record.finished_at)
    wanted = should_trade(desk, record, incident)
    monitors = tuple(one for one in trading.bots if _monitors(desk, one.bot))
    trading = replace(trading, bots=tuple(one for one in trading.bots if one.bot in wanted))
    return StateAfter(trading, down, monitors)


def should_trade(desk: Desk, record: ActionRecord, incident: Incident | None) -> frozenset[str]:
    """Return the bots that should trade: those that action or incident name, all where they name none.

    What is done to the whole desk is about all of them. A bot of variant d only monitors: it never trades.
    """
    named = {record.target, *(incident.bots if incident is not None else ())}
    trading = {bot.name for bot in desk.bots if not _monitors(desk, bot.name)}
    if record.target == DESK:
        return frozenset(trading)
    if desk.bot(record.target) is not None and not (incident is not None and incident.bots):
        return frozenset(trading & named)
    return frozenset(trading & named) or frozenset(trading)


def _monitors(desk: Desk, name: str) -> bool:
    bot = desk.bot(name)
    return bot is not None and bot.monitors


def _not_from_before(one: BotTrading, ended: datetime | None) -> BotTrading:
    """Return the bot without a state that it had before the action ended; a silent one stays silent."""
    old = ended is not None and one.seen_at is not None and one.seen_at < ended
    return BotTrading(one.bot, pair=one.pair, monitors=one.monitors) if old and not one.silent else one


async def _trading(sources: Sources, desk: Desk, now: datetime) -> Trading:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            seen = await look_at_bots(sources.metrics, desk, now)
            return await with_beginnings(sources.metrics, seen, None)
    except SourceError as error:
        return Trading(now, why=str(error))
    except TimeoutError:
        return Trading(now, why="Prometheus does not answer in time")


async def _down(sources: Sources, incident: Incident | None, own: Sequence[str]) -> tuple[str, ...]:
    """Return what of an incident's containers does not work; ``own``: what the action itself left stopped."""
    names = incident.names(SubjectKind.CONTAINER) if incident is not None else ()
    states = await all_of(
        _state(sources, name) for name in [one for one in names if one not in own][:CONTAINERS]
    )
    return tuple(state for state in states if state)


async def _state(sources: Sources, name: str) -> str:
    """Return why a container does not work, empty where it does or where that is not known."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            state = await sources.containers.inspect(name)
    except (SourceError, TimeoutError):
        return ""
    if state is None:
        return f"{name} is not there"
    if not state.running:
        return f"{name} is down"
    return f"{name} is unhealthy" if state.health == "unhealthy" else ""


def weighed(verification: Verification, standing: StateAfter, action: Action) -> Verification:
    """Return the verification with what it means for trading; only a good one can become a recovery. Pure."""
    out = [one for one in standing.trading.bots if not one.trades]
    stand = [one for one in out if one.known or one.silent]
    known = not standing.trading.why and len(stand) == len(out)
    back = None if not (known or stand) or not standing.trading.bots else not out
    verification = replace(verification, trades=back)
    if verification.outcome is not VerificationOutcome.RECOVERED:
        return verification
    if action.stops_trading:
        words = f"{_names(out) or 'trading'} {'stand' if len(out) > 1 else 'stands'}, as asked"
        why = f"{words}; it comes back only when a person asks for it"
        why = "; ".join(filter(None, [why, verification.why]))
        return replace(verification, outcome=VerificationOutcome.EFFECTIVE, why=why, trades=False)
    down = [*standing.down, *filter(None, [action.leaves])]
    if stand:
        why = "; ".join(filter(None, [_still(stand), "" if known else _unseen(standing), *down]))
        return replace(verification, outcome=VerificationOutcome.EFFECTIVE, why=why)
    if down:
        trading = _trade(verification, standing) if back else _unknown(standing)
        why = "; ".join(filter(None, [trading, *down]))
        return replace(verification, outcome=VerificationOutcome.EFFECTIVE, why=why)
    if not known and standing.trading.bots:
        return replace(verification, outcome=VerificationOutcome.INCONCLUSIVE, why=f"{_unknown(standing)}")
    return replace(verification, why=verification.why or _trade(verification, standing))


def _still(out: Sequence[BotTrading]) -> str:
    """Return ``bot1, bot3 still paused: bus outage; they come back when …``, those of one kind together."""
    groups: dict[tuple[str, tuple[str, ...]], list[BotTrading]] = {}
    for one in out:
        word = "silent" if one.silent else state_in_words(one.state)
        groups.setdefault((word, one.reasons), []).append(one)
    return "; ".join(_group(word, bots) for (word, _), bots in groups.items())


def _group(word: str, bots: Sequence[BotTrading]) -> str:
    first, several = bots[0], len(bots) > 1
    why = in_words(first.reasons)
    back = "" if first.silent else comes_back(first.state, first.reasons, several=several)
    reason = f": {why}" if why else ""
    comes = f", {'come' if several else 'comes'} back {back}" if back else ""
    return f"{_names(bots)} still {word}{reason}{comes}"


def _names(bots: Sequence[BotTrading]) -> str:
    return listed([one.bot for one in bots], NAMED)


def _trade(verification: Verification, standing: StateAfter) -> str:
    """Return ``bot1 trades again; bot3 trades; bot2 runs again``: again only what was seen not to trade before it.

    Of a bot that only monitors it is said where it stood and runs again.
    """
    stood = {row.name for row in verification.rows if not row.before.startswith(_NOT_KNOWN_TO_STAND)}
    bots = standing.trading.bots
    back = [one for one in bots if bot_row_name(one.bot) in stood]
    rest = [one for one in bots if one not in back]
    watching = [one for one in standing.monitors if one.trades and bot_row_name(one.bot) in stood]
    groups = (
        (back, "trades again", "trade again"),
        (rest, "trades", "trade"),
        (watching, "runs again", "run again"),
    )
    said = [f"{_names(group)} {many if len(group) > 1 else one}" for group, one, many in groups if group]
    return "; ".join(said)


def _unknown(standing: StateAfter) -> str:
    if not standing.trading.bots:  # no bot should trade
        return ""
    return f"whether the bots trade is not known: {standing.trading.why or _unseen(standing)}"


def _unseen(standing: StateAfter) -> str:
    unseen = [one for one in standing.trading.bots if not one.known and not one.silent]
    return f"no state of {_names(unseen)} since the action ended"
