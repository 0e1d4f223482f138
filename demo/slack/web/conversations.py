"""conversations.*: reading channels, threads and their members."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from demo.slack.errors import SlackError
from demo.slack.web.call import page
from demo.slack.wire import message_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.slack.model import Channel, Json, Message
    from demo.slack.web.call import WebCall

HISTORY_DEFAULT, HISTORY_MOST = 100, 999
REPLIES_DEFAULT, REPLIES_MOST = 1000, 1000


def _instant(call: WebCall, name: str) -> Decimal | None:
    raw = call.args.maybe(name)
    if raw is None:
        return None
    try:
        return Decimal(raw)
    except InvalidOperation:
        raise SlackError(f"invalid_ts_{name}") from None


def _within(call: WebCall, messages: Iterable[Message]) -> list[Message]:
    """Return the messages between `oldest` and `latest`, bounds left out unless `inclusive`."""
    oldest, latest = _instant(call, "oldest"), _instant(call, "latest")
    inclusive = call.args.flag("inclusive")

    def fits(ts: Decimal) -> bool:
        if oldest is not None and (ts < oldest or (ts == oldest and not inclusive)):
            return False
        return latest is None or ts < latest or (ts == latest and inclusive)

    return [message for message in messages if fits(Decimal(message.ts))]


def _answer(call: WebCall, messages: list[Message], following: str) -> Json:
    metadata = call.args.flag("include_all_metadata")
    body: Json = {
        "messages": [message_json(call.workspace, message, metadata=metadata) for message in messages],
        "has_more": bool(following),
    }
    return body | ({"response_metadata": {"next_cursor": following}} if following else {})


async def history(call: WebCall) -> Json:
    """conversations.history: newest first. With `oldest` and no `latest` the pages go forward from `oldest`."""
    channel = call.joined_channel()
    visible = (m for m in channel.messages.values() if not m.is_reply or m.broadcast)
    found = _within(call, visible)
    forward = call.args.maybe("oldest") is not None and call.args.maybe("latest") is None
    ordered = found if forward else found[::-1]
    limit = call.args.number("limit", HISTORY_DEFAULT, HISTORY_MOST)
    some, following = page(ordered, call.args.maybe("cursor"), limit)
    return _answer(call, some[::-1] if forward else some, following) | {"pin_count": 0}


async def replies(call: WebCall) -> Json:
    """conversations.replies: oldest first; the parent leads every page."""
    channel = call.joined_channel()
    wanted = channel.messages.get(call.args.text("ts"))
    if wanted is None:
        raise SlackError("thread_not_found")
    parent, *rest = call.workspace.thread(channel.id, wanted.thread_ts or wanted.ts)
    limit = call.args.number("limit", REPLIES_DEFAULT, REPLIES_MOST)
    some, following = page(_within(call, rest), call.args.maybe("cursor"), limit)
    return _answer(call, [parent, *some], following)


async def info(call: WebCall) -> Json:
    """conversations.info."""
    return {"channel": call.channel().to_slack(call.token.user)}


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


async def list_all(call: WebCall) -> Json:
    """conversations.list: what the caller may see, by `types`."""
    kinds = set(call.args.text("types", "public_channel").replace(" ", "").split(","))
    seen = [
        channel
        for channel in call.workspace.channels.values()
        if _kind(channel) in kinds
        and (not channel.is_private or call.token.user in channel.members)
        and not (channel.is_archived and call.args.flag("exclude_archived"))
    ]
    some, following = page(seen, call.args.maybe("cursor"), call.args.number("limit", 100, 999))
    return {
        "channels": [channel.to_slack(call.token.user) for channel in some],
        "response_metadata": {"next_cursor": following},
    }


async def join(call: WebCall) -> Json:
    """conversations.join: public channels only."""
    channel = call.channel()
    if channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    channel.members.add(call.token.user)
    return {"channel": channel.to_slack(call.token.user)}


async def open_direct(call: WebCall) -> Json:
    """conversations.open: the direct message with one user."""
    users = call.args.text("users").split(",")
    if len(users) != 1:
        raise SlackError("method_not_supported_for_channel_type")
    if users[0] not in call.workspace.users:
        raise SlackError("user_not_found")
    channel = call.workspace.direct(users[0])
    return {"channel": channel.to_slack(call.token.user) | {"created": channel.created}}


async def members(call: WebCall) -> Json:
    """conversations.members."""
    channel = call.channel()
    some, following = page(
        sorted(channel.members), call.args.maybe("cursor"), call.args.number("limit", 100, 1000)
    )
    return {"members": some, "response_metadata": {"next_cursor": following}}
