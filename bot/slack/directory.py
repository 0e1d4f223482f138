"""Names in the workspace: the ids of channels, the people of user groups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from loguru import logger

from bot.slack.client import CHANNEL_ID, SlackClient, cursor_of, list_of, text_of
from bot.slack.errors import Misconfigured, NotDone, OutcomeUnknown, RateLimited, SlackFailure
from triage.ports.clock import Clock
from triage.ports.store import Store

_PAGES = 100
_PASSING = frozenset(
    [
        "unreachable",
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
        "timeout",
        "connection_error",
    ]
)
ANEW_SECONDS = 10.0
NO_SCOPE = "write TRIAGE_CHANNEL as an id (C…), or give the app channels:read and groups:read"


def _key(name: str) -> str:
    return f"slack/channel/{name}"


class Channels:
    """Turns channels into ids; knows what it was told, asks once for what it was not.

    ``aliases`` map a purpose (``incidents``, ``digests``) to its channel. Slack's answer to a post by name has the
    channel's id, which the ``store`` keeps: looking a name up takes a scope (``channels:read``) that an app may lack.
    """

    def __init__(
        self, client: SlackClient, aliases: Mapping[str, str] | None = None, store: Store | None = None
    ) -> None:
        self._client = client
        self._store = store
        self._aliases = dict(aliases or {})
        self._ids: dict[str, str] = {}
        self._refused: Misconfigured | None = None
        self._asked_anew: dict[str, float] = {}

    async def anew(self, channel: str) -> str:
        """Return the id that a channel's name has now: archived and made anew, it has another one.

        At most one question in ``ANEW_SECONDS`` a name. Raises SlackFailure where Slack does not say.
        """
        name = self.target(channel)
        if CHANNEL_ID.fullmatch(name):
            return name
        now = time.monotonic()
        if now - self._asked_anew.get(name, float("-inf")) >= ANEW_SECONDS:
            self._asked_anew[name] = now
            self._ids.pop(name, None)
            if self._store is not None:
                await self._store.write(lambda tx: tx.notes.put(_key(name), ""))
        return await self.resolve(channel)

    async def learn(self, channel: str, channel_id: str) -> None:
        """Remember the id that Slack gave for a channel."""
        if self.known(channel) == channel_id:
            return
        name = self.target(channel)
        self._ids[name] = channel_id
        if self._store is not None:
            await self._store.write(lambda tx: tx.notes.put(_key(name), channel_id))

    def target(self, channel: str) -> str:
        """Return the id or name that is meant by a channel."""
        return self._aliases.get(channel, channel)

    def known(self, channel: str) -> str:
        """Return the id of a channel, empty where it is not known yet."""
        channel = self.target(channel)
        return channel if CHANNEL_ID.fullmatch(channel) else self._ids.get(channel, "")

    async def resolve(self, channel: str) -> str:
        """Return the id of a channel. Raises Misconfigured where there is none, SlackFailure otherwise."""
        if not self.known(channel):
            name = self.target(channel)
            if self._store is not None:
                stored = await self._store.read(lambda tx: tx.notes.get(_key(name)))
                if stored:
                    self._ids[name] = stored
                    return stored
            if self._refused is not None:  # no scope to look names up: asking again would say the same
                raise self._refused
            try:
                await self._ask(self.target(channel))
            except Misconfigured as error:
                if error.code != "missing_scope":
                    raise
                self._refused = Misconfigured(error.method, error.code, NO_SCOPE)
                raise self._refused from error
        return self.known(channel)

    async def _ask(self, channel: str) -> None:
        wanted = channel.lstrip("#").lower()
        cursor: str | None = None
        for _ in range(_PAGES):
            answer = await self._client.read(
                "conversations.list",
                limit=200,
                cursor=cursor,
                exclude_archived=True,
                types="public_channel,private_channel",
            )
            for found in list_of(answer, "channels", "conversations.list"):
                if isinstance(found, dict) and str(found.get("name", "")).lower() == wanted:
                    self._ids[channel] = text_of(found, "id", "conversations.list")
                    return
            cursor = cursor_of(answer)
            if not cursor:
                break
        raise Misconfigured(
            "conversations.list",
            "channel_not_found",
            f"no channel {channel!r}: use its id, and /invite the bot",
        )


def _passes(failure: SlackFailure) -> bool:
    """Tell whether the same question can be answered later without anybody's doing."""
    return isinstance(failure, RateLimited | OutcomeUnknown) or (
        isinstance(failure, NotDone) and failure.code in _PASSING
    )


class UserGroups:
    """Who is in a user group. Implements ``triage.roles.Membership``; an answer holds for ``ttl_seconds``.

    While Slack does not answer, an older one serves for ``stale_seconds``: not longer, people leave groups. An error
    that does not pass by itself (the group was disabled, a scope was taken away) means no member at once.
    """

    METHOD = "usergroups.users.list"

    def __init__(
        self, client: SlackClient, clock: Clock, *, ttl_seconds: float = 300, stale_seconds: float = 3600
    ) -> None:
        self._client = client
        self._clock = clock
        self._ttl = ttl_seconds
        self._stale = stale_seconds
        self._members: dict[str, tuple[float, frozenset[str]]] = {}
        self.problems: dict[str, str] = {}
        """By group, why Slack does not list it: nobody is in it until a person mends that."""

    async def members(self, group_id: str) -> frozenset[str]:
        """Return the users of a group. Raises SlackFailure where Slack does not say and we do not know."""
        known = self._members.get(group_id)
        if known is not None and self._clock.monotonic() - known[0] < self._ttl:
            return known[1]
        try:
            async with asyncio.timeout(2):
                members = await self._ask(group_id)
        except (SlackFailure, TimeoutError) as error:
            failure = error if isinstance(error, SlackFailure) else OutcomeUnknown(self.METHOD, "timeout")
            if not _passes(failure):
                self._members.pop(group_id, None)
                self.problems[group_id] = f"nobody of {group_id} is known: {failure}"
                logger.bind(group=group_id, error=str(failure)).error(
                    "a user group is not listed, nobody is in it"
                )
                return frozenset()
            if known is None or self._clock.monotonic() - known[0] >= self._stale:
                raise failure from error
            logger.bind(group=group_id, error=str(error)).warning(
                "user group not refreshed, the older list is used"
            )
            return known[1]
        self._members[group_id] = (self._clock.monotonic(), members)
        self.problems.pop(group_id, None)
        return members

    async def _ask(self, group_id: str) -> frozenset[str]:
        answer = await self._client.read(self.METHOD, usergroup=group_id)
        return frozenset(str(user) for user in list_of(answer, "users", self.METHOD))


class ChannelMembers(UserGroups):
    """Who is in a channel, kept and forgotten as the members of a user group are."""

    METHOD = "conversations.members"

    async def _ask(self, group_id: str) -> frozenset[str]:
        members: set[str] = set()
        cursor: str | None = None
        for _ in range(_PAGES):
            answer = await self._client.read(self.METHOD, channel=group_id, limit=500, cursor=cursor)
            members.update(str(user) for user in list_of(answer, "members", self.METHOD))
            cursor = cursor_of(answer)
            if not cursor:
                break
        return frozenset(members)
