"""The webhook's application on a store, and bodies as Alertmanager posts them."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp

from bot.tuning import EndpointDispatcher
from bot.web import make_web
from handlers.alertmanager import WEBHOOK_PATH, AlertmanagerWebhook
from handlers.health import Dependency, Health
from tests.fakes.clock import ManualClock
from tests.triage.incidents.desk_story import title_of
from triage.desk import Desk
from triage.incidents.intake import Intake
from triage.model import Incident, Signal
from triage.ports.store import Store

TOKEN = "posting-token"


def alert(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what a sender may send, right or wrong
    """Return one alert of a webhook, some of it changed."""
    return {
        "status": "firing",
        "labels": {"alertname": "BotHardStopActive", "bot": "bot1", "severity": "critical"},
        "annotations": {"summary": "bot1 is in hard stop"},
        "startsAt": "2026-02-20T02:59:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=1",
        "fingerprint": "0123456789abcdef",
    } | changes


def webhook(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Return a webhook of version 4 with these alerts, some of it changed."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="BotHardStopActive"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "triage",
        "groupLabels": {"alertname": "BotHardStopActive"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts) or [alert()],
    } | changes


@dataclass
class Doorway:
    """The application with the webhook's handler behind it, and what it rang."""

    store: Store
    token: str = TOKEN
    desk: Desk = field(default_factory=Desk)
    clock: ManualClock = field(default_factory=ManualClock)
    rings: list[str] = field(default_factory=list)
    graves: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        async def well() -> dict[str, Dependency]:
            return {"store": Dependency(ok=True, needed=True)}

        async def page() -> bytes:
            return b""

        self.handler = AlertmanagerWebhook(
            self.store,
            self.desk,
            self.clock,
            self.token,
            stored=lambda: self.rings.append("stored"),
            grave=lambda: self.graves.append("grave"),
            hidden=lambda: self.rings.append("hidden"),
        )
        self.endpoints = [*self.handler.endpoints(), *Health(well, page).endpoints()]
        self.web: ASGIApp = self.application()

    def application(self) -> ASGIApp:
        """Return the application with every route."""
        return make_web(self.endpoints, version="0.0.0")

    def dispatched(self) -> EndpointDispatcher:
        """Return what the service serves."""
        return EndpointDispatcher(self.endpoints, self.application)

    async def post(self, body: object = None, *, path: str = WEBHOOK_PATH, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Post a body (or ``content=``) with the token, unless ``headers`` say otherwise."""
        if "content" not in request:
            request["json"] = webhook() if body is None else body
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        request["headers"] = headers | request.get("headers", {})
        return await self.call("POST", path, **request)

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Send any request."""
        transport = httpx.ASGITransport(self.web)
        async with httpx.AsyncClient(transport=transport, base_url="http://triage") as http:
            return await http.request(method, path, **request)

    async def signals(self) -> list[Signal]:
        """Return what waits to be sorted."""
        return [stored.signal for stored in await self.store.read(lambda tx: tx.signals.inbox(1000))]

    async def sorted(self) -> list[Incident]:
        """Sort what came; returns all open incidents."""
        intake = Intake(self.desk, lambda signal: title_of(self.desk, signal))
        await self.store.write(lambda tx: intake.sort_inbox(tx, self.clock.now()))
        return await self.store.read(lambda tx: tx.incidents.open())
