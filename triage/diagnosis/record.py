"""The record of a triage: all that the engine had as input, so that it can be judged again, by these rules or others.

As JSON: ``{"schema": 2, "made_at", "run", "facts", "playbook", "incident", "episodes", "now", "since", "bots",
"containers", "findings", "verdict", "cut", "degraded_since"}``. Times are ISO 8601 in UTC. Findings are masked by
their checks, alerts are masked here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from triage.desk import Desk
from triage.desk_sections.bots import Bot
from triage.desk_sections.compose import ComposeSettings
from triage.desk_sections.streams import StreamSettings
from triage.desk_sections.triage import TriageSettings
from triage.errors import BadInput
from triage.kpis.limits import KpiLimits
from triage.masking import masked
from triage.model import Episode, Finding, Incident, Json, Verdict
from triage.playbooks.model import Playbook

SCHEMA = 2
REBUILT = 0
"""The schema of a record that was made afterwards, of what an older version kept: not all of it is as it was."""
LARGEST = 1_000_000
"""Characters of JSON in a record."""
LARGEST_READ = 64 * LARGEST
"""Bytes that are read of a record, whatever wrote it."""


class TriageSubject(Protocol):
    """What a verdict is about, beside findings and alerts: a triage under way has it, and so has a record."""

    @property
    def desk(self) -> Desk: ...  # noqa: D102 - see ``checks.base.CheckContext``
    @property
    def now(self) -> datetime: ...  # noqa: D102
    @property
    def since(self) -> datetime: ...  # noqa: D102
    @property
    def bots(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def containers(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def incident(self) -> Incident | None: ...  # noqa: D102
    @property
    def degraded_since(self) -> datetime | None: ...  # noqa: D102


class DeskFacts(BaseModel):
    """What diagnosis reads of desk.yaml; nothing of people, tokens or folders. Keys of another version are left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    bots: tuple[Bot, ...]
    compose: ComposeSettings
    streams: StreamSettings
    kpis: KpiLimits
    triage: TriageSettings

    @classmethod
    def of(cls, desk: Desk) -> DeskFacts:
        """Take them from a desk."""
        return cls(**{name: getattr(desk, name) for name in cls.model_fields})

    def as_desk(self) -> Desk:
        """Return a desk with these facts; the rest of it has its defaults."""
        return Desk(**{name: getattr(self, name) for name in type(self).model_fields})


@dataclass(frozen=True, slots=True)
class Record:
    """One triage as it can be judged again.

    ``made_at``: when it was recorded; ``run``: the number of the triage run, 0 where there is none; ``verdict``: what
    was said then. ``cut``: what of it was left out because it was too large, in words; empty where it is whole.
    """

    schema: int
    made_at: datetime
    run: int
    facts: DeskFacts
    playbook: Playbook
    incident: Incident | None
    episodes: tuple[Episode, ...]
    now: datetime
    since: datetime
    bots: tuple[str, ...]
    containers: tuple[str, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict = Verdict()  # noqa: RUF009 - frozen
    cut: tuple[str, ...] = ()
    degraded_since: datetime | None = None
    """Since when our own degraded mode was on; None while it was off, and in records before schema 2."""

    @property
    def desk(self) -> Desk:
        """The desk as far as diagnosis reads it."""
        return self.facts.as_desk()

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why another verdict on it is worth less, in sentences."""
        said = [f"The record is not whole: {each}." for each in self.cut]
        if self.schema < SCHEMA:
            lacks = (
                "the alerts are those the incident had in the end, the desk is today's"
                if self.schema == REBUILT
                else "whether degraded mode was on was not kept"
            )
            said.insert(
                0,
                f"Recorded by an older version (schema {self.schema}, now {SCHEMA}): {lacks}. "
                "A difference may come from that.",
            )
        return tuple(said)


def record_of(
    subject: TriageSubject,
    findings: Sequence[Finding],
    episodes: Sequence[Episode],
    playbook: Playbook,
    *,
    run: int = 0,
) -> Record:
    """Make the record of a triage whose checks have answered; its verdict is put in later."""
    return Record(
        schema=SCHEMA,
        made_at=subject.now,
        run=run,
        facts=DeskFacts.of(subject.desk),
        playbook=playbook,
        incident=subject.incident,
        episodes=tuple(_masked(episodes)),
        now=subject.now,
        since=subject.since,
        bots=subject.bots,
        containers=subject.containers,
        findings=tuple(findings),
        degraded_since=subject.degraded_since,
    )


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def as_json(record: Record) -> dict[str, Json]:
    """Return a record as JSON values."""
    data: dict[str, Json] = _adapter().dump_python(record, mode="json")
    for kept, finding in zip(data["findings"], record.findings, strict=True):
        # To a rule no number is not the same as nothing: it stays what it is, as Python's own JSON has it.
        kept["data"] = to_jsonable_python(finding.data, inf_nan_mode="constants")
    return data


def from_json(data: object) -> Record:
    """Read a record. Raises BadInput naming what cannot be read, or a version that is newer than this one.

    Settings of the desk that this version does not know are left out, and named as cut.
    """
    schema = data.get("schema") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(schema, int):
        raise BadInput('no recorded evidence: a JSON object with "schema" was expected')
    if schema > SCHEMA:
        raise BadInput(
            f"written by a newer version (schema {schema}, this one reads up to {SCHEMA}): use that one"
        )
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        unknown = [each["loc"] for each in error.errors() if each["type"] == "extra_forbidden"]
        if not unknown or len(unknown) < error.error_count():
            raise _unreadable(error) from error
    try:
        record = _adapter().validate_python(_without(data, unknown))
    except ValidationError as error:
        raise _unreadable(error) from error
    names = ", ".join(".".join(map(str, place)) for place in unknown)
    return replace(record, cut=(*record.cut, f"settings that this version does not know: {names}"))


def _unreadable(error: ValidationError) -> BadInput:
    first = error.errors()[0]
    return BadInput(
        f"recorded evidence that cannot be read: {first['msg']}", ".".join(map(str, first["loc"]))
    )


def _without(data: Json, places: Iterable[tuple[int | str, ...]]) -> Json:
    """Return a copy of JSON values without what stands at these places."""
    copy: Json = json.loads(json.dumps(data))
    for *way, last in places:
        inner = copy
        for step in way:
            inner = inner[step]
        del inner[last]
    return copy


def pack(record: Record) -> bytes:
    """Return a record as it is stored. Raises ValueError where it is too large whatever is left out, or is no JSON."""
    for one in _smaller(record):
        text = json.dumps(as_json(one), separators=(",", ":"))
        if len(text) <= LARGEST:
            return zlib.compress(text.encode())
    raise ValueError(f"the evidence has more than {LARGEST} characters, whatever is left out")


def unpack(content: bytes) -> Record:
    """Read what ``pack`` made. Raises BadInput."""
    try:
        data = json.loads(zlib.decompressobj().decompress(content, LARGEST_READ))
    except (zlib.error, ValueError, RecursionError) as error:
        raise BadInput(f"recorded evidence that cannot be read: {error}") from error
    return from_json(data)


def _smaller(record: Record) -> Iterator[Record]:
    """Yield the record, then the same with less and less in it; each says what it lacks."""
    yield record
    bare = replace(
        record,
        episodes=tuple(replace(each, annotations={}, generator_url="") for each in record.episodes),
        findings=tuple(replace(each, details=()) for each in record.findings),
    )
    yield bare  # no rule looks at these: the verdict is the same
    large = sorted(bare.findings, key=lambda each: -len(json.dumps(each.data, default=str)))
    for count in range(1, len(large) + 1):
        gone = {each.name for each in large[:count]}
        yield replace(
            bare,
            findings=tuple(replace(each, data={}) if each.name in gone else each for each in bare.findings),
            cut=(*bare.cut, f"the figures of {', '.join(sorted(gone))} were too large to keep"),
        )


def _masked(episodes: Iterable[Episode]) -> Iterator[Episode]:
    """Mask alerts as findings are: a record is kept long, and is exported as a lab case."""
    once = cache(masked)  # a storm's alerts have most of their values in common
    for episode in episodes:
        yield replace(
            episode,
            labels={name: once(value) for name, value in episode.labels.items()},
            annotations={name: once(value) for name, value in episode.annotations.items()},
            generator_url=once(episode.generator_url),
        )
