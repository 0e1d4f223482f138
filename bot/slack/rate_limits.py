"""Slack's rate limits: one post a second in a channel with short bursts, so many edits a minute, Retry-After."""

from __future__ import annotations

from dataclasses import dataclass, field

from triage.ports.clock import Clock

POST, EDIT, UPLOAD, LOOK = (
    "chat.postMessage",
    "chat.update",
    "files.completeUploadExternal",
    "conversations.history",
)
THREAD = "chat.postMessage in a thread"
"""The same method, but a channel may take one and refuse the other."""
RANKS = 11
"""The last rank of what is news; what is beyond explains it."""
STRICT_SECONDS = 30.0
"""After a 429 a channel's urgent posts keep the pace too, so that the most urgent comes first and not who asks first."""
LATE_SECONDS = 0.5
"""How long a turn is kept for whoever has it: coming for it takes a commit."""
_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class RateLimits:
    """``posts`` and ``edits`` a second, the bursts that go at once, ``same_edit`` seconds between edits of one message.

    ``same_card``: as ``same_edit``, of an incident's card, which follows a whole desk, and of a storm's list.
    """

    posts: float = 1.0
    post_burst: int = 3
    edits: float = 50 / 60
    edit_burst: int = 20
    same_edit: float = 0.8
    same_card: float = 3.0
    debt_seconds: float = 10.0


@dataclass(slots=True)
class _Bucket:
    """``full_at``: when all tokens would be back; ``turns``: those given to whoever waits, by rank, in their order."""

    full_at: float = 0.0
    turns: dict[int, list[float]] = field(default_factory=dict)

    def asked(self, rank: int, now: float) -> None:
        """Take back the turn of whoever asks now, and those of ranks that have not come for theirs."""
        if (mine := self.turns.get(rank)) and mine[0] <= now:
            del mine[0]
        for rank_, turns in self.turns.items():
            self.turns[rank_] = [turn for turn in turns if turn > now - LATE_SECONDS]

    def awaits_more_urgent(self, rank: int, now: float) -> bool:
        """Whether the turn that is there now is a graver one's, who is on the way to take it."""
        return any(turns[0] <= now for other, turns in self.turns.items() if other < rank and turns)

    def give(self, rank: int, free_at: float, interval: float, now: float) -> float:
        """Give the first turn behind those of the same rank and of graver ones; returns it."""
        before = [turns[-1] for other, turns in self.turns.items() if other <= rank and turns]
        turn = max([free_at, *(last + interval for last in before if last > now)])
        self.turns.setdefault(rank, []).append(turn)
        return turn


class RateLimiter:
    """Says how long to wait. Asking and being told 0 takes the turn; being told more queues for one."""

    def __init__(self, clock: Clock, limits: RateLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or RateLimits()
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._held: dict[tuple[str, str], float] = {}
        self._refused: dict[tuple[str, str], float] = {}
        self._edited: dict[int, float] = {}
        self._strict: dict[str, float] = {}

    def post(self, method: str, channel: str, *, urgent: bool = False, rank: int = 2) -> float:
        """Return the seconds until a post to a channel may go.

        An urgent one, the first word of an incident or of an action, waits for Slack's own 429 alone: Slack allows
        short bursts, correlation makes one storm of many incidents, and the lines of threads wait the longer for it. Those
        that wait get their turns by ``rank``, 0 the first.
        """
        since = self._clock.monotonic()
        held = max(self._hold(method, channel), self._held.get((POST, channel), since) - since)
        strict = self._strict.get(channel, 0.0) > since
        # Those that wait for a Retry-After queue for what comes behind it, or it goes to whoever asks first.
        if held > 0 and (not strict or rank > RANKS or self.refuses(method, channel)):
            return held
        bucket = self._buckets.setdefault((POST, channel), _Bucket())
        interval = 1 / self._limits.posts
        if held > 0:
            bucket.asked(rank, since)
            return bucket.give(rank, since + held, interval, since) - since
        if strict:
            if (
                rank > RANKS and bucket.full_at > since
            ):  # what only explains waits until the channel is at rest
                return bucket.full_at - since + interval
            urgent = False
        return self._turn(bucket, interval, self._limits.post_burst, urgent=urgent, rank=rank)

    def edit(self, channel: str, message_id: int, *, urgent: bool = False, card: bool = False) -> float:
        """Return the seconds until an edit of a message may go; ``card``: it is an incident's, or a page of a storm's list.

        An urgent one, the progress of an action that runs, takes its turn before the cards that wait for theirs.
        """
        held = self._hold(EDIT, channel)
        since = self._clock.monotonic() - self._edited.get(message_id, float("-inf"))
        apart = self._limits.same_card if card else self._limits.same_edit
        if held > 0 or since < apart:
            return max(held, apart - since)
        bucket = self._buckets.setdefault((EDIT, ""), _Bucket())
        wait = self._turn(bucket, 1 / self._limits.edits, self._limits.edit_burst, urgent=urgent)
        if wait <= 0:
            self._note_edit(message_id)
        return wait

    def look(self, channel: str) -> float:
        """Return the seconds until the channel's history may be read."""
        held = self._hold(LOOK, channel)
        if held > 0:
            return held
        bucket = self._buckets.setdefault((LOOK, ""), _Bucket())
        return self._turn(bucket, 1 / self._limits.edits, self._limits.edit_burst)

    def hold(self, method: str, channel: str, seconds: float) -> None:
        """Obey a Retry-After: it binds this method and this channel alone."""
        self._held[method, channel] = self._clock.monotonic() + seconds

    def refused(self, method: str, channel: str, seconds: float) -> None:
        """Wait with what a place refused until it is tried again (``*``: every method, every channel)."""
        self._refused[method, channel] = self._clock.monotonic() + seconds

    def limited(self, method: str, channel: str, seconds: float) -> None:
        """Obey a Retry-After, and from there on keep the pace of a channel that we were too fast for."""
        self.hold(method, channel, seconds)
        if method != POST:
            return
        now = self._clock.monotonic()
        self._strict[channel] = now + seconds + STRICT_SECONDS
        bucket = self._buckets.setdefault((POST, channel), _Bucket())
        # What was refused took no token of Slack's: the next one is there when the wait is over.
        bucket.full_at = now + seconds + (self._limits.post_burst - 1) / self._limits.posts

    def refuses(self, method: str, channel: str) -> bool:
        """Whether a place has refused and is not tried again yet."""
        now = self._clock.monotonic()
        return any(
            self._refused.get(key, now) > now for key in ((method, channel), ("*", channel), ("*", "*"))
        )

    def release(self, method: str, channel: str) -> None:
        """Forget that a place refused: it works again. A Retry-After is kept."""
        for key in ((method, channel), ("*", channel), ("*", "*")):
            self._refused.pop(key, None)

    def _hold(self, method: str, channel: str) -> float:
        now = self._clock.monotonic()
        keys = ((method, channel), ("*", channel), ("*", "*"))
        return max(waits.get(key, now) - now for key in keys for waits in (self._held, self._refused))

    def _turn(
        self, bucket: _Bucket, interval: float, burst: int, *, urgent: bool = False, rank: int = 2
    ) -> float:
        now = self._clock.monotonic()
        if urgent:
            most = now + (burst - 1) * interval + self._limits.debt_seconds
            bucket.full_at = max(bucket.full_at, min(max(bucket.full_at, now) + interval, most))
            return 0.0
        bucket.asked(rank, now)
        free_at = max(bucket.full_at, now) - (burst - 1) * interval
        if free_at <= now and not bucket.awaits_more_urgent(rank, now):
            bucket.full_at = max(bucket.full_at, now) + interval
            return 0.0
        first = free_at if free_at > now else now + interval
        return bucket.give(rank, first, interval, now) - now

    def _note_edit(self, message_id: int) -> None:
        if len(self._edited) > _REMEMBERED:
            oldest = self._clock.monotonic() - self._limits.same_edit
            self._edited = {key: at for key, at in self._edited.items() if at > oldest}
        self._edited[message_id] = self._clock.monotonic()
