"""Every method this server knows: what answers it, the scopes that allow it, how often it may be called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from demo.slack.model import Json
from demo.slack.pace import POST, TIER_2, TIER_3, TIER_4, Limit
from demo.slack.web import apps, chat, conversations, files, people, views
from demo.slack.web.call import WebCall

_HISTORY = ("channels:history", "groups:history", "im:history")
_READ = ("channels:read", "groups:read", "im:read")


@dataclass(frozen=True)
class Method:
    """A method. Any one of `scopes` allows it (none: any token of its `kind`); `limit` is Slack's tier."""

    run: Callable[[WebCall], Awaitable[Json]]
    scopes: tuple[str, ...]
    limit: Limit
    kind: str = "bot"


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(apps.connections_open, ("connections:write",), TIER_3, "app"),
    "auth.test": Method(people.auth_test, (), TIER_4, "any"),
    "chat.delete": Method(chat.delete, ("chat:write",), TIER_3),
    "chat.getPermalink": Method(chat.get_permalink, (), TIER_4),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",), TIER_4),
    "chat.postMessage": Method(chat.post_message, ("chat:write",), POST),
    "chat.update": Method(chat.update, ("chat:write",), TIER_3),
    "conversations.history": Method(conversations.history, _HISTORY, TIER_3),
    "conversations.info": Method(conversations.info, _READ, TIER_3),
    "conversations.join": Method(conversations.join, ("channels:join",), TIER_3),
    "conversations.list": Method(conversations.list_all, _READ, TIER_2),
    "conversations.members": Method(conversations.members, _READ, TIER_4),
    "conversations.open": Method(conversations.open_direct, ("im:write",), TIER_3),
    "conversations.replies": Method(conversations.replies, _HISTORY, TIER_3),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",), TIER_4),
    "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",), TIER_4),
    "files.info": Method(files.info, ("files:read",), TIER_4),
    "reactions.add": Method(people.reactions_add, ("reactions:write",), TIER_3),
    "usergroups.list": Method(people.usergroups_list, ("usergroups:read",), TIER_2),
    "usergroups.users.list": Method(people.usergroups_users_list, ("usergroups:read",), TIER_2),
    "users.info": Method(people.users_info, ("users:read",), TIER_4),
    "users.list": Method(people.users_list, ("users:read",), TIER_2),
    "users.lookupByEmail": Method(people.users_lookup_by_email, ("users:read.email",), TIER_3),
    "views.open": Method(views.open_view, (), TIER_4),
    "views.publish": Method(views.publish, (), TIER_4),
    "views.push": Method(views.push, (), TIER_4),
    "views.update": Method(views.update, (), TIER_4),
}
