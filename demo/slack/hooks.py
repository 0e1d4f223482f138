"""What the app POSTs to a `response_url`: a new message, a replacement, a removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from demo.slack.api import broken, do_late
from demo.slack.blockkit import fill_ids
from demo.slack.errors import SlackError
from demo.slack.model import Message
from demo.slack.web.call import Args
from demo.slack.web.chat import POST_TEXT, read_content, read_metadata

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.triggers import Reply


async def respond(server: SlackBackend, request: web.Request) -> web.StreamResponse:
    """Serve `POST /response/{key}`; faults call it `response_url`."""
    try:
        body = await request.json()
    except ValueError:
        return web.json_response(SlackError("invalid_payload").answer(), status=400)
    fault = server.faults.take("response_url", body if isinstance(body, dict) else {})

    async def do() -> web.Response:
        return _answered(server, request.match_info["key"], body)

    if fault is not None and fault.kind == "late":
        return await do_late(server, fault.seconds, do)
    if fault is not None and not fault.processed:
        return await broken(request, fault)
    response = await do()
    return response if fault is None else await broken(request, fault, response)


def _answered(server: SlackBackend, key: str, body: object) -> web.Response:
    try:
        apply(server, server.response_urls.use(key), _args(body))
    except SlackError as error:
        status = 404 if error.code.endswith("_url") else 400
        return web.json_response(error.answer(), status=status)
    return web.Response(text="ok")


def _args(body: object) -> Args:
    if not isinstance(body, dict):
        raise SlackError("invalid_payload")
    return Args(body)


def apply(server: SlackBackend, reply: Reply, args: Args) -> None:
    """Do what one answer asks for; `SlackError` when its content is refused."""
    original = reply.message
    if args.flag("delete_original") and original is not None:
        server.workspace.delete(original)
        reply.message = None
        return
    text, blocks, attachments = read_content(args, POST_TEXT)
    if args.flag("replace_original") and original is not None:
        original.text, original.attachments = text, attachments
        original.blocks = fill_ids(blocks, server.workspace.ids)
        original.metadata = read_metadata(args) or original.metadata
        server.workspace.edited(original)
        return
    posted = show(server, reply, args)
    if original is None:  # of a command: what its address says first is what it replaces later
        reply.message = posted


def show(server: SlackBackend, reply: Reply, args: Args) -> Message:
    """Post an answer: to everybody with `response_type: in_channel`, else to the person who acted."""
    text, blocks, attachments = read_content(args, POST_TEXT)
    app, ids = server.workspace.app, server.workspace.ids
    public = args.text("response_type", "ephemeral") == "in_channel"
    thread = args.maybe("thread_ts")
    if thread is None and reply.message is not None and reply.message.is_reply:
        thread = reply.message.thread_ts
    return server.workspace.post(
        Message(
            reply.channel,
            ids.ts(),
            app.bot_user,
            text=text,
            blocks=fill_ids(blocks, ids),
            attachments=attachments,
            metadata=read_metadata(args),
            thread_ts=thread,
            bot_id=app.bot_id,
            app_id=app.app_id,
            ephemeral_to=None if public else reply.user,
        )
    )
