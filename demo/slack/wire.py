"""Messages, files and views as JSON, in the shape Slack's answers have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from demo.slack.workspace import TEAM_ID

if TYPE_CHECKING:
    from demo.slack.model import Json, Message, SharedFile, View
    from demo.slack.workspace import Workspace


def message_json(workspace: Workspace, message: Message, *, metadata: bool = False) -> Json:
    """Return a message as `conversations.history` shows it; `metadata` adds the payload it was posted with."""
    body: Json = {"type": "message", "ts": message.ts, "user": message.user, "text": message.text}
    if message.tombstone:
        body.update(subtype="tombstone", hidden=True, user="USLACKBOT")
    elif message.bot_id is not None:
        profile = {
            "id": message.bot_id,
            "app_id": message.app_id,
            "name": workspace.app.display_name,
            "team_id": TEAM_ID,
        }
        body.update(bot_id=message.bot_id, app_id=message.app_id, bot_profile=profile)
    body["team"] = TEAM_ID
    for name in ("blocks", "attachments", "files"):
        if value := getattr(message, name):
            body[name] = value
    if message.files:
        body["upload"] = True
    if message.thread_ts is not None:
        body["thread_ts"] = message.thread_ts
        body.update(_thread_facts(workspace, message))
    if message.edited_ts is not None:
        body["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if metadata and message.metadata is not None:
        body["metadata"] = message.metadata
    return body


def _thread_facts(workspace: Workspace, message: Message) -> Json:
    """Return what a parent says of its replies, or a reply of its parent."""
    thread = workspace.thread(message.channel, message.thread_ts or message.ts)
    if message.is_reply:
        facts: Json = {"parent_user_id": thread[0].user} if thread else {}
        return facts | ({"subtype": "thread_broadcast"} if message.broadcast else {})
    replies = thread[1:]
    users = list(dict.fromkeys(reply.user for reply in replies))
    facts = {
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "is_locked": False,
        "subscribed": False,
    }
    return facts | ({"latest_reply": replies[-1].ts} if replies else {})


def permalink(base_url: str, message: Message) -> str:
    """Return the message's address in the workspace page."""
    link = f"{base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else link


def file_json(base_url: str, file: SharedFile) -> Json:
    """Return a file as `files.info` gives it."""
    url = f"{base_url}/files/{file.id}/{quote(file.name)}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "alt_txt": file.alt_text,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2].lower() if "." in file.name else "binary",
        "user": file.user,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "url_private": url,
        "url_private_download": url,
        "permalink": url,
        "shares": file.shares,
        "channels": list(file.shares.get("public", {})),
        "groups": list(file.shares.get("private", {})),
    }


def view_json(workspace: Workspace, view: View) -> Json:
    """Return a view as `views.*` answer it and as interactions carry it."""
    body = {name: value for name, value in view.body.items() if value is not None}
    return {
        "private_metadata": "",
        "callback_id": "",
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        **body,
        "id": view.id,
        "team_id": TEAM_ID,
        "type": view.kind,
        "state": {"values": view.state},
        "hash": view.hash,
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": workspace.app.app_id,
        "external_id": view.external_id,
        "app_installed_team_id": TEAM_ID,
        "bot_id": workspace.app.bot_id,
    }
