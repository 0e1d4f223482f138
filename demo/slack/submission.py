"""Submitting a form: what Slack refuses by itself, and how the app's answer changes the modal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.slack.errors import SlackError
from demo.slack.inputs import problem

if TYPE_CHECKING:
    from demo.slack.backend import SlackBackend
    from demo.slack.model import Json, View
    from demo.slack.sockets import Ack

TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class ActOutcome:
    """How the app answered a click, a command or a form.

    `acked` within three seconds or not, after `seconds`; `why` it was not, in Slack's words; `payload` is the answer.
    `errors` (block id → text) are what the form shows: by Slack itself (`sent` is then False) or by the app.
    """

    acked: bool
    seconds: float = 0.0
    payload: Json | None = None
    why: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    sent: bool = True


def outcome_of(ack: Ack) -> ActOutcome:
    """Return the plain outcome of an acknowledgement, or of its absence."""
    return ActOutcome(acked=ack.acked, seconds=ack.seconds, payload=ack.payload, why=ack.why)


def refused_by_slack(view: View) -> dict[str, str]:
    """Return what Slack itself says of a form before it is sent: block id → text."""
    found = {}
    for block in view.body["blocks"]:
        if block["type"] == "input":
            entry = view.state[block["block_id"]][block["element"]["action_id"]]
            said = problem(block, entry)
            if said is not None:
                found[block["block_id"]] = said
    return found


def answered(server: SlackBackend, view: View, ack: Ack) -> ActOutcome:
    """Do what the answer to a submission asks for: errors, update, push, clear, or close by default."""
    try:
        return _apply(server, view, ack)
    except (SlackError, KeyError) as error:
        server.modals.reject(view, {"": TROUBLE})
        return ActOutcome(
            acked=True, seconds=ack.seconds, payload=ack.payload, why=f"answer refused: {error}"
        )


def _apply(server: SlackBackend, view: View, ack: Ack) -> ActOutcome:
    modals, answer = server.modals, ack.payload or {}
    action = answer.get("response_action")
    if action == "errors":
        return _errors(server, view, ack, dict(answer.get("errors") or {}))
    if action == "update":
        modals.update(view, answer["view"])
    elif action == "push":
        modals.push(view.user, modals.checked(answer["view"]))
    elif action == "clear":
        modals.clear(view.user)
    else:
        modals.close(view)
    return outcome_of(ack)


def _errors(server: SlackBackend, view: View, ack: Ack, errors: dict[str, str]) -> ActOutcome:
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not errors or not set(errors) <= inputs:
        raise SlackError("invalid_arguments", [f"errors must name input blocks, one of {sorted(inputs)}"])
    server.modals.reject(view, errors)
    return ActOutcome(acked=True, seconds=ack.seconds, payload=ack.payload, errors=errors)
