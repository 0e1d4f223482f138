"""What is wrong now, as one of our own watches found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from triage.model import Source, Subject


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is wrong now. ``since``: when it began, where that is known better than "now"."""

    name: str
    source: Source
    subject: Subject
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
