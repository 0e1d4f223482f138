"""What this process holds of the outbox: whether it may still begin a call, and what came of one until that is stored.

A process that stood still is taken for dead, and what it held is another one's then. So before each call that people see
a claim that is not fresh is looked for in the store; and what came of a delivery is written only where it is still ours.

What cannot be stored because the store is away is kept here and stored as soon as it is back: this process knows what
Slack answered, so that nobody has to wait and look for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loguru import logger

from triage.errors import StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.store import Message, Store, Tx

FRESH_SECONDS = 1.0
"""For so long after it was made a claim is not asked for again: others take a process for dead after four times as long."""


class ClaimLost(Exception):
    """Another process has, or may have, what this one had claimed."""


class Claims:
    """The claims of one process, by message."""

    def __init__(self, store: Store, clock: Clock, owner: str) -> None:
        self.owner = owner
        self._store = store
        self._clock = clock
        self._sure: dict[int, float] = {}
        """Since when (monotonic) each is known to be ours."""
        self._begun: set[int] = set()
        self._kept: dict[int, Callable[[Tx], None]] = {}

    def took(self, messages: Iterable[Message], at: float) -> None:
        """Note what was claimed; ``at``: when the claim was begun, by the monotonic clock."""
        self._sure.update((message.id, at) for message in messages)

    def doubts(self, message: Message) -> None:
        """Note that a message may be ours no more: before a call the store is asked."""
        self._sure[message.id] = float("-inf")

    def over(self, message: Message) -> None:
        """Note that the delivery of a message has ended."""
        self._sure.pop(message.id, None)
        self._begun.discard(message.id)

    async def begin(self, message: Message) -> None:
        """Return when a call that people see may begin. Raises ClaimLost, or StoreUnavailable: then it must not."""
        while self._clock.monotonic() - self._sure.get(message.id, self._clock.monotonic()) > FRESH_SECONDS:
            asked = self._clock.monotonic()
            until = await self._store.read(lambda tx: tx.outbox.held_until(message.id, self.owner))
            if until is None or until <= self._clock.now():
                raise ClaimLost
            self._sure[message.id] = asked
        self._begun.add(message.id)

    def has_begun(self, message: Message) -> bool:
        """Whether a call was begun that may take effect."""
        return message.id in self._begun

    async def record(self, message: Message, work: Callable[[Tx], None]) -> None:
        """Store what came of a delivery, where it is still ours. Raises StoreUnavailable; it is kept then."""
        await self.record_anyway(message, self._if_ours(message, work))

    async def record_anyway(self, message: Message, work: Callable[[Tx], None]) -> None:
        """Store what came of a delivery, whoever has it by now. Raises StoreUnavailable; it is kept then."""
        try:
            await self._store.write(work)
        except StoreUnavailable as error:
            if not error.damaged:  # what is damaged stays so: it must not be tried for ever
                self._kept[message.id] = work
            raise

    def keep(self, message: Message, work: Callable[[Tx], None]) -> None:
        """Have something stored as soon as the store is back, where the message is still ours then."""
        self._kept[message.id] = self._if_ours(message, work)

    def _if_ours(self, message: Message, work: Callable[[Tx], None]) -> Callable[[Tx], None]:
        def unit(tx: Tx) -> None:
            if tx.outbox.held_until(message.id, self.owner) is not None:
                work(tx)

        return unit

    @property
    def kept(self) -> frozenset[int]:
        """The messages of which something waits for the store."""
        return frozenset(self._kept)

    async def store_kept(self) -> bool:
        """Store what waits for the store. Returns whether all of it was taken; raises StoreUnavailable while it is away."""
        whole = True
        for message_id, work in tuple(self._kept.items()):
            try:
                await self._store.write(work)
            except StoreUnavailable as error:
                if not error.damaged:
                    raise
                whole = False
            except Exception:  # noqa: BLE001 - of ours: it must not keep the outcomes of others
                logger.bind(message=message_id).exception("what came of a delivery cannot be stored")
                whole = False
            if self._kept.get(message_id) is work:  # else a later delivery has left something meanwhile
                del self._kept[message_id]
        return whole
