"""How what people do is sent to the app: clicks and commands once, events until they are acknowledged."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from demo.slack.workspace import TEAM_ID

if TYPE_CHECKING:
    from demo.slack.model import Json
    from demo.slack.settings import AppConfig, Timing
    from demo.slack.signed import SignedRequests
    from demo.slack.sockets import Ack, Sockets
    from demo.slack.tasks import Background
    from demo.slack.workspace import Workspace


class Delivery:
    """Sends through Socket Mode, or signed requests when the app has a `request_url`."""

    def __init__(
        self,
        workspace: Workspace,
        timing: Timing,
        sockets: Sockets,
        signed: SignedRequests,
        tasks: Background,
    ) -> None:
        self._workspace = workspace
        self._timing = timing
        self._sockets = sockets
        self._signed = signed
        self._tasks = tasks
        self.events_lost: list[Json] = []

    @property
    def _app(self) -> AppConfig:
        return self._workspace.app

    async def _send(self, kind: str, payload: Json, **more: object) -> Ack:
        way = self._signed if self._app.request_url else self._sockets
        return await way.send(kind, payload, self._timing.ack, **more)

    async def interactive(self, payload: Json) -> Ack:
        """Send a click or a submission, once: what is not acknowledged is lost."""
        return await self._send("interactive", payload, accepts_response_payload=True)

    async def command(self, payload: Json) -> Ack:
        """Send a slash command, once."""
        return await self._send("slash_commands", payload, accepts_response_payload=True)

    def event(self, event: Json) -> None:
        """Send an event the app is subscribed to, in the background, again and again until acknowledged."""
        if _subscription(event) in self._app.events:
            self._tasks.spawn(self._deliver(self._wrapped(event)))

    async def _deliver(self, payload: Json) -> None:
        reason = ""
        for attempt, pause in enumerate((0.0, *self._timing.event_retries)):
            await asyncio.sleep(pause)
            ack = await self._send(
                "events_api",
                payload,
                accepts_response_payload=False,
                retry_attempt=attempt,
                retry_reason=reason,
            )
            if ack.acked:
                return
            reason = "timeout" if ack.why == "operation_timeout" else "http_error"
        self.events_lost.append(payload)

    def _wrapped(self, event: Json) -> Json:
        return {
            "token": self._app.verification_token,
            "team_id": TEAM_ID,
            "api_app_id": self._app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.ids.object("Ev"),
            "event_time": int(self._workspace.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM_ID,
                    "user_id": self._app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": event.get("team", TEAM_ID) != TEAM_ID,
        }


def _subscription(event: Json) -> str:
    """Return the name an app subscribes to, e.g. `app_mention` or `message.channels`."""
    if event["type"] != "message":
        return str(event["type"])
    return "message.im" if event["channel_type"] == "im" else f"message.{event['channel_type']}s"
