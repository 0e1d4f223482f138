"""Asks whether an action helped, and watches for trading that comes back after its verification ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from loguru import logger

from triage.actions.catalogue import CATALOGUE
from triage.actions.completion import returned
from triage.actions.context import ActionServices
from triage.actions.state_after import StateAfter, look_at_state, weighed
from triage.concurrency import each
from triage.plans.record import ActionRecord
from triage.plans.verification import Verification, VerificationOutcome
from triage.ports.store import Tx

WATCHED = 10
"""So many actions are watched for trading that comes back: the newest ones."""


async def check_outcome(services: ActionServices, record: ActionRecord) -> Verification:
    """Ask the same questions as before the action, and return what they mean for trading."""
    after = await services.observe(record, since=record.finished_at or services.clock.now())
    action = CATALOGUE[record.kind]
    return weighed(action.judge(record.before, after), await _standing(services, record), action)


async def _standing(services: ActionServices, record: ActionRecord) -> StateAfter:
    incident_id = record.incident_id
    incident = None
    if incident_id is not None:
        incident = await services.store.read(lambda tx: tx.incidents.get(incident_id))
    now = services.clock.now()
    return await look_at_state(
        services.sources, services.desk, record, incident, now, minutes=services.minutes
    )


def waits_for_trading(record: ActionRecord, now: datetime, *, seconds: float) -> bool:
    """Say whether trading was not back when verification ended, not on purpose, and less than ``seconds`` ago. Pure."""
    verification = record.verification
    if verification is None or record.verify_at is not None or record.finished_at is None:
        return False
    if verification.outcome is VerificationOutcome.RECOVERED or verification.trades is True:
        return False
    end = record.verify_until or record.finished_at
    return not CATALOGUE[record.kind].stops_trading and now < end + timedelta(seconds=seconds)


def _waiting(tx: Tx, now: datetime, seconds: float) -> list[ActionRecord]:
    """Return the actions that are watched; of those on one target the last one, which is what it is said of."""
    newest: dict[str, ActionRecord] = {}
    for record in tx.actions.recent():
        if record.status.ran:
            newest.setdefault(record.target, record)
    return [one for one in newest.values() if waits_for_trading(one, now, seconds=seconds)][:WATCHED]


async def watch_for_trading(services: ActionServices) -> bool:
    """Look whether trading came back since; said once, on the action and on its incident. True when it was said."""
    seconds = services.desk.triage.return_watch_seconds
    now = services.clock.now()
    waiting = await services.store.read(lambda tx: _waiting(tx, now, seconds))
    return any(await each(waiting, lambda record: _look_again(services, record, seconds)))


async def _look_again(services: ActionServices, record: ActionRecord, seconds: float) -> bool:
    standing = await _standing(services, record)
    if not standing.trading.bots or not all(one.trades for one in standing.trading.bots):
        return False
    verification = await check_outcome(services, record)
    return verification.trades is True and await _say(services, record, verification, seconds)


async def _say(
    services: ActionServices, record: ActionRecord, verification: Verification, seconds: float
) -> bool:
    now = services.clock.now()

    def work(tx: Tx) -> bool:
        newest = tx.actions.get(record.id)
        if newest is None or not waits_for_trading(newest, now, seconds=seconds):
            return False  # another replica has told it
        returned(tx, newest, verification, now)
        return True

    said = await services.store.write(work)
    if said:
        logger.bind(action=record.id, kind=record.kind, target=record.target).info("trading came back")
    return said


__all__ = ["check_outcome", "waits_for_trading", "watch_for_trading"]
