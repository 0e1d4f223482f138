"""What must hold of what Slack sends before anything reads it: Slack's own shapes, neither too deep nor too large.

A signature, or a WebSocket, says who sent a body, not that the body makes sense: a proxy cuts, a tool of the workspace
sends by hand, and a listener that meets a list where it expects an object would answer 500.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")
MOST_FIELDS = 100
MOST_DEPTH = 40
"""A view of Slack's nests twelve deep."""


class Odd(ValueError):
    """A body that is none of Slack's; the text says why, and quotes nothing of it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)


class _WithId(_Part):
    id: str | None = None


class _Person(_WithId):
    username: str | None = None
    name: str | None = None
    team_id: str | None = None


class _Element(_Part):
    action_id: str | None = None
    block_id: str | None = None
    type: str | None = None
    value: str | None = None
    selected_option: dict[str, Any] | None = None


class _ViewState(_Part):
    values: dict[str, dict[str, _Element]] | None = None


class _ShownView(_Part):
    id: str | None = None
    type: str | None = None
    callback_id: str | None = None
    private_metadata: str | None = None
    hash: str | None = None
    state: _ViewState | None = None


class _ShownWhere(_Part):
    channel_id: str | None = None
    message_ts: str | None = None
    thread_ts: str | None = None


class _ShownMessage(_Part):
    ts: str | None = None
    thread_ts: str | None = None
    user: str | None = None
    text: str | None = None


class _Interaction(_Part):
    """What comes as ``payload=``: a click, a form, a closed view, a shortcut."""

    type: str
    user: _Person | None = None
    team: _WithId | None = None
    enterprise: _WithId | None = None
    channel: _WithId | None = None
    is_enterprise_install: bool | str | None = None
    actions: list[_Element] | None = None
    view: _ShownView | None = None
    container: _ShownWhere | None = None
    message: _ShownMessage | None = None
    trigger_id: str | None = None
    response_url: str | None = None
    callback_id: str | None = None


class _Inner(_Part):
    type: str
    user: str | _WithId | None = None
    channel: str | _WithId | None = None
    text: str | None = None
    ts: str | None = None
    thread_ts: str | None = None
    tab: str | None = None
    bot_id: str | None = None
    team: str | None = None
    view: _ShownView | None = None
    item: dict[str, Any] | None = None
    message: _ShownMessage | None = None
    bot_profile: dict[str, Any] | None = None


class _Authorization(_Part):
    team_id: str | None = None
    enterprise_id: str | None = None
    user_id: str | None = None


class _Event(_Part):
    """What comes as JSON: an event, or the question whether we own the address."""

    type: str
    challenge: str | None = None
    team_id: str | None = None
    enterprise_id: str | None = None
    is_enterprise_install: bool | str | None = None
    authorizations: list[_Authorization] | None = None
    event: _Inner | None = None


class _SocketMessage(_Part):
    """What comes over a WebSocket: with an id it wants to be acknowledged."""

    type: str
    envelope_id: str | None = None
    payload: dict[str, Any] | None = None


class _SlashCommand(_Part):
    command: str
    text: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    team_id: str | None = None
    enterprise_id: str | None = None
    channel_id: str | None = None
    trigger_id: str | None = None
    response_url: str | None = None


_SOCKET_MESSAGE: TypeAdapter[_SocketMessage] = TypeAdapter(_SocketMessage)
_SLASH_COMMAND: TypeAdapter[_SlashCommand] = TypeAdapter(_SlashCommand)
_INTERACTION: TypeAdapter[_Interaction] = TypeAdapter(_Interaction)
_EVENT: TypeAdapter[_Event] = TypeAdapter(_Event)


def look_over(body: str, content_type: str) -> None:
    """Return where a body is one of Slack's. Raises Odd."""
    if "json" in content_type.lower() or body.lstrip().startswith("{"):
        told = _fits(_EVENT, _read(body, "the body"))
        if told.type == "event_callback" and told.event is None:
            raise Odd("an event without an event")
        return
    fields = _fields(body)
    if "payload" in fields:
        _whole(_fits(_INTERACTION, _read(fields["payload"], "the payload")))
    elif not fields.get("command") and "ssl_check" not in fields:
        raise Odd("the form has neither a payload nor a command")


def look_over_envelope(text: str) -> dict[str, Any]:
    """Return what came over a WebSocket where it is one of Slack's. Raises Odd."""
    found = _read(text, "the message")
    told = _fits(_SOCKET_MESSAGE, found)
    if told.envelope_id is not None:
        _look_into(told.type, told.payload)
    return dict(found) if isinstance(found, dict) else {}


def _look_into(kind: str, payload: object) -> None:
    """Hold what an envelope carries against its type; what is of another type nothing here reads."""
    if kind == "interactive":
        _whole(_fits(_INTERACTION, payload))
    elif kind == "slash_commands":
        _fits(_SLASH_COMMAND, payload)
    elif kind == "events_api" and _fits(_EVENT, payload).event is None:
        raise Odd("an event without an event")


def _whole(told: _Interaction) -> None:
    """Hold against its type what Slack never leaves out."""
    if told.type in {"block_actions", "interactive_message"} and not told.actions:
        raise Odd("a click on nothing")
    if told.type == "block_actions" and not all(each.action_id and each.type for each in told.actions or ()):
        raise Odd("a click on an element without a name or type")
    if told.type in {"view_submission", "view_closed"} and not (
        told.view and told.view.type and told.view.callback_id
    ):
        raise Odd("a form without a name or type")


def _fields(body: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:  # UnicodeDecodeError is one
        raise Odd("the body is no form") from error
    return dict(_once(pairs))


def _read(text: str, what: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once_in)
    except Odd:
        raise
    except (ValueError, RecursionError) as error:
        raise Odd(f"{what} is no JSON") from error
    if _too_deep(found):
        raise Odd(f"{what} is nested deeper than {MOST_DEPTH}")
    return found


def _once(pairs: Sequence[tuple[str, Any]]) -> Sequence[tuple[str, Any]]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise Odd("a field stands there twice")
    return pairs


def _once_in(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(_once(pairs))


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return False
    return True


def _inside(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _fits(shape: TypeAdapter[T], found: object) -> T:
    try:
        return shape.validate_python(found)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # Names of the model's own fields and positions alone: a key of the body's is not quoted.
        where = ".".join(str(part) for part in first["loc"][:2] if isinstance(part, str))[:60]
        raise Odd(f"{where if where.isidentifier() else 'a field'} has not Slack's shape") from error
