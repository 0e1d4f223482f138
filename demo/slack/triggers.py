"""What an act entitles the app to for a short while: a trigger for one modal, an address for five answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.slack.errors import SlackError

if TYPE_CHECKING:
    from demo.slack.ids import Ids
    from demo.slack.model import Message
    from demo.slack.settings import Timing


class Triggers:
    """`trigger_id`s: each lives three seconds and works once."""

    def __init__(self, ids: Ids, timing: Timing) -> None:
        self._ids = ids
        self._timing = timing
        self._issued: dict[str, tuple[str, float]] = {}
        self._spent: set[str] = set()

    def issue(self, user: str) -> str:
        """Return a trigger for what `user` just did."""
        trigger = f"{time.time_ns() // 1_000_000}.{self._ids.object('T')}.{self._ids.secret()}"
        self._issued[trigger] = (user, time.monotonic())
        return trigger

    def spend(self, trigger: str) -> str:
        """Return the user of a trigger, once; `exchanged_trigger_id`, `expired_trigger_id`, `invalid_trigger_id`."""
        if trigger in self._spent:
            raise SlackError("exchanged_trigger_id")
        if trigger not in self._issued:
            raise SlackError("invalid_trigger_id")
        user, since = self._issued.pop(trigger)
        if time.monotonic() - since > self._timing.trigger:
            raise SlackError("expired_trigger_id")
        self._spent.add(trigger)
        return user


@dataclass
class Reply:
    """Where answers through one `response_url` go: a channel, the person who acted, the message acted on."""

    channel: str
    user: str
    message: Message | None
    since: float
    uses: int = 0


class ResponseUrls:
    """The keys of `response_url`s: five uses within thirty minutes."""

    def __init__(self, ids: Ids, timing: Timing) -> None:
        self._ids = ids
        self._timing = timing
        self._replies: dict[str, Reply] = {}

    def issue(self, channel: str, user: str, message: Message | None = None) -> str:
        """Return the key of a new address."""
        key = self._ids.secret()
        self._replies[key] = Reply(channel, user, message, time.monotonic())
        return key

    def use(self, key: str) -> Reply:
        """Count one use and return where it goes; `expired_url`, `used_url`, `invalid_url`."""
        reply = self._replies.get(key)
        if reply is None:
            raise SlackError("invalid_url")
        if time.monotonic() - reply.since > self._timing.response_url:
            raise SlackError("expired_url")
        if reply.uses >= self._timing.response_url_uses:
            raise SlackError("used_url")
        reply.uses += 1
        return reply
