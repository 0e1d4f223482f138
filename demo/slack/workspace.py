"""The workspace's state: who and what is in it, and every change to it told to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.slack.errors import SlackError
from demo.slack.ids import Ids
from demo.slack.model import Channel, Message, SharedFile, User, Usergroup, View
from demo.slack.settings import GROUPS, PEOPLE, SLACKBOT, AppConfig, channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEAM_ID = "T0HBOTDESK"
TEAM_NAME = "hbot desk"
TEAM_DOMAIN = "hbot-desk"


@dataclass(frozen=True)
class Change:
    """Something that happened.

    `kind` is `posted`, `edited`, `deleted`, `view`, `home`, `reaction`, `notice` or `cleared`.
    """

    kind: str
    message: Message | None = None
    user: str | None = None
    view: View | None = None


class Workspace:
    """Users, groups, channels, files and views of one team, with the one app that is installed in it.

    `clock` gives the workspace's time in Unix seconds: what messages are stamped with.
    """

    def __init__(self, app: AppConfig, clock: Callable[[], float] = time.time) -> None:
        self.app, self.clock = app, clock
        self.ids = Ids(clock)
        bot = User(app.bot_user, app.name, app.display_name, is_bot=True)
        self.users: dict[str, User] = {user.id: user for user in (*PEOPLE, bot, SLACKBOT)}
        self.groups: dict[str, Usergroup] = {group.id: group for group in GROUPS}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in channels(app.bot_user)}
        self.files: dict[str, SharedFile] = {}
        self.homes: dict[str, View] = {}
        self.version = 0
        self._listeners: list[Callable[[Change], None]] = []

    # -- listening ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def listening(self, listener: Callable[[Change], None]) -> Iterator[None]:
        """Call `listener` at every change inside the `with` block; it must be quick and must not raise."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def tell(self, change: Change) -> None:
        """Tell every listener of a change; `version` counts them."""
        self.version += 1
        for listener in tuple(self._listeners):
            listener(change)

    async def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait until `condition()` is true, looking again at each change; `TimeoutError` names `what` was awaited."""
        changed = asyncio.Event()
        with self.listening(lambda _: changed.set()):
            try:
                async with asyncio.timeout(seconds):
                    while not condition():
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                raise TimeoutError(f"waited {seconds:g} s for {what}") from None

    # -- finding -----------------------------------------------------------------------------------------------

    def user(self, key: str) -> User:
        """Return a user by id or name; `SlackError` `user_not_found`."""
        found = self.users.get(key) or next((user for user in self.users.values() if user.name == key), None)
        if found is None:
            raise SlackError("user_not_found")
        return found

    def channel(self, key: str) -> Channel:
        """Return a channel by id, name or `#name`; `SlackError` `channel_not_found`."""
        name = key.removeprefix("#")
        named = [channel for channel in self.channels.values() if channel.name == name]
        found = self.channels.get(key) or min(named, key=lambda channel: channel.is_archived, default=None)
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def make_anew(self, key: str) -> Channel:
        """Archive a channel and make another one with its name and its members; returns the new one."""
        old = self.channel(key)
        old.is_archived = True
        new = Channel(self.ids.object("C"), old.name, set(old.members), is_private=old.is_private)
        self.channels[new.id] = new
        return new

    def direct(self, user_id: str) -> Channel:
        """Return the direct message between the app and a user, opened if need be."""
        for channel in self.channels.values():
            if channel.im_user == user_id:
                return channel
        members = {user_id, self.app.bot_user}
        channel = Channel(self.ids.object("D"), f"dm-{user_id}", members, is_private=True, im_user=user_id)
        self.channels[channel.id] = channel
        return channel

    def message(self, channel_id: str, ts: str) -> Message:
        """Return a message everybody sees; `SlackError` `message_not_found`, also for a deleted one."""
        found = self.channel(channel_id).messages.get(ts)
        if found is None or found.tombstone:
            raise SlackError("message_not_found")
        return found

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """Return a message and its replies, oldest first; empty when there is none."""
        channel = self.channel(channel_id)
        if ts not in channel.messages:
            return []
        return [channel.messages[ts], *(channel.messages[reply] for reply in channel.threads.get(ts, []))]

    def all_messages(self) -> Iterator[Message]:
        """Yield every message of every channel, ephemeral ones left out."""
        for channel in self.channels.values():
            yield from tuple(channel.messages.values())  # whole, also for who reads in another thread

    # -- changing ----------------------------------------------------------------------------------------------

    def post(self, message: Message) -> Message:
        """Put a new message into its channel. A reply to a message that is gone lands in the channel, as Slack does."""
        channel = self.channel(message.channel)
        if message.ephemeral_to is not None:
            channel.ephemerals.append(message)
            self.tell(Change("posted", message, user=message.ephemeral_to))
            return message
        if message.thread_ts is not None:
            parent = channel.messages.get(message.thread_ts)
            message.thread_ts = None if parent is None else parent.thread_ts or parent.ts
        channel.messages[message.ts] = message
        if message.thread_ts is not None:
            channel.messages[message.thread_ts].thread_ts = message.thread_ts
            channel.threads.setdefault(message.thread_ts, []).append(message.ts)
        self.tell(Change("posted", message))
        return message

    def edited(self, message: Message) -> None:
        """Mark a message as edited and tell it."""
        message.edited_ts = self.ids.ts()
        self.tell(Change("edited", message, user=message.ephemeral_to))

    def delete(self, message: Message) -> None:
        """Take a message away. A parent with replies stays as a tombstone, so that its thread stays."""
        channel = self.channel(message.channel)
        if message.ephemeral_to is not None:
            channel.ephemerals.remove(message)
        elif channel.threads.get(message.ts):
            message.tombstone, message.text, message.metadata = True, "This message was deleted.", None
            message.blocks, message.attachments, message.files = [], [], []
        else:
            del channel.messages[message.ts]
            if message.is_reply and message.thread_ts is not None:
                channel.threads[message.thread_ts].remove(message.ts)
        self.tell(Change("deleted", message, user=message.ephemeral_to))

    def clear(self) -> None:
        """Forget everything that was said and shared; people and channels stay."""
        for channel in self.channels.values():
            channel.messages.clear()
            channel.ephemerals.clear()
            channel.threads.clear()
        self.files.clear()
        self.homes.clear()
        self.tell(Change("cleared"))

    def notice(self, channel_id: str, user_id: str, text: str) -> Message:
        """Show one user a line from Slackbot, as Slack does when an app did not answer."""
        return self.post(
            Message(channel_id, self.ids.ts(), SLACKBOT.id, text=text, ephemeral_to=user_id),
        )
