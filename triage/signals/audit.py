"""The audit stream: an entry's payload as an event of the desk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from triage.desk import Desk
from triage.desk_events import EPOCH, DeskEvent, Gravity, Parked, PayloadEntry, moment_of
from triage.logs.templates import mask_variables
from triage.masking import free_of_secrets, masked, masked_and_cut, masked_where_cut
from triage.model import Source, Subject, SubjectKind
from triage.outside_numbers import is_whole

T = TypeVar("T")
TEXT_MAX, REASON_MAX, PAYLOAD_MAX, METADATA_MAX = 1000, 120, 4000, 30
READ_MAX = 20_000
"""Characters of a text that are masked before it is cut."""
_TOGETHER = 20
"""Events whose texts are searched for secrets at once: one that may hold some has so many looked at one by one."""
_YEAR_9999_MS = 253_370_764_800_000
_LATE_MS = 24 * 3600 * 1000


class AuditPayload(BaseModel):
    """An audit event as it stands in the field ``payload``. Unknown keys are ignored: v1 grows by adding."""

    model_config = ConfigDict(extra="ignore")

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    timestamp_ms: Annotated[int, Field(ge=0, le=_YEAR_9999_MS)]
    category: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    instance_name: Annotated[str, StringConstraints(max_length=200)] = ""
    severity: str = "info"
    message: str = ""
    correlation_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    producer: str = ""
    event_type: str = "audit"
    schema_version: str = "1.0"
    metadata: dict[str, Any] = Field(default_factory=dict)


PAYLOAD = TypeAdapter(AuditPayload)
_GRAVITY = {"info": Gravity.INFO, "debug": Gravity.INFO, "error": Gravity.ERROR, "critical": Gravity.ERROR}
_UNKNOWN, _INFO, _AUDIT = Gravity.WARNING, Gravity.INFO, Source.AUDIT
"""Here once: an enum looks a member up by its name each time, and a flood asks for these a hundred thousand times."""


def read_audit(desk: Desk, stream: str, entry: PayloadEntry, now: datetime) -> DeskEvent | Parked:
    """Read one entry; what does not validate comes back as parked, with the reason in words."""
    return read_audits(desk, stream, [entry], now)[0]


def read_audits(
    desk: Desk, stream: str, entries: Sequence[PayloadEntry], now: datetime
) -> list[DeskEvent | Parked]:
    """Read entries, each as ``read_audit`` does; texts that hold no secret are looked at together, once."""
    now_ms = now.timestamp() * 1000
    named = _Subjects(desk)
    read: list[DeskEvent | Parked] = []
    for start in range(0, len(entries), _TOGETHER):
        some = entries[start : start + _TOGETHER]
        found = [_told(stream, entry) for entry in some]
        clear = free_of_secrets([one.whole() for one in found if isinstance(one, _Told)])
        read += [
            _event(named, one, _moment(one.payload.timestamp_ms, entry, now, now_ms), clear=clear)
            if isinstance(one, _Told)
            else one
            for one, entry in zip(found, some, strict=True)
        ]
    return read


class _Subjects(dict[str, Subject]):
    """What each ``instance_name`` stands for, looked up once for all the events of it."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def __missing__(self, name: str) -> Subject:
        """Look a name up that was not asked for before."""
        self[name] = subject = subject_named(self._desk, name)
        return subject


@dataclass(slots=True)
class _Told:
    """A payload that can be read, with what of its texts is kept or masked."""

    payload: AuditPayload
    message: str
    metadata: dict[str, str]

    def whole(self) -> str:
        """Return all that may hold a secret, each value behind its name."""
        return "\n".join([self.message, *[f"{name}: {value}" for name, value in self.metadata.items()]])


def _told(stream: str, entry: PayloadEntry) -> _Told | Parked:
    if entry.payload is None:
        return Parked(stream, entry.id, "the entry has no field 'payload'", "")
    try:
        payload = validated(PAYLOAD, entry.payload)
    except ValidationError as error:
        return parked(stream, entry, why_invalid(error))
    if not _plain(entry.payload):
        payload = _cleaned(payload)
    if payload.schema_version != "1.0" and payload.schema_version.partition(".")[0] != "1":
        version = masked_where_cut(payload.schema_version, 20)
        return parked(stream, entry, f"schema_version {version!r}: only 1.x is known")
    if payload.event_type != "audit":
        kind = masked_where_cut(payload.event_type, 40)
        return parked(stream, entry, f"event_type {kind!r} on the audit stream")
    metadata = {
        masked_where_cut(name, 80): str(value)[:READ_MAX]
        for name, value in islice(payload.metadata.items(), METADATA_MAX)
    }
    return _Told(payload, masked_where_cut(payload.message, READ_MAX), metadata)


def _plain(payload: str | bytes) -> bool:
    """Say that no text in this JSON can hold anything odd: all of it is ASCII, and nothing is escaped by number."""
    if not payload.isascii():
        return False
    if isinstance(payload, str):
        return "\\u" not in payload
    return (
        b"\\" not in payload or b"\\u" not in payload
    )  # one character is found in a tenth of the time of two


def _cleaned(payload: AuditPayload) -> AuditPayload:
    """Return the payload with its texts as ``clean`` makes them."""
    texts = {
        name: clean(value, 100_000) for name, value in payload.__dict__.items() if isinstance(value, str)
    }
    metadata = {clean(name, 80): clean(str(value), READ_MAX) for name, value in payload.metadata.items()}
    return payload.model_copy(update={**texts, "metadata": metadata})


def _moment(stated_ms: int, entry: PayloadEntry, now: datetime, now_ms: float) -> datetime:
    """Return when it happened: as its sender says, where that can be; else when Redis got it.

    Nobody has seen the future, and what is published a day late comes from a clock that is wrong.
    """
    if stated_ms <= now_ms:
        # It was added by now: what is not late by this clock is not late by Redis', which is asked for where it may be.
        if stated_ms >= now_ms - _LATE_MS:
            return datetime.fromtimestamp(stated_ms / 1000, UTC)
        milliseconds = entry.id.partition("-")[0]
        added_ms = int(milliseconds) if is_whole(milliseconds) else stated_ms
        if stated_ms >= added_ms - _LATE_MS:
            return EPOCH + timedelta(milliseconds=stated_ms)
    return min(moment_of(entry.id, now), now)


def _event(named: Mapping[str, Subject], told: _Told, at: datetime, *, clear: bool) -> DeskEvent:
    """Make the event; its texts are fit for any database, see ``_told``. ``clear``: they hold no secret."""
    payload = told.payload
    # A severity that nobody knows yet is no reason to overlook an event.
    gravity = _GRAVITY.get(payload.severity.lower(), _UNKNOWN)
    text, metadata = told.message, told.metadata
    if not clear:
        text, metadata = _without_secrets(told)
    text, metadata = text[:TEXT_MAX], {name: value[:300] for name, value in metadata.items()}
    data: dict[str, Any] = {}
    if payload.producer:
        data["producer"] = masked_where_cut(payload.producer, 80)
    if metadata:
        data["metadata"] = metadata
    return DeskEvent(
        key=f"audit/{payload.event_id}",
        source=_AUDIT,
        at=at,
        subject=named[payload.instance_name],
        gravity=gravity,
        category=masked_where_cut(payload.category, 80),
        text=text,
        reason="" if gravity is _INFO else _reason(metadata.get("reason") or text),
        correlation_id=payload.correlation_id or "",
        data=data,
    )


def _is_bot(desk: Desk, name: str) -> bool:
    for bot in desk.bots:  # noqa: SIM110 - asked for each event: a generator costs more than the answer
        if bot.name == name:
            return True
    return False


def subject_named(desk: Desk, name: str) -> Subject:
    """Return what an ``instance_name`` stands for: a bot, a service's container, or the desk where it is empty."""
    if not name:
        return Subject(SubjectKind.DESK, desk.name)
    if not _is_bot(desk, name):
        if name in desk.compose.services:
            return Subject(SubjectKind.CONTAINER, desk.container_of(name))
        owner = desk.bot_of_container(name)
        if owner is not None:
            return Subject(SubjectKind.BOT, owner.name)
    return _bot(name)


@lru_cache(maxsize=256)
def _bot(name: str) -> Subject:
    return Subject(SubjectKind.BOT, clean(name, 80))


def validated(adapter: TypeAdapter[T], payload: str | bytes) -> T:
    """Validate JSON; halves of surrogate pairs, which Python's own writer lets through, become U+FFFD.

    Raises ValidationError.
    """
    try:
        return adapter.validate_json(payload)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise
        try:
            mended = json.dumps(json.loads(payload), ensure_ascii=False).encode("utf-8", "replace")
        except (ValueError, RecursionError):
            raise error from None
        return adapter.validate_json(mended)


def parked(stream: str, entry: PayloadEntry, reason: str) -> Parked:
    """Put an entry aside, its payload masked and cut."""
    payload = entry.payload or ""
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    return Parked(stream, entry.id, reason, masked_and_cut(text, PAYLOAD_MAX))


def why_invalid(error: ValidationError) -> str:
    """Return the first problem of a payload: where it is and what it is."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def clean(text: str, limit: int) -> str:
    """Return text that any database takes, cut: without NUL and without halves of surrogate pairs."""
    text = masked_where_cut(text, limit)
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _without_secrets(told: _Told) -> tuple[str, dict[str, str]]:
    """Mask the message and the metadata; one look at all of it where there is nothing to mask."""
    whole = told.whole()
    if masked(whole) == whole:
        return told.message, told.metadata
    return masked(told.message), {name: _masked_value(name, value) for name, value in told.metadata.items()}


def _masked_value(name: str, value: str) -> str:
    """Mask a value that its own name gives away (``api_key``), or that looks like a secret by itself."""
    return masked(f"{name}: {masked(value)}").removeprefix(f"{name}: ")


@lru_cache(maxsize=2048)
def _reason(text: str) -> str:
    """What tells events of a category apart: the part behind the colon, its numbers and ids masked."""
    _, _, tail = text.partition(": ")
    return clean(mask_variables(masked_where_cut(tail or text, TEXT_MAX)), REASON_MAX)
