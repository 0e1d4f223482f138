"""Which replicas live: each counts up in the database, and one whose count stands still is dead; its work is free then.

No clocks are compared for that: a replica judges by how long, and for how many beats of its own, it has seen another's
count unchanged. While the database is away nobody's beat succeeds, so nobody is taken for dead. A lease stays behind it for
what cannot be seen so: a replica of a version that does not count, or one that beats and still hangs.

A replica takes messages to send by the same writes as it counts. So from when its count stands still it begins no call to
Slack, and that time counts against the time that its last call may still take effect in: also where the dead one
stood still with the lock of all writers in its hand, and nobody's beat was stored for seconds.

Running actions are left out on purpose: a replica that only stood still must not lose one within seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from bot.shared_clock import SharedClock
from triage.errors import StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.wording import duration

BEAT_SECONDS = 1.0
DEAD_SECONDS, DEAD_BEATS = 4.0, 4
"""How long a count stands still, and for how many beats of whoever looks, before its replica is dead."""
LOOK_SECONDS = 0.5
"""A look at the others' counts takes so long at the most: a replica must not count late because of it."""
NOTE = "replicas"
APART_SECONDS, APART_BEATS = 5.0, 3
"""How far the clocks may be apart, and for how many beats they are seen farther apart before it is said."""


def owner() -> str:
    """Return a name for this process that no other has, and that tells an operator which one it is."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What was last seen of a replica: its count, since when (monotonic), and our own count at that time."""

    count: int
    since: float
    beats: int


def observed(
    before: Mapping[str, LastSeen], counts: Mapping[str, int], *, now: float, beats: int
) -> dict[str, LastSeen]:
    """Return what is seen of each replica after a look: an unchanged count keeps the time since which it stands."""
    return {
        name: known
        if (known := before.get(name)) is not None and known.count == count
        else LastSeen(count, now, beats)
        for name, count in counts.items()
    }


def dead_replicas(seen: Mapping[str, LastSeen], *, now: float, beats: int) -> list[str]:
    """Return the replicas whose count has stood still for too long."""
    return [
        name
        for name, seen_last in seen.items()
        if now - seen_last.since >= DEAD_SECONDS and beats - seen_last.beats >= DEAD_BEATS
    ]


@dataclass(slots=True)
class Replicas:
    """Says that this replica lives, and frees what dead ones hold.

    ``settle_seconds``: for how long after its end a replica's call to Slack may still take effect. ``freed`` is called
    when there is work to take over.
    """

    store: Store
    owner: str
    clock: Clock
    settle_seconds: float
    freed: Callable[[], None]
    shared: SharedClock | None = None
    """Compared with the database's at each beat; ``clock`` is this one then."""
    _beats: int = 0
    _seen: dict[str, LastSeen] = field(default_factory=dict)
    _ahead: float = 0.0
    _apart: int = 0

    @property
    def trouble(self) -> str:
        """Say that this machine's clock is not the database's while others share it; empty where it is, or nobody does."""
        if self._apart < APART_BEATS or not self._seen:
            return ""
        which = "ahead of" if self._ahead > 0 else "behind"
        return (
            f"this machine's clock is {duration(abs(self._ahead))} {which} the database's, by which all replicas go: "
            "set both by NTP"
        )

    async def beat(self) -> list[str]:
        """Count up, look at the others, and free what those hold that are dead. Returns who they are."""
        await self._look()
        gone = dead_replicas(self._seen, now=self.clock.monotonic(), beats=self._beats)
        counts = await self.store.write(lambda tx: self._write(tx, gone))
        self._beats += 1  # one that was not stored says nothing of the others either
        self._observe(counts)
        if gone:
            logger.warning("replica {names} is dead: its work is taken over", names=", ".join(gone))
            self.freed()
        return gone

    async def leave(self) -> None:
        """Say that this replica ends: what it held it has given back by itself."""

        def work(tx: Tx) -> None:
            counts = _counts(tx)
            if counts.pop(self.owner, None) is not None:
                tx.notes.put(NOTE, json.dumps(counts))

        with suppress(StoreUnavailable):  # then it is taken for dead, which is as true
            await self.store.write(work)

    async def _look(self) -> None:
        """Look at the others before our own count is written: that may wait for seconds for the lock of all writers."""
        if not self._seen:
            return
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                self._observe(await self.store.read(_counts))

    def _observe(self, counts: Mapping[str, int]) -> None:
        others = {name: count for name, count in counts.items() if name != self.owner}
        self._seen = observed(self._seen, others, now=self.clock.monotonic(), beats=self._beats)

    def _write(self, tx: Tx, gone: list[str]) -> dict[str, int]:
        counts = _counts(tx)
        for name in gone:
            if counts.get(name) != self._seen[name].count:
                continue  # it lives after all, or another one has freed what it held
            del counts[name]
            tx.runs.release_of(name, but=())
            tx.outbox.release_of(name, self._unsure_until(name))
        counts[self.owner] = self._beats + 1
        tx.notes.put(NOTE, json.dumps(counts))
        self._compare_clocks(tx)
        return counts

    def _compare_clocks(self, tx: Tx) -> None:
        """Note how far the machine's clock is ahead of the database's, by which leases are written and read."""
        self._ahead = (self.shared or SharedClock(self.clock)).compare(tx) or 0.0
        self._apart = self._apart + 1 if abs(self._ahead) >= APART_SECONDS else 0

    def _unsure_until(self, name: str) -> datetime:
        """Return until when a dead replica's last call may take effect: it began within a beat of its last count."""
        stood = self.clock.monotonic() - self._seen[name].since
        return self.clock.now() + timedelta(seconds=max(0.0, self.settle_seconds + BEAT_SECONDS - stood))


def _counts(tx: Tx) -> dict[str, int]:
    return tx.notes.parsed(NOTE, _read) or {}


def _read(text: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in json.loads(text).items()}
