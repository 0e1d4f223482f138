"""Renders the message of an action from the store."""

from __future__ import annotations

from datetime import datetime

from bot.slack.blocks.action import action_message
from bot.slack.rendered import Rendered
from triage.actions.view import view_action
from triage.memory.people import name_of
from triage.ports.store import Message, Tx


def render_action(tx: Tx, message: Message, now: datetime) -> Rendered | None:
    """Render a message of kind ``action`` (``ref`` is the action's id)."""
    view = view_action(tx, int(message.ref))
    return None if view is None else action_message(view, now, lambda actor: name_of(tx, actor))
