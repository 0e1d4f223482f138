"""The things of a workspace: people, channels, messages, files, views, tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
"""A JSON object as it is sent; what is in it has been checked where it came in."""


@dataclass(frozen=True)
class User:
    """A person, or the app's bot user. `title` is what the workspace page shows under the name.

    `elsewhere` is the id of another workspace, which shares a channel with this one, where the person belongs there.
    """

    id: str
    name: str
    real_name: str
    title: str = ""
    is_bot: bool = False
    tz: str = "Etc/UTC"
    elsewhere: str = ""

    def to_slack(self, team_id: str) -> Json:
        """Return the user as `users.info` gives it."""
        return {
            "id": self.id,
            "team_id": self.elsewhere or team_id,
            "is_stranger": bool(self.elsewhere),
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_admin": False,
            "tz": self.tz,
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "title": self.title,
                "email": f"{self.name}@desk.example",
            },
        }


@dataclass(frozen=True)
class Usergroup:
    """A user group (`@operators`) and the ids of its people."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass
class Message:
    """One message. `ephemeral_to` names the only user who sees it; `tombstone` marks a deleted thread parent."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str | None = None
    tombstone: bool = False

    @property
    def is_reply(self) -> bool:
        """Whether it lives in a thread, under another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def delivery_id(self) -> str | None:
        """The `delivery_id` of its metadata, if it carries one."""
        payload = (self.metadata or {}).get("event_payload", {})
        value = payload.get("delivery_id")
        return None if value is None else str(value)


@dataclass
class Channel:
    """A channel, private channel or direct message (`im_user` is the person on its other side)."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_archived: bool = False
    im_user: str | None = None
    topic: str = ""
    created: int = 1_760_000_000
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    threads: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_im(self) -> bool:
        """Whether it is a direct message."""
        return self.im_user is not None

    def to_slack(self, viewer: str) -> Json:
        """Return the channel as `conversations.info` gives it to `viewer`."""
        if self.is_im:
            return {
                "id": self.id,
                "created": self.created,
                "is_im": True,
                "user": self.im_user,
                "is_open": True,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_member": viewer in self.members,
            "created": self.created,
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass
class SharedFile:
    """An uploaded file. `content` is None until the upload arrived.

    `shares` is Slack's: `public` or `private`, then a channel id, then the places `{"ts", "thread_ts"}`.
    """

    id: str
    name: str
    length: int
    user: str
    upload_key: str
    title: str = ""
    alt_text: str = ""
    mimetype: str = "application/octet-stream"
    created: int = 0
    content: bytes | None = None
    completed: bool = False
    shares: dict[str, dict[str, list[Json]]] = field(default_factory=dict)


ViewKind = Literal["modal", "home"]


@dataclass
class View:
    """A modal or a Home tab. `body` is what the app sent, with ids filled in; `hash` changes at each update."""

    id: str
    kind: ViewKind
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    external_id: str = ""
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Token:
    """A token, whose it is, and what it may do. `kind` is `bot` or `app`; `refused`: why it is let in no more."""

    value: str
    kind: Literal["bot", "app"]
    scopes: frozenset[str]
    user: str
    refused: str = ""
