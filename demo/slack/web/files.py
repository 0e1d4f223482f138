"""files.*: the three steps of an upload (ask for an address, send the bytes, share)."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from demo.slack.blockkit import check_message, fill_ids
from demo.slack.errors import SlackError
from demo.slack.model import Message, SharedFile
from demo.slack.wire import file_json

if TYPE_CHECKING:
    from demo.slack.model import Channel, Json
    from demo.slack.web.call import WebCall

MOST_BYTES = 64 * 1024 * 1024


async def get_upload_url(call: WebCall) -> Json:
    """files.getUploadURLExternal: an address that takes exactly `length` bytes."""
    name = call.args.text("filename")
    length = call.args.number("length", 0, MOST_BYTES + 1)
    if length > MOST_BYTES:
        raise SlackError("file_upload_size_restricted")
    ids = call.workspace.ids
    file = SharedFile(
        ids.object("F"),
        name,
        length,
        call.token.user,
        upload_key=ids.secret(),
        alt_text=call.args.text("alt_txt", ""),
        mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        created=int(call.workspace.clock()),
    )
    call.workspace.files[file.id] = file
    return {"upload_url": f"{call.server.base_url}/upload/{file.upload_key}", "file_id": file.id}


def _uploaded(call: WebCall) -> list[SharedFile]:
    """Return the files a completion names, uploaded and not yet completed."""
    listed = call.args.json("files")
    if not isinstance(listed, list) or not listed:
        raise SlackError("invalid_arguments", ["missing required field: files"])
    files = []
    for entry in listed:
        file = call.workspace.files.get(entry.get("id", "")) if isinstance(entry, dict) else None
        if file is None or file.content is None or file.completed:
            raise SlackError("file_not_found")
        file.title = entry.get("title") or file.name
        files.append(file)
    return files


async def complete_upload(call: WebCall) -> Json:
    """files.completeUploadExternal: shares the files as one message, when a channel is named."""
    files = _uploaded(call)
    targets = call.args.maybe("channel_id") or call.args.maybe("channels")
    for key in targets.split(",") if targets else []:
        _share(call, _target(call, key), files)
    for file in files:
        file.completed = True
    return {"files": [file_json(call.server.base_url, file) for file in files]}


def _target(call: WebCall, key: str) -> Channel:
    channel = call.workspace.channels.get(key)
    if channel is None or (channel.is_private and call.token.user not in channel.members):
        raise SlackError("invalid_channel" if key in call.workspace.users else "channel_not_found")
    if call.token.user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _share(call: WebCall, channel: Channel, files: list[SharedFile]) -> None:
    workspace, app = call.workspace, call.workspace.app
    blocks = call.args.blocks("blocks") or []
    check_message(blocks)
    message = workspace.post(
        Message(
            channel.id,
            workspace.ids.ts(),
            app.bot_user,
            text=call.args.text("initial_comment", ""),
            blocks=fill_ids(blocks, workspace.ids),
            files=[file_json(call.server.base_url, file) for file in files],
            thread_ts=call.args.maybe("thread_ts"),
            bot_id=app.bot_id,
            app_id=app.app_id,
        )
    )
    place = {"ts": message.ts} | ({"thread_ts": message.thread_ts} if message.is_reply else {})
    for file in files:
        kind = "private" if channel.is_private else "public"
        file.shares.setdefault(kind, {}).setdefault(channel.id, []).append(place)


async def info(call: WebCall) -> Json:
    """files.info."""
    file = call.workspace.files.get(call.args.text("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    return {"file": file_json(call.server.base_url, file), "comments": []}
