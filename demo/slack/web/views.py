"""views.*: modals and Home tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.slack.errors import SlackError
from demo.slack.wire import view_json

if TYPE_CHECKING:
    from demo.slack.model import Json, View
    from demo.slack.web.call import WebCall


def _body(call: WebCall) -> Json:
    view = call.args.json("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["missing required field: view"])
    return view


def _answer(call: WebCall, view: View) -> Json:
    return {"view": view_json(call.workspace, view)}


async def open_view(call: WebCall) -> Json:
    """views.open: a modal for the person whose act gave the trigger."""
    body = call.server.modals.checked(_body(call))
    user = call.server.triggers.spend(call.args.text("trigger_id"))
    return _answer(call, call.server.modals.open(user, body))


async def push(call: WebCall) -> Json:
    """views.push: a modal on top of the one that is open, three deep at most."""
    body = call.server.modals.checked(_body(call))
    user = call.server.triggers.spend(call.args.text("trigger_id"))
    return _answer(call, call.server.modals.push(user, body))


async def update(call: WebCall) -> Json:
    """views.update, by `view_id` or `external_id`; with a `hash` only when it is the current one."""
    body = _body(call)
    view = call.server.modals.find(call.args.maybe("view_id"), call.args.maybe("external_id"))
    return _answer(call, call.server.modals.update(view, body, call.args.maybe("hash")))


async def publish(call: WebCall) -> Json:
    """views.publish: a user's Home tab."""
    user = call.args.text("user_id")
    if user not in call.workspace.users:
        raise SlackError("user_not_found")
    return _answer(call, call.server.modals.publish(user, _body(call), call.args.maybe("hash")))
