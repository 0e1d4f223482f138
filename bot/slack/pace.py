"""How fast Slack lets us: one post a second a channel with short bursts, so many edits a minute, Retry-After."""

from __future__ import annotations

from dataclasses import dataclass

from triage.ports.clock import Clock

POST, EDIT, UPLOAD, LOOK = (
    "chat.postMessage",
    "chat.update",
    "files.completeUploadExternal",
    "conversations.history",
)
_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Limits:
    """``posts`` and ``edits`` a second, the bursts that go at once, ``same_edit`` seconds between edits of one message."""

    posts: float = 1.0
    post_burst: int = 3
    edits: float = 50 / 60
    edit_burst: int = 20
    same_edit: float = 0.8
    debt_seconds: float = 10.0


@dataclass(slots=True)
class _Bucket:
    """``full_at``: when all tokens would be back; ``tail``: the last turn that was given to one who waits."""

    full_at: float = 0.0
    tail: float = 0.0


class Pace:
    """Says how long to wait. Asking and being told 0 takes the turn; being told more queues for one."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._held: dict[tuple[str, str], float] = {}
        self._edited: dict[int, float] = {}

    def post(self, method: str, channel: str, *, urgent: bool = False) -> float:
        """Return the seconds until a post to a channel may go.

        An urgent one, the first word of an incident or of an action, waits for Slack's own 429 alone: Slack allows
        short bursts, correlation makes one storm of many incidents, and the lines of threads pay the debt.
        """
        held = self._hold(method, channel)
        if held > 0:
            return held
        bucket = self._buckets.setdefault((POST, channel), _Bucket())
        return self._turn(bucket, 1 / self._limits.posts, self._limits.post_burst, urgent=urgent)

    def edit(self, channel: str, message_id: int, *, urgent: bool = False) -> float:
        """Return the seconds until an edit of a message may go.

        An urgent one, the progress of an action that runs, takes its turn before the cards that wait for theirs.
        """
        held = self._hold(EDIT, channel)
        since = self._clock.monotonic() - self._edited.get(message_id, float("-inf"))
        if held > 0 or since < self._limits.same_edit:
            return max(held, self._limits.same_edit - since)
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
        """Obey a Retry-After: it binds this method and this channel alone (``*``: every one)."""
        self._held[method, channel] = self._clock.monotonic() + seconds

    def release(self) -> None:
        """Forget what was held by ``*``: something was mended."""
        self._held = {key: until for key, until in self._held.items() if "*" not in key}

    def _hold(self, method: str, channel: str) -> float:
        now = self._clock.monotonic()
        keys = ((method, channel), ("*", channel), ("*", "*"))
        return max(self._held.get(key, now) - now for key in keys)

    def _turn(self, bucket: _Bucket, interval: float, burst: int, *, urgent: bool = False) -> float:
        now = self._clock.monotonic()
        if urgent:
            most = now + (burst - 1) * interval + self._limits.debt_seconds
            bucket.full_at = max(bucket.full_at, min(max(bucket.full_at, now) + interval, most))
            return 0.0
        free_at = max(bucket.full_at, now) - (burst - 1) * interval
        if free_at <= now:
            bucket.full_at = max(bucket.full_at, now) + interval
            return 0.0
        bucket.tail = max(free_at, bucket.tail + interval if bucket.tail > now else free_at)
        return bucket.tail - now

    def _note_edit(self, message_id: int) -> None:
        if len(self._edited) > _REMEMBERED:
            oldest = self._clock.monotonic() - self._limits.same_edit
            self._edited = {key: at for key, at in self._edited.items() if at > oldest}
        self._edited[message_id] = self._clock.monotonic()
