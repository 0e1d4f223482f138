"""What the app is sent when somebody does something, field for field as Slack sends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.slack.wire import message_json, view_json
from demo.slack.workspace import TEAM_DOMAIN, TEAM_ID

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.model import Channel, Json, Message, User, View


_PERSON = re.compile(r"(?<![\w<])@([\w.-]+)")


def _common(server: SlackBackend, user: User, kind: str, team: str = TEAM_ID) -> Json:
    return {
        "type": kind,
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.elsewhere or TEAM_ID,
        },
        "api_app_id": server.app.app_id,
        "token": server.app.verification_token,
        "team": {"id": team, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_action(server: SlackBackend, user: User, message: Message, action: Json, state: Json) -> Json:
    """`block_actions` on a message."""
    channel = server.workspace.channel(message.channel)
    ephemeral = message.ephemeral_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    name = "directmessage" if channel.is_im else channel.name
    body = {
        **_common(server, user, "block_actions"),
        "container": container,
        "trigger_id": server.triggers.issue(user.id),
        "channel": {"id": channel.id, "name": name},
        "state": {"values": state},
        "response_url": server.response_url(channel.id, user.id, message),
        "actions": [action | {"action_ts": server.workspace.ids.ts()}],
    }
    if not ephemeral:
        body["message"] = message_json(server.workspace, message, metadata=True)
    return body


def view_action(server: SlackBackend, user: User, view: View, action: Json) -> Json:
    """`block_actions` in a modal or on the Home tab."""
    return {
        **_common(server, user, "block_actions"),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": server.triggers.issue(user.id),
        "view": view_json(server.workspace, view),
        "state": {"values": view.state},
        "actions": [action | {"action_ts": server.workspace.ids.ts()}],
    }


def view_submission(server: SlackBackend, user: User, view: View) -> Json:
    """`view_submission` of a modal."""
    return {
        **_common(server, user, "view_submission", user.elsewhere or TEAM_ID),
        "trigger_id": server.triggers.issue(user.id),
        "view": view_json(server.workspace, view),
        "response_urls": [],
    }


def view_closed(server: SlackBackend, user: User, view: View, *, cleared: bool) -> Json:
    """`view_closed` of a modal that asked to be told."""
    return {
        **_common(server, user, "view_closed"),
        "view": view_json(server.workspace, view),
        "is_cleared": cleared,
    }


def slash_command(server: SlackBackend, user: User, channel: Channel, command: str, text: str) -> Json:
    """Build the form of a slash command."""
    return {
        "token": server.app.verification_token,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": _escaped(server, text),
        "api_app_id": server.app.app_id,
        "is_enterprise_install": "false",
        "response_url": server.response_url(channel.id, user.id),
        "trigger_id": server.triggers.issue(user.id),
    }


def _escaped(server: SlackBackend, text: str) -> str:
    """Return a command's text with people as ``<@U…|name>``, as Slack does for an app that asks for it."""
    ids = {user.name.lower(): user.id for user in server.workspace.users.values()}

    def person(found: re.Match[str]) -> str:
        known = ids.get(found[1].lower())
        return f"<@{known}|{found[1]}>" if known else found[0]

    return _PERSON.sub(person, text)


def message_event(server: SlackBackend, user: User, message: Message, kind: str) -> Json:
    """`message` or `app_mention` for what a person wrote."""
    channel = server.workspace.channel(message.channel)
    body: Json = {
        "type": kind,
        "user": user.id,
        "text": message.text,
        "ts": message.ts,
        "team": user.elsewhere or TEAM_ID,
        "channel": channel.id,
        "event_ts": message.ts,
    }
    if message.is_reply:
        body["thread_ts"] = message.thread_ts
    if kind == "message":
        private = "group" if channel.is_private else "channel"
        body["channel_type"] = "im" if channel.is_im else private
    return body


def home_opened(server: SlackBackend, user: User) -> Json:
    """`app_home_opened`."""
    body: Json = {
        "type": "app_home_opened",
        "user": user.id,
        "channel": server.workspace.direct(user.id).id,
        "tab": "home",
        "event_ts": server.workspace.ids.ts(),
    }
    home = server.workspace.homes.get(user.id)
    return body | ({"view": view_json(server.workspace, home)} if home else {})
