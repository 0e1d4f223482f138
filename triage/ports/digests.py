"""What measures a period: the bots' own files, read beside the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.kpis.model import ActionNote, DigestReport, IncidentNote


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture of a bot's period: a PNG and what it shows, in words."""

    bot: str
    alt: str
    png: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """A digest's figures and pictures; what failed is among the report's problems."""

    report: DigestReport
    pictures: tuple[DrawnPicture, ...] = ()


class Digests(Protocol):
    """Measures periods. Raises SourceError where nothing could be measured at all."""

    async def measure(
        self,
        bots: Sequence[str],
        start: datetime,
        end: datetime,
        *,
        incidents: Sequence[IncidentNote] = (),
        actions: Sequence[ActionNote] = (),
        pictures: bool = False,
    ) -> Measured:
        """Measure some bots (whole minutes, ``end`` excluded); a picture that fails never stops the figures."""
        ...
