"""``POST /webhooks/alertmanager``: check, store, answer. Nothing is answered 200 before it is on disk."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from loguru import logger
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from handlers.alertmanager_body import Alert, Envelope, Webhook, has_labels, parsed
from handlers.endpoint import Endpoint
from triage.desk import Desk
from triage.errors import BadInput, StoreUnavailable
from triage.incidents.alerts import salvaged_signal
from triage.incidents.shared_fingerprints import with_distinct_fingerprints
from triage.incidents.storm import is_urgent
from triage.masking import masked_where_cut
from triage.model import Signal, SignalStatus
from triage.ports.clock import Clock
from triage.ports.store import WEBHOOK_SECONDS, Store
from triage.signals.watchdog import WATCHDOG_NOTE
from triage.untrusted_text import fault_words

WEBHOOK_PATH = "/webhooks/alertmanager"
BODY_MAX = 4 * 1024 * 1024
"""Bytes of a webhook's body at the most."""
OBJECTS_MAX, MEMBERS_MAX, ALERTS_MAX = 200_000, 400_000, 20_000
"""Of one body. Four MiB of alerts as they are have 40,000 objects, three an alert, and 170,000 commas; they could as well
hold a million empty ones, which took 70 s and 6 GB to read.
"""
AT_ONCE_MAX = 128 * 1024
"""Bytes of a body that is read in the loop; a larger one is read in a thread, and other webhooks go on beside it."""
UNKNOWN_LOGGED_SECONDS = 1.0
"""A wrong token is logged once in this time."""


@dataclass(slots=True)
class WebhookCounts:
    """What the webhook has seen since the start, for ``/metrics``."""

    accepted: int = 0
    alerts: int = 0
    new: int = 0
    salvaged: int = 0
    """Alerts that could not be read as a whole, and were taken with what could."""
    refused: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class AlertmanagerWebhook:
    """Receives webhooks for one desk. ``token`` empty: anybody may post (TRIAGE_WEBHOOK_AUTH=off)."""

    store: Store
    desk: Desk
    clock: Clock
    token: str
    stored: Callable[[], None]
    """Called when new signals are stored, right before they are committed: there is something to sort."""
    grave: Callable[[], None]
    """Called when one is stored that people must notice at once: it must not wait for a flood to be sorted."""
    hidden: Callable[[], None]
    """Called when Alertmanager says that it left alerts out: time to ask it for all of them."""
    blocked: Callable[[], str] = lambda: ""
    """Says why signals that are stored cannot become incidents (a damaged database); empty where they can."""
    counts: WebhookCounts = field(default_factory=WebhookCounts)
    _unknown_logged_at: float = float("-inf")
    _not_stored: int = 0
    """Webhooks that were not stored since one was."""

    def endpoints(self) -> list[Endpoint]:
        """Return where webhooks are received."""
        return [Endpoint(method="POST", path=WEBHOOK_PATH, call=self.receive, documented=_documented)]

    async def receive(self, request: Request) -> Response:
        """Check a webhook, store its alerts, answer."""
        if not self.known(request.headers.get("authorization", "")):
            return self._refuse(
                401, "the bearer token is missing or wrong: set it in Alertmanager's http_config"
            )
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            return self._refuse(
                415, f"the body must be application/json, not {masked_where_cut(media, 60) or 'untyped'!r}"
            )
        body = await _read(request)
        if body is None:
            return self._refuse(
                413,
                f"the body is larger than {BODY_MAX} bytes or {OBJECTS_MAX} objects: set max_alerts in the receiver",
            )
        try:
            if len(body) > AT_ONCE_MAX:
                webhook, signals = await asyncio.to_thread(self._read, body)
            else:
                webhook, signals = self._read(body)
        except BadInput as error:
            return self._refuse(422, error.reason, error.path)
        except RecursionError:
            return self._refuse(422, "the body is nested too deeply")
        return await self._keep(webhook, signals)

    def known(self, header: str) -> bool:
        """Whether a header ``Authorization`` is that of who may post; the name of its scheme has no case."""
        if not self.token:
            return True
        scheme, _, token = header.partition(" ")
        right = hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
        return right and scheme.lower() == "bearer"

    def _read(self, body: bytes) -> tuple[Webhook | Envelope, list[Signal]]:
        webhook = parsed(body)
        if len(webhook.alerts) > ALERTS_MAX:
            raise BadInput(f"more than {ALERTS_MAX} alerts: set max_alerts in the receiver", "alerts")
        return webhook, self._signals(webhook)

    def _signals(self, webhook: Webhook | Envelope) -> list[Signal]:
        """Make the signals of a webhook. Raises BadInput where nothing in it can be read as an alert."""
        now = self.clock.now()
        signals: list[Signal | None] = []
        faults: list[BadInput] = []
        for index, came in enumerate(webhook.alerts):
            try:
                signals.append(self._signal(came, index, now))
            except BadInput as fault:
                faults.append(fault)
                signals.append(None)
        if len(faults) == len(signals) and faults and not any(map(has_labels, webhook.alerts)):
            raise faults[0]
        broken = iter(faults)
        found = [
            signal if signal is not None else self._salvaged(webhook, index, next(broken), now)
            for index, signal in enumerate(signals)
        ]
        return with_distinct_fingerprints(found)

    def _signal(self, came: object, index: int, now: datetime) -> Signal:
        """Make the signal of one alert. Raises BadInput that names where in the webhook it is wrong."""
        try:
            alert = came if isinstance(came, Alert) else Alert.model_validate(came)
            return alert.signal(self.desk, now)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            path = ".".join(str(part) for part in ("alerts", index, *first["loc"]))
            raise BadInput(first["msg"], path) from error
        except BadInput as error:
            raise BadInput(error.reason, f"alerts.{index}.{error.path}") from error
        except Exception as error:  # of ours: the others are taken, and this one with what can be read of it
            logger.opt(exception=error).error("an alert met a fault of ours")
            raise BadInput(fault_words(error), f"alerts.{index}") from error

    def _salvaged(self, webhook: Webhook | Envelope, index: int, fault: BadInput, now: datetime) -> Signal:
        self.counts.salvaged += 1
        came: object = webhook.alerts[index]
        came = came.model_dump() if isinstance(came, Alert) else came
        logger.warning("an alert is taken with what can be read of it: {why}", why=fault)
        read = came if isinstance(came, dict) else {"alert": came}
        if read.get("status") is None and isinstance(webhook.status, str):
            read = {**read, "status": webhook.status}
        name = labels.get("alertname") if isinstance(labels := read.get("labels"), dict) else None
        status = {"status": read.get("status")}
        less = {**status, "labels": {"alertname": name}}
        for tried in (read, less):
            try:
                return salvaged_signal(self.desk, tried, str(fault), now)
            except Exception as error:  # noqa: BLE001 - then with less: else Alertmanager would send all of them again
                logger.opt(exception=error).error("an alert met a fault of ours again")
        return salvaged_signal(self.desk, status, str(fault), now)

    async def _keep(self, webhook: Webhook | Envelope, signals: list[Signal]) -> Response:
        watchdog = [signal for signal in signals if signal.name == self.desk.watchdog.alertname]
        kept = [signal for signal in signals if signal.name != self.desk.watchdog.alertname]
        now = self.clock.now()

        try:
            if any(signal.status is SignalStatus.FIRING for signal in watchdog):
                await self.store.write(
                    lambda tx: tx.notes.put(WATCHDOG_NOTE, now.isoformat()), within=WEBHOOK_SECONDS
                )
            new = await self.store.keep(kept, self.stored)
            if new and any(is_urgent(self.desk, signal) for signal in kept):
                self.grave()
        except StoreUnavailable as error:
            level = (
                "DEBUG" if self._not_stored else "ERROR"
            )  # said once, and how many it were when it is over
            logger.log(level, "webhook of {n} alerts not stored: {error}", n=len(signals), error=error)
            self._not_stored += 1
            return self._refuse(503, str(error))
        if self._not_stored:
            logger.info("webhooks are stored again; {n} were answered 503", n=self._not_stored)
            self._not_stored = 0
        self.counts.accepted += 1
        self.counts.alerts += len(signals)
        self.counts.new += new
        if kept and (why := self.blocked()):
            return self._refuse(503, f"stored, and nobody can be told of it: {why}")
        if webhook.truncatedAlerts > 0:
            logger.warning("Alertmanager left {n} alerts out of a webhook", n=webhook.truncatedAlerts)
            self.hidden()
        return _accepted(len(signals))

    def _refuse(self, code: int, reason: str, path: str = "") -> JSONResponse:
        self.counts.refused[code] = self.counts.refused.get(code, 0) + 1
        if code != 503 and (code != 401 or self._worth_a_line()):  # noqa: PLR2004 - 503 is logged where it happens
            logger.warning(
                "webhook refused with {code}: {path} {reason}", code=code, path=path, reason=reason
            )
        return JSONResponse({"error": reason, **({"path": path} if path else {})}, status_code=code)

    def _worth_a_line(self) -> bool:
        """Whether a wrong token is logged: whoever can reach the port may send thousands a second, and all are counted."""
        now = self.clock.monotonic()
        worth = now - self._unknown_logged_at >= UNKNOWN_LOGGED_SECONDS
        if worth:
            self._unknown_logged_at = now
        return worth


_REFUSALS = {
    401: "The bearer token is missing or wrong",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The body is no webhook of Alertmanager; path and reason say where",
    503: "Could not be stored; send it again",
}


@cache
def _documented() -> dict[str, Any]:
    schema = Webhook.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs")
    schema["properties"]["alerts"]["items"] = definitions["Alert"]
    # Said here and not by docstrings: the service has none (``WITHOUT_DOCSTRINGS`` of bot/cli.py).
    schema["description"] = "Alertmanager's webhook, version 4; unknown keys are ignored."
    definitions["Alert"]["description"] = "One alert of a webhook; unknown keys are ignored."
    refusals = {
        code: {"description": text, "content": _example({"error": text})} for code, text in _REFUSALS.items()
    }
    return {
        "summary": "Receive Alertmanager's webhook (version 4)",
        "description": "Check a webhook, store its alerts, answer.",
        "responses": {200: {"description": "Stored", "content": _example({"accepted": 1})}, **refusals},
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
        },
    }


def _example(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"example": value}}


@lru_cache(maxsize=64)
def _accepted(alerts: int) -> Response:
    """Return the answer to so many alerts: as ``JSONResponse`` would write it, and made once."""
    return Response(f'{{"accepted":{alerts}}}', media_type="application/json")


async def _read(request: Request) -> bytes | None:
    """Return the body, None when it is larger than ``BODY_MAX`` (what was announced, or what came), or holds too much."""
    announced = request.headers.get("content-length", "")
    # No more digits than int() takes: a number that long says enough by its length.
    if announced.isascii() and announced.isdigit() and (len(announced) > 18 or int(announced) > BODY_MAX):  # noqa: PLR2004 - said above
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MAX:
            return None
        chunks.append(chunk)
    body = b"".join(chunks)
    return None if body.count(b"{") > OBJECTS_MAX or body.count(b",") > MEMBERS_MAX else body
