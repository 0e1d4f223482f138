"""A click or a submitted form, read from Slack's payload once, so that handlers speak of who, what and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_VALUE = 2000


@dataclass(frozen=True, slots=True)
class Click:
    """Who clicked, the opaque id their button carried, and where to answer them.

    ``channel`` is empty where there is none (App Home); ``trigger_id`` opens one modal within three seconds.
    """

    user: str
    user_name: str
    handle: str
    action_id: str
    channel: str = ""
    message_ts: str = ""
    thread_ts: str = ""
    trigger_id: str = ""

    @property
    def in_thread(self) -> bool:
        """Whether what was pressed stands inside a thread; a message at the top may have one below it."""
        return bool(self.thread_ts) and self.thread_ts != self.message_ts


def read_click(body: Mapping[str, Any]) -> Click:
    """Read a ``block_actions`` payload. A value that is no text counts as none: it finds nothing."""
    user = _map(body.get("user"))
    actions = body.get("actions") or [{}]
    action = _map(actions[0])
    container, message = _map(body.get("container")), _map(body.get("message"))
    value = action.get("value") or _map(action.get("selected_option")).get("value")
    return Click(
        user=_text(user.get("id")),
        user_name=_text(user.get("username")) or _text(user.get("name")),
        handle=_text(value)[:MOST_VALUE],
        action_id=_text(action.get("action_id")),
        channel=_text(_map(body.get("channel")).get("id")) or _text(container.get("channel_id")),
        message_ts=_text(message.get("ts")) or _text(container.get("message_ts")),
        thread_ts=_text(message.get("thread_ts")) or _text(container.get("thread_ts")),
        trigger_id=_text(body.get("trigger_id")),
    )


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
