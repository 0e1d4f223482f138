"""apps.*: opening a Socket Mode connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.slack.model import Json
    from demo.slack.web.call import WebCall


async def connections_open(call: WebCall) -> Json:
    """apps.connections.open: a WebSocket address that is good for one connection."""
    return {"url": call.server.sockets.new_address()}
