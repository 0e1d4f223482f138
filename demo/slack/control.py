"""`POST /_control/{verb}`: the server's Python API over JSON, for other processes and for the workspace page.

A body names its arguments; the answer is `{"ok": true, …}`, or 400 with `{"ok": false, "error": …}` saying what was
wrong. `VERBS` is the whole list.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from demo.slack.actor import Actor
from demo.slack.errors import NoSuchElementError, SlackError
from demo.slack.faults import Fault
from demo.slack.model import Json
from demo.slack.wire import file_json, message_json, view_json

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.model import Message, View
    from demo.slack.submission import ActOutcome

Verb = Callable[["SlackBackend", Json], Awaitable[Json]]


def find_message(server: SlackBackend, channel: str, ts: str, user: str) -> Message:
    """Return a message that `user` (id) sees, ephemeral ones too; `SlackError` `message_not_found`."""
    place = server.workspace.channel(channel)
    for message in place.ephemerals:
        if message.ts == ts and message.ephemeral_to == user:
            return message
    return server.workspace.message(place.id, ts)


def _view(server: SlackBackend, view: View | None) -> Json:
    if view is None:
        return {"view": None}
    return {"view": view_json(server.workspace, view), "errors": view.errors}


def _outcome(outcome: ActOutcome) -> Json:
    return {"outcome": dataclasses.asdict(outcome)}


def _listed(server: SlackBackend, messages: list[Message]) -> Json:
    return {"messages": [message_json(server.workspace, message, metadata=True) for message in messages]}


def _target(server: SlackBackend, actor: Actor, body: Json) -> Message | View | None:
    if body.get("home"):
        return actor.home
    if body.get("ts") is None:
        return actor.modal
    return find_message(server, body["channel"], body["ts"], actor.user.id)


async def _info(server: SlackBackend, _: Json) -> Json:
    app, workspace = server.app, server.workspace
    return {
        "base_url": server.base_url,
        "api_url": server.api_url,
        "bot_token": app.bot_token,
        "app_token": app.app_token,
        "signing_secret": app.signing_secret,
        "users": {user.name: user.id for user in workspace.users.values()},
        "groups": {group.handle: group.id for group in workspace.groups.values()},
        "channels": {channel.name: channel.id for channel in workspace.channels.values()},
        "connections": len(server.sockets.connections),
        "connections_opened": server.sockets.opened,
    }


async def _messages(server: SlackBackend, body: Json) -> Json:
    return _listed(server, server.messages(body["channel"], replies=body.get("replies", False)))


async def _thread(server: SlackBackend, body: Json) -> Json:
    return _listed(server, server.thread(server.workspace.message(body["channel"], body["ts"])))


async def _ephemerals(server: SlackBackend, body: Json) -> Json:
    return _listed(server, server.ephemerals(body["channel"], body.get("user")))


async def _deliveries(server: SlackBackend, _: Json) -> Json:
    return {"deliveries": dict(server.deliveries())}


async def _files(server: SlackBackend, _: Json) -> Json:
    return {"files": [file_json(server.base_url, file) for file in server.workspace.files.values()]}


async def _calls(server: SlackBackend, body: Json) -> Json:
    found = server.calls.of(body.get("method"), ok=body.get("only_ok"), channel=body.get("channel"))
    return {"calls": [dataclasses.asdict(call) for call in found]}


async def _clear_calls(server: SlackBackend, _: Json) -> Json:
    server.calls.clear()
    return {}


async def _fault(server: SlackBackend, body: Json) -> Json:
    server.faults.add(Fault(**body))
    return {"pending": server.faults.pending}


async def _clear_faults(server: SlackBackend, _: Json) -> Json:
    server.faults.clear()
    return {}


async def _rate_limits(server: SlackBackend, body: Json) -> Json:
    server.pace.enabled = bool(body["on"])
    return {}


async def _delete(server: SlackBackend, body: Json) -> Json:
    server.delete(server.workspace.message(body["channel"], body["ts"]))
    return {}


async def _drop(server: SlackBackend, body: Json) -> Json:
    return {"dropped": server.sockets.drop(body.get("count"))}


async def _stop_answering(server: SlackBackend, body: Json) -> Json:
    return {"silent": server.sockets.stop_answering(body.get("count"), frozen=body.get("frozen", False))}


async def _refresh(server: SlackBackend, body: Json) -> Json:
    await server.sockets.refresh(warning=body.get("warning", False))
    return {}


def _member(server: SlackBackend, body: Json) -> Actor:
    return Actor(server, server.workspace.user(body["user"]))


async def _say(server: SlackBackend, body: Json) -> Json:
    said = _member(server, body).say(body["channel"], body["text"], body.get("thread_ts"))
    return {"ts": said.ts}


async def _command(server: SlackBackend, body: Json) -> Json:
    return _outcome(await _member(server, body).command(body["line"], body["channel"]))


async def _click(server: SlackBackend, body: Json) -> Json:
    actor = _member(server, body)
    target = _target(server, actor, body)
    done = await actor.click(target, body["action_id"], body.get("value"), block_id=body.get("block_id"))
    return _outcome(done)


async def _enter(server: SlackBackend, body: Json) -> Json:
    _member(server, body).enter(body["action_id"], body.get("value"), block_id=body.get("block_id"))
    return {}


async def _submit(server: SlackBackend, body: Json) -> Json:
    """Submit: `values` by action id, or `entries` that name block, action and value."""
    actor = _member(server, body)
    for entry in body.get("entries", []):
        actor.enter(entry["action_id"], entry["value"], block_id=entry["block_id"])
    return _outcome(await actor.submit(body.get("values")))


async def _close(server: SlackBackend, body: Json) -> Json:
    return _outcome(await _member(server, body).close(cleared=body.get("cleared", False)))


async def _modal(server: SlackBackend, body: Json) -> Json:
    return _view(server, _member(server, body).modal)


async def _open_home(server: SlackBackend, body: Json) -> Json:
    _member(server, body).open_home()
    return {}


async def _home(server: SlackBackend, body: Json) -> Json:
    return _view(server, _member(server, body).home)


VERBS: dict[str, Verb] = {
    "info": _info,
    "messages": _messages,
    "thread": _thread,
    "ephemerals": _ephemerals,
    "deliveries": _deliveries,
    "files": _files,
    "calls": _calls,
    "clear_calls": _clear_calls,
    "fault": _fault,
    "clear_faults": _clear_faults,
    "rate_limits": _rate_limits,
    "delete": _delete,
    "drop": _drop,
    "stop_answering": _stop_answering,
    "refresh": _refresh,
    "say": _say,
    "command": _command,
    "click": _click,
    "enter": _enter,
    "submit": _submit,
    "close": _close,
    "modal": _modal,
    "open_home": _open_home,
    "home": _home,
}


async def _done(server: SlackBackend, name: str, body: Any) -> web.Response:  # noqa: ANN401 - JSON from outside
    verb = VERBS.get(name)
    if verb is None:
        raise LookupError(f"no verb {name!r}; there is {', '.join(VERBS)}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return web.json_response({"ok": True, **await verb(server, body)})


def add_routes(server: SlackBackend, application: web.Application) -> None:
    """Add `POST /_control/{verb}`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="send application/json")
        try:
            return await _done(server, request.match_info["verb"], await request.json())
        except KeyError as error:
            text = f"missing argument {error}"
        except (SlackError, NoSuchElementError, LookupError, TypeError, ValueError) as error:
            text = str(error)
        return web.json_response({"ok": False, "error": text}, status=400)

    application.router.add_post("/_control/{verb}", handle)
