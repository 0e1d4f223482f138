"""The body of Alertmanager's webhook: a valid one is parsed as a whole, of another what can be read is taken."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationError

from triage.desk import Desk
from triage.errors import BadInput
from triage.incidents.alerts import FINGERPRINT_MAX, alert_signal
from triage.model import Signal, SignalStatus
from triage.outside_numbers import whole

LEVELS_MAX = 50
_SIGNS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
"""What JSON's levels are counted by: brackets, and texts, within which none counts.

A text without its end goes on to the end of all: looked for from each of its quotes anew, that takes hours.
"""
DIGITS_MAX = 4000
"""Python reads no number of more than 4,300 digits, for the time that it would take."""


def _without_nulls(value: object) -> object:
    """Take null for "nothing there", as some senders mean it, in a map and instead of one."""
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if each is not None}
    return {} if value is None else value


def _null_is_empty(value: object) -> object:
    return "" if value is None else value


_Labels = Annotated[dict[str, str], BeforeValidator(_without_nulls)]
_Text = Annotated[str, BeforeValidator(_null_is_empty)]
_Time = Annotated[_Text, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339. Kept as the text it came as; ``triage.incidents.alerts`` parses it."""


class Alert(BaseModel):
    """One alert of a webhook; unknown keys are ignored."""

    status: Literal["firing", "resolved"]
    labels: _Labels
    annotations: _Labels = Field(default_factory=dict)
    startsAt: _Time  # noqa: N815 - Alertmanager's spelling
    endsAt: _Time = ""  # noqa: N815
    generatorURL: _Text = ""  # noqa: N815
    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=FINGERPRINT_MAX)]

    def signal(self, desk: Desk, now: datetime) -> Signal:
        """Return the alert as a signal. Raises BadInput whose path begins at the alert."""
        return alert_signal(
            desk,
            status=SignalStatus(self.status),
            fingerprint=self.fingerprint,
            labels=self.labels,
            annotations=self.annotations,
            starts_at=self.startsAt,
            ends_at=self.endsAt,
            generator_url=self.generatorURL,
            now=now,
        )


class Webhook(BaseModel):
    """Alertmanager's webhook, version 4; unknown keys are ignored."""

    version: Literal["4"]
    status: Literal["firing", "resolved"]
    receiver: _Text = ""
    groupKey: _Text = ""  # noqa: N815
    truncatedAlerts: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0  # noqa: N815
    alerts: list[Alert]


def _count_or_one(value: object) -> object:
    """Read how many alerts were left out; what is no count is taken for one: to ask for all of them does no harm."""
    try:
        if isinstance(value, str) and value:
            return whole(value)
        return int(value) if isinstance(value, int | float) else int(bool(value))
    except (ValueError, OverflowError):
        return 1


def _alerts_as_list(value: object) -> object:
    """Take null for no alerts, and an alert that stands without its list for a list of one."""
    if value is None:
        return []
    return [value] if isinstance(value, dict) and "labels" in value else value


class Envelope(BaseModel):
    """What we use of a webhook that is not as it should be: any version, alerts that are not looked at yet."""

    status: Annotated[Any, Field(default="")]
    """Holds for alerts that have none of their own."""
    truncatedAlerts: Annotated[int, BeforeValidator(_count_or_one)] = 0  # noqa: N815
    alerts: Annotated[list[Any], BeforeValidator(_alerts_as_list)]  # each becomes an Alert, or is salvaged


def has_labels(alert: object) -> bool:
    """Whether something of an alert can be read: it is one, or looks like one."""
    labels = alert.get("labels") if isinstance(alert, dict) else getattr(alert, "labels", None)
    return isinstance(labels, dict) and bool(labels)


def parsed(body: bytes) -> Webhook | Envelope:
    """Parse a body: in one go where all of it is right, else so that each part can be looked at by itself.

    Raises BadInput where it is no webhook at all: no JSON, no object, or without a list of alerts.
    """
    try:
        return Webhook.model_validate_json(body)
    except ValidationError:
        found = _loaded(body)
    if not isinstance(found, dict):
        raise BadInput("the body is no webhook of Alertmanager: it is JSON, and no object", "")
    try:
        return Envelope.model_validate(found)
    except ValidationError as error:
        why = error.errors(include_url=False, include_context=False, include_input=False)[0]["msg"]
        raise BadInput(
            f"the body is no webhook of Alertmanager: no list of alerts ({why})", "alerts"
        ) from error


def _number(digits: str) -> int | str:
    """Return a whole number; one of more digits than Python reads as a number stays text."""
    return int(digits) if len(digits) <= DIGITS_MAX else digits


def _shallow(text: str) -> str:
    """Return JSON with null in the place of each list and object that lies deeper than ``LEVELS_MAX``."""
    kept, start, depth = list[str](), 0, 0
    for sign in _SIGNS.finditer(text):
        if sign[0] in "[{":
            depth += 1
            if depth == LEVELS_MAX + 1:
                kept += (text[start : sign.start()], "null")
        elif sign[0] in "]}":
            if depth == LEVELS_MAX + 1:
                start = sign.end()
            depth -= 1
    return "".join((*kept, text[start:])) if depth == 0 else text


def _loaded(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Load a body as JSON; what no text can hold (half a UTF-16 pair, a byte that is no UTF-8) costs a sign, no alert.

    What is nested deeper than can be read costs itself alone.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        try:
            found = json.loads(text, parse_int=_number)
        except RecursionError:
            found = json.loads(_shallow(text), parse_int=_number)
        if b"\\ud" in body.lower():
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}", "") from error
    return found
