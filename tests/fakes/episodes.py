"""Alerts of an incident, as far as a test cares for them."""

from datetime import datetime
from typing import Any

from triage.model import Episode, Severity, Source, Subject


def firing(name: str, subject: Subject, at: datetime, **changes: Any) -> Episode:  # noqa: ANN401 - any field of the model
    """Return a Sev-1 alert of incident 1 that fires since ``at``."""
    values: dict[str, Any] = {
        "incident_id": 1,
        "source": Source.ALERTMANAGER,
        "episode": name,
        "name": name,
        "subject": subject,
        "severity": Severity.SEV1,
        "firing": True,
        "starts_at": at,
        "ends_at": None,
        "last_seen_at": at,
    }
    return Episode(**{**values, **changes})
