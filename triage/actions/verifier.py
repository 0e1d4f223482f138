"""The verification of an action that has ended: claimed under a lease, asked, stored and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from loguru import logger

from triage.actions import completion
from triage.actions.context import ActionServices
from triage.actions.outcome_check import check_outcome
from triage.errors import DeskFailure, Refused, StoreUnavailable
from triage.plans.agent_orders import token_of
from triage.plans.record import ActionRecord
from triage.ports.store import Tx

VERIFY_LEASE_SECONDS, VERIFY_RENEW_SECONDS = 9.0, 3.0
"""A verification whose lease was not renewed for so long is another replica's: it is asked again within 15 s."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies actions for one process. ``owner`` names it in leases, ``wake_sender`` wakes the sender."""

    services: ActionServices
    owner: str
    wake_sender: Callable[[], None]

    def take(self, tx: Tx, action_id: int) -> ActionRecord | None:
        """Claim a verification that is due; None where another process has it."""
        now = self.services.clock.now()
        for record in tx.actions.to_verify(now):
            if record.id == action_id:
                held = replace(
                    record, owner=self.owner, lease_until=now + timedelta(seconds=VERIFY_LEASE_SECONDS)
                )
                tx.actions.save(held)
                return held
        return None

    async def verify(self, record: ActionRecord) -> None:
        """Ask the same questions as before the action, and say whether it helped.

        Another process may have taken the question over meanwhile (this one stood still): its answer holds.
        """
        renewing = asyncio.create_task(self.renew(record), name=f"lease of verification {record.id}")
        try:
            verification = await check_outcome(self.services, record)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        now = self.services.clock.now()

        def work(tx: Tx) -> ActionRecord | None:
            newest = _still_asked(tx, record)
            return (
                None
                if newest is None
                else completion.verified(tx, self.services.desk, newest, verification, now)
            )

        done = await self.services.store.write(work)
        if done is None:
            logger.bind(action=record.id).warning("not said: another process took the verification over")
            return
        self.wake_sender()
        if done.verify_at is None:
            await self._tidy(done)

    async def renew(self, record: ActionRecord) -> None:
        """Keep a verification for as long as it looks; a commit that fails is tried again at the next turn."""

        def work(tx: Tx) -> None:
            if (held := _still_asked(tx, record)) is not None:
                until = self.services.clock.now() + timedelta(seconds=VERIFY_LEASE_SECONDS)
                tx.actions.save(replace(held, lease_until=until))

        while True:
            await asyncio.sleep(VERIFY_RENEW_SECONDS)
            try:
                await self.services.store.write(work)
            except StoreUnavailable as error:
                logger.bind(action=record.id, error=str(error)).debug(
                    "the lease of a verification is not renewed"
                )
            except Exception as error:  # noqa: BLE001 - without the lease another process asks as well
                logger.bind(action=record.id).opt(exception=error).error(
                    "the lease of a verification is not renewed"
                )

    async def _tidy(self, record: ActionRecord) -> None:
        if record.plan is None or not record.plan.orders:
            return
        try:
            await self.services.access.agent.tidy(token_of(record.handle))
        except (DeskFailure, Refused) as error:
            logger.bind(action=record.id, error=str(error)).warning("something was left lying")


def _still_asked(tx: Tx, record: ActionRecord) -> ActionRecord | None:
    """Return an action as it is now, where the question that was claimed with this record is still ours."""
    newest = tx.actions.get(record.id)
    if newest is None or newest.lease_until is None:
        return None
    ours = (newest.owner, newest.verify_at) == (record.owner, record.verify_at)
    return newest if ours else None


__all__ = ["Verifier"]
