"""Alertmanager, asked in this process: what Prometheus told it, and what others did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from demo.desk import docker_views
from demo.lab.evidence.answering import answering
from demo.servers.am_model import fingerprint
from triage.errors import SourceRejected
from triage.ports.sources import ActiveAlert, Matcher, Silences

if TYPE_CHECKING:
    from demo.desk.world import World
    from demo.servers.rules import Alert


def active(alert: Alert, now: float) -> ActiveAlert:
    """Return a firing alert as Alertmanager holds it."""
    stamp = docker_views.rfc3339
    return ActiveAlert(
        fingerprint=fingerprint(alert.labels),
        starts_at=stamp(alert.fired_at),
        ends_at=stamp(now + 240),
        updated_at=stamp(now),
        state="active",
        labels=alert.labels,
        annotations=alert.annotations,
    )


@dataclass(slots=True)
class LabAlerts:
    """Alertmanager."""

    world: World
    held: Sequence[ActiveAlert]

    async def alerts(self) -> tuple[ActiveAlert, ...]:
        """Return the alerts it holds."""
        answering(self.world, "alertmanager", "Alertmanager")
        return tuple(self.held)

    async def silences(self) -> Silences:
        """Return no silence: nobody silences anything in the lab."""
        answering(self.world, "alertmanager", "Alertmanager")
        return Silences(())

    async def silence(
        self, matchers: Sequence[Matcher], *, start: datetime, end: datetime, created_by: str, comment: str
    ) -> str:
        """Refuse: a triage writes nothing."""
        raise SourceRejected(
            "Alertmanager", f"the lab writes nothing: {matchers, start, end, created_by, comment}"
        )

    async def expire_silence(self, silence_id: str) -> None:
        """Refuse: a triage writes nothing."""
        raise SourceRejected("Alertmanager", f"the lab writes nothing: {silence_id}")

    async def fire(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, start: datetime, end: datetime
    ) -> None:
        """Refuse: a triage writes nothing."""
        raise SourceRejected("Alertmanager", f"the lab writes nothing: {labels, annotations, start, end}")

    async def ready(self) -> None:
        """Raise where it does not answer."""
        answering(self.world, "alertmanager", "Alertmanager")
