"""chat.*: posting, editing and taking back messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from demo.slack.blockkit import check_message, fill_ids
from demo.slack.errors import SlackError
from demo.slack.model import Message
from demo.slack.wire import message_json, permalink

if TYPE_CHECKING:
    from demo.slack.model import Channel, Json
    from demo.slack.web.call import Args, WebCall

POST_TEXT = 40_000
UPDATE_TEXT = 4_000
METADATA_BYTES = 8_000
ATTACHMENTS = 100


def read_content(args: Args, most: int) -> tuple[str, list[Json], list[Json]]:
    """Return the checked (text, blocks, attachments) of a message; `SlackError` when refused."""
    text, blocks = args.text("text", ""), args.blocks("blocks") or []
    attachments = args.blocks("attachments") or []
    if len(text) > most:
        raise SlackError("msg_too_long")
    if len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    check_message(blocks)
    for index, attachment in enumerate(attachments):
        check_message(attachment.get("blocks") or [], f"/attachments/{index}/blocks")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    return text, blocks, attachments


def read_metadata(args: Args) -> Json | None:
    """Return the checked `metadata` of a message, or None when none was sent."""
    metadata = args.json("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def compose(call: WebCall, channel: Channel, *, ephemeral_to: str | None = None) -> Message:
    """Build the app's new message out of the arguments of a call."""
    text, blocks, attachments = read_content(call.args, POST_TEXT)
    ids, app = call.workspace.ids, call.workspace.app
    for attachment in attachments:
        fill_ids(attachment.get("blocks") or [], ids)
    return Message(
        channel.id,
        ids.ts(),
        app.bot_user,
        text=text,
        blocks=fill_ids(blocks, ids),
        attachments=attachments,
        metadata=read_metadata(call.args),
        thread_ts=call.args.maybe("thread_ts"),
        broadcast=call.args.flag("reply_broadcast"),
        bot_id=app.bot_id,
        app_id=app.app_id,
        ephemeral_to=ephemeral_to,
    )


def _addressed(call: WebCall) -> Channel:
    """Return the channel to post to: an id, a name, or a user's id for the direct message."""
    key = call.args.text("channel", "")
    if key in call.workspace.users:
        return call.workspace.direct(key)
    channel = call.channel(by_name=True)
    if channel.is_archived:
        raise SlackError("is_archived")
    may_post = call.token.user in channel.members or "chat:write.public" in call.token.scopes
    if not may_post:
        raise SlackError("not_in_channel")
    return channel


async def post_message(call: WebCall) -> Json:
    """chat.postMessage."""
    channel = _addressed(call)
    message = call.workspace.post(compose(call, channel))
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(call.workspace, message, metadata=True),
    }


async def post_ephemeral(call: WebCall) -> Json:
    """chat.postEphemeral: one member of the channel sees it; it is in no history."""
    channel = call.joined_channel()
    user = call.args.text("user")
    if user not in call.workspace.users:
        raise SlackError("user_not_found")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = call.workspace.post(compose(call, channel, ephemeral_to=user))
    return {"message_ts": message.ts}


def _own(call: WebCall, refusal: str) -> Message:
    channel = call.channel()
    message = call.workspace.message(channel.id, call.args.text("ts"))
    if message.user != call.token.user:
        raise SlackError(refusal)
    return message


async def update(call: WebCall) -> Json:
    """chat.update: the content is replaced as a whole, so text alone takes the blocks away; metadata stays."""
    message = _own(call, "cant_update_message")
    text, blocks, attachments = read_content(call.args, UPDATE_TEXT)
    metadata = read_metadata(call.args)
    message.text, message.attachments = text, attachments
    message.blocks = fill_ids(blocks, call.workspace.ids)
    message.metadata = message.metadata if metadata is None else metadata
    message.broadcast = message.broadcast or call.args.flag("reply_broadcast")
    call.workspace.edited(message)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(call.workspace, message, metadata=True),
    }


async def delete(call: WebCall) -> Json:
    """chat.delete."""
    message = _own(call, "cant_delete_message")
    call.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


async def get_permalink(call: WebCall) -> Json:
    """chat.getPermalink."""
    channel = call.channel()
    message = call.workspace.message(channel.id, call.args.text("message_ts"))
    return {"channel": channel.id, "permalink": permalink(call.server.base_url, message)}
