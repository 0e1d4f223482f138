"""What Slack may still do after we gave a call up, and how long we have to reckon with it.

Slack has been seen to do a call up to a minute after its client had hung up. So:

*   a message of unknown outcome is missing only when it is missing ``settle_seconds`` after the attempt *ended*;
*   when it was posted again after that, the channel is looked at again ``AFTER`` seconds later, for an hour, and then
    about every hour for a day, at what came since; an extra copy is taken back;
*   an edit of unknown outcome, once one went through, is done again then: the older text may have come back;
*   what stays unknown for ``patience`` ends: its thread goes on without it, and where Slack cannot be asked though it
    answers otherwise, it is posted once more and says that it may stand twice; where that stays unknown too, again
    ``patience`` later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.slack.client import TIMEOUT_SECONDS
from triage.ports.clock import Clock
from triage.ports.store import Message, Recheck

NEAR = (12.0, 56.0, 150.0, 390.0, 810.0, 1350.0, 1890.0, 2430.0, 2970.0, 3510.0)
AFTER = (*NEAR, *(3510.0 + 540.0 * turn for turn in range(1, 155)))
"""Seconds after the call that went through at which is made sure of it: the second is behind a call done 60 s late.

They are nine minutes apart at the most: the store takes a time ten minutes off for one of a clock since set back. Of those
after the first hour (``NEAR``) only each ``LATE_EVERY``-th is a look.
"""
LATE_EVERY = 7
SETTLE_SECONDS = 9.0
"""Longer than a call may take: what Slack does within one more timeout is found before anything is posted again."""
LOOK_EVERY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class DeliveryTimes:
    """How long to reckon with what was given up: all in seconds. Tests make it short."""

    timeout: float = TIMEOUT_SECONDS
    settle: float = SETTLE_SECONDS
    after: tuple[float, ...] = AFTER
    near: int = len(NEAR)
    look_every: float = LOOK_EVERY_SECONDS
    patience: float = 0.0
    """How long a message waits for Slack's word whether it took it; 0: for as long as it takes."""

    @property
    def longest(self) -> float:
        """From the begin of a call until it is taken for not done, should its process end meanwhile."""
        return self.timeout + self.settle


class UncertainDeliveries:
    """Says when a message is to be looked at again, and why; remembers the ends of attempts by the monotonic clock."""

    def __init__(self, clock: Clock, times: DeliveryTimes) -> None:
        self.times = times
        self._clock = clock
        self._unsure: dict[int, float] = {}
        self._since: dict[int, float] = {}
        """By message, since when this process knows that its outcome is not known."""

    def gave_up(self, message: Message) -> datetime:
        """Note that an attempt has ended without an answer; returns until when it may still take effect."""
        self._since.setdefault(message.id, self._clock.monotonic())
        self._unsure[message.id] = self._clock.monotonic() + self.times.settle
        return self._clock.now() + timedelta(seconds=self.times.settle)

    def begins(self, message: Message) -> datetime:
        """Note that a message is posted again; returns until when that may take effect should we end meanwhile."""
        self._unsure.pop(message.id, None)
        return self._clock.now() + timedelta(seconds=self.times.longest)

    def over(self, message: Message) -> None:
        """Forget about a message: its outcome is known, whoever learned it."""
        self._unsure.pop(message.id, None)
        self._since.pop(message.id, None)

    def waits_anew(self, message: Message) -> None:
        """Note that nobody knows what came of posting a message once more: it waits for Slack's word from now on."""
        self._since[message.id] = self._clock.monotonic()

    def waited(self, message: Message) -> float:
        """Return the seconds since this process learned that the outcome of a message is not known."""
        now = self._clock.monotonic()
        return now - self._since.setdefault(message.id, now)

    def past_patience(self, message: Message) -> bool:
        """Whether a message of unknown outcome has waited for Slack's word long enough."""
        return 0 < self.times.patience <= self.waited(message)

    def remaining(self, message: Message) -> float:
        """Return the seconds for which an earlier attempt may still take effect.

        What this process saw counts by the monotonic clock, and what another one left by no more than ``longest``:
        the wall clock may have been set meanwhile.
        """
        until = message.unsure_until
        if message.id not in self._unsure and until is not None:
            left = (until - self._clock.now()).total_seconds()
            self._unsure[message.id] = self._clock.monotonic() + min(left, self.times.longest)
        return max(0.0, self._unsure.get(message.id, 0.0) - self._clock.monotonic())

    def after_post(self, message: Message, *, again: bool) -> Recheck | None:
        """Return the recheck of a message that was just posted; ``again``: after an attempt that came to nothing."""
        return self._first(message.recheck, post=True) if again else message.recheck

    def after_edit(self, message: Message) -> Recheck | None:
        """Return the recheck of a message that was just edited; an earlier edit may have had no outcome."""
        return (
            self._first(message.recheck, edit=True) if message.attempted_at is not None else message.recheck
        )

    def is_look(self, recheck: Recheck) -> bool:
        """Whether the chat is looked at this time; else the next time is only waited for."""
        late = recheck.looks - self.times.near + 1
        return late <= 0 or late % LATE_EVERY == 0

    def unseen_since(self, recheck: Recheck) -> datetime | None:
        """Return from when on the chat is looked at; None: from the message's making on.

        Late looks leave out what an earlier one has seen: in a day a channel becomes long.
        """
        if recheck.looks < self.times.near or recheck.looked_at is None:
            return None
        return min(recheck.looked_at, self._clock.now())

    def after_look(self, recheck: Recheck) -> Recheck | None:
        """Return the recheck that is still needed after one was made."""
        looks = recheck.looks + 1
        if looks >= len(self.times.after):
            return None
        wait = self.times.after[looks] - self.times.after[looks - 1]
        return replace(recheck, at=self._clock.now() + timedelta(seconds=wait), looks=looks)

    def _first(self, before: Recheck | None, *, post: bool = False, edit: bool = False) -> Recheck:
        at = self._clock.now() + timedelta(seconds=self.times.after[0])
        if before is None:
            return Recheck(at, post=post, edit=edit)
        return Recheck(at, post=post or before.post, edit=edit or before.edit)
