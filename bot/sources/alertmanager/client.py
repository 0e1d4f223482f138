"""Alertmanager's HTTP API, v2. Its 400, 404 and 500 are a JSON string, its 422 is ``{code, message}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from bot.sources.answer_shape import readable
from bot.sources.http import HttpSource, Reply, first_line
from bot.sources.times import rfc3339, to_rfc3339
from triage.errors import SourceBadAnswer, SourceRejected
from triage.ports.sources import UNREADABLE_ALERT, ActiveAlert, Matcher, Silence, Silences
from triage.ports.sources.unread import unread_words

NAME = "Alertmanager"


class Alertmanager:
    """The port ``Alerts``."""

    def __init__(self, http: HttpSource) -> None:
        self._http = http

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return every alert it holds: active, silenced and inhibited ones.

        One that cannot be read stands there as ``UNREADABLE_ALERT``, and hides none of the others.
        """
        found = await self._list("alerts")
        with self._http.shape("the alerts"):
            known, unread = readable(found, _alert)
        return (*known, *[UNREADABLE_ALERT] * unread)

    async def silences(self) -> Silences:
        """Return the silences that are active or pending; one that cannot be read hides none of the others."""
        found = await self._list("silences")
        with self._http.shape("the silences"):
            known, unread = readable(found, _silence)
        held = tuple(each for each in known if each.state != "expired")
        return Silences(held, unread_words(unread, len(found), "silences"))

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Write a silence and return its id."""
        body = {
            "matchers": [
                {"name": each.name, "value": each.value, "isRegex": each.is_regex, "isEqual": each.is_equal}
                for each in matchers
            ],
            "startsAt": to_rfc3339(start),
            "endsAt": to_rfc3339(end),
            "createdBy": created_by,
            "comment": comment,
        }
        reply = self._insist(await self._http.ask("POST", "api/v2/silences", body=body))
        answer = self._http.json(reply)
        silence_id = answer.get("silenceID") if isinstance(answer, dict) else None
        if not isinstance(silence_id, str) or not silence_id:
            raise SourceBadAnswer(NAME, "took the silence but gave no id for it")
        return silence_id

    async def expire_silence(self, silence_id: str) -> None:
        """End a silence now. Raises SourceRejected where there is none of that id."""
        reply = await self._http.ask("DELETE", f"api/v2/silence/{quote(silence_id, safe='')}")
        if _is_unknown_silence(reply):
            raise SourceRejected(NAME, f"there is no silence {silence_id} any more")
        self._insist(reply)

    async def fire(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, start: datetime, end: datetime
    ) -> None:
        """Post an alert (a drill)."""
        alert = {
            "labels": dict(labels),
            "annotations": dict(annotations),
            "startsAt": to_rfc3339(start),
            "endsAt": to_rfc3339(end),
        }
        self._insist(await self._http.ask("POST", "api/v2/alerts", body=[alert]))

    async def ready(self) -> None:
        """Return when Alertmanager says that it is ready; raise otherwise."""
        await self._http.get("-/ready")

    async def _list(self, path: str) -> list[Any]:
        answer = self._http.json(self._insist(await self._http.ask("GET", f"api/v2/{path}")))
        if not isinstance(answer, list):
            raise SourceBadAnswer(NAME, f"its {path} are no list")
        return answer

    def _insist(self, reply: Reply) -> Reply:
        if reply.status == httpx.codes.OK:
            return reply
        raise self._http.refusal(reply, _words(self._http, reply))


def _words(http: HttpSource, reply: Reply) -> str:
    try:
        answer = http.json(reply)
    except SourceBadAnswer:
        return ""
    message = answer.get("message", "") if isinstance(answer, dict) else answer
    return first_line(str(message))


def _is_unknown_silence(reply: Reply) -> bool:
    """Alertmanager answered 500 for an unknown silence before it answered 404."""
    server_error = httpx.codes.INTERNAL_SERVER_ERROR
    return reply.status == httpx.codes.NOT_FOUND or (
        reply.status == server_error and "not found" in reply.text
    )


def _alert(alert: dict[str, Any]) -> ActiveAlert:
    status = alert["status"]
    return ActiveAlert(
        fingerprint=str(alert["fingerprint"]),
        starts_at=str(alert["startsAt"]),
        ends_at=str(alert["endsAt"]),
        updated_at=str(alert["updatedAt"]),
        state=str(status["state"]),
        labels={str(name): str(value) for name, value in alert["labels"].items()},
        annotations={str(name): str(value) for name, value in (alert.get("annotations") or {}).items()},
        generator_url=str(alert.get("generatorURL") or ""),
        silenced_by=tuple(str(each) for each in status.get("silencedBy") or ()),
    )


def _silence(silence: dict[str, Any]) -> Silence:
    return Silence(
        id=str(silence["id"]),
        matchers=tuple(
            Matcher(
                str(each["name"]), str(each["value"]), bool(each["isRegex"]), bool(each.get("isEqual", True))
            )
            for each in silence["matchers"]
        ),
        starts_at=rfc3339(silence["startsAt"]),
        ends_at=rfc3339(silence["endsAt"]),
        created_by=str(silence["createdBy"]),
        comment=str(silence["comment"]),
        state=str(silence["status"]["state"]),
    )
