"""Incidents and episodes as rows of their tables, and back; a row that cannot be read raises ValueError or KeyError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.store.shapes import text_object, texts
from bot.store.text import clean
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    IncidentStatus,
    Severity,
    Source,
    Subject,
    SubjectKind,
)
from triage.ports.store import RollEntry
from triage.severities import word_of


def roll_entry(row: Mapping[Any, Any]) -> RollEntry:
    """Read an episode in a few words: its columns in the order in which they were asked for."""
    columns: tuple[Any, ...] = tuple(row.values())
    incident_id, name, kind, subject, severity, word, firing, starts_at = columns
    return RollEntry(
        incident_id=incident_id,
        name=name,
        subject=Subject(SubjectKind(kind), subject),
        severity=Severity(severity),
        word=word,
        firing=firing,
        starts_at=starts_at,
    )


def incident_values(incident: Incident) -> dict[str, Any]:
    """Return the columns of an incident, without its id and its handle."""
    return {
        "title": clean(incident.title),
        "name": clean(incident.name),
        "subjects": [[subject.kind.value, clean(subject.name)] for subject in incident.subjects],
        "severity": incident.severity.value,
        "status": incident.status.value,
        "shape": incident.shape.value,
        "opened_at": incident.opened_at,
        "changed_at": incident.changed_at,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": clean(incident.acknowledged_by),
        "mitigated_at": incident.mitigated_at,
        "resolved_at": incident.resolved_at,
        "resolved_by": clean(incident.resolved_by),
        "reopened": incident.reopened,
        "quiet": incident.quiet,
        "last_seen_at": incident.last_seen_at,
    }


def incident_of(row: Mapping[Any, Any]) -> Incident:
    """Read an incident."""
    texts(row, "title", "name", "acknowledged_by", "resolved_by")
    subjects = tuple(Subject(SubjectKind(kind), name) for kind, name in row["subjects"])
    if not subjects or any(type(subject.name) is not str for subject in subjects):
        raise ValueError("subjects are not what an incident is about")
    return Incident(
        id=row["id"],
        title=row["title"],
        name=row["name"],
        subjects=subjects,
        severity=Severity(row["severity"]),
        status=IncidentStatus(row["status"]),
        shape=IncidentShape(row["shape"]),
        opened_at=row["opened_at"],
        changed_at=row["changed_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        mitigated_at=row["mitigated_at"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
        reopened=row["reopened"],
        quiet=row["quiet"],
        last_seen_at=row["last_seen_at"],
    )


def episode_values(episode: Episode) -> dict[str, Any]:
    """Return the columns of an episode."""
    return {
        "incident_id": episode.incident_id,
        "source": episode.source.value,
        "episode": clean(episode.episode),
        "name": clean(episode.name),
        "subject_kind": episode.subject.kind.value,
        "subject_name": clean(episode.subject.name),
        "severity": episode.severity.value,
        "firing": episode.firing,
        "is_event": episode.is_event,
        "starts_at": episode.starts_at,
        "ends_at": episode.ends_at,
        "last_seen_at": episode.last_seen_at,
        "labels": dict(episode.labels),
        "word": clean(word_of(episode.labels)),
        "annotations": dict(episode.annotations),
        "generator_url": clean(episode.generator_url),
        "fingerprint": clean(episode.fingerprint),
    }


def episode_of(row: Mapping[Any, Any]) -> Episode:
    """Read an episode."""
    texts(row, "episode", "name", "subject_name", "generator_url", "fingerprint")
    return Episode(
        incident_id=row["incident_id"],
        source=Source(row["source"]),
        episode=row["episode"],
        name=row["name"],
        subject=Subject(SubjectKind(row["subject_kind"]), row["subject_name"]),
        severity=Severity(row["severity"]),
        firing=row["firing"],
        is_event=row["is_event"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        last_seen_at=row["last_seen_at"],
        labels=text_object(row, "labels"),
        annotations=text_object(row, "annotations"),
        generator_url=row["generator_url"],
        fingerprint=row["fingerprint"],
    )
